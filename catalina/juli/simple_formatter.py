"""Writes two lines for each record, as a JVM without logging.properties (java.util.logging.SimpleFormatter).

The property ``java.util.logging.SimpleFormatter.format`` is a format of java.util.Formatter. Its arguments are, by
their numbers: 1 date, 2 source, 3 logger, 4 level, 5 message, 6 stack trace with a line end before it; for example
``%1$tF %1$tT %4$s %2$s %5$s%6$s%n``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence

from catalina.attributes import Attribute, AttributeRefused, Component
from catalina.juli.levels import level_name
from catalina.juli.log_text import escaped, message_of
from catalina.juli.one_line_formatter import source_method, stack_trace
from catalina.simple_date_format import date_formatter

__all__ = ["SimpleFormatter", "record_format"]


#: The format of a JVM without configuration.
DEFAULT_FORMAT = "%1$tb %1$td, %1$tY %1$tl:%1$tM:%1$tS %1$Tp %2$s%n%4$s: %5$s%6$s%n"
_CONVERSION = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([tT])?([a-zA-Z%])")
#: Date conversion of java.util.Formatter -> pattern of java.text.SimpleDateFormat.
_DATES = {
    "b": "MMM", "h": "MMM", "B": "MMMM", "d": "dd", "e": "d", "H": "HH", "I": "hh", "k": "H", "l": "h", "M": "mm",
    "S": "ss", "L": "SSS", "p": "a", "Z": "z", "z": "Z", "Y": "yyyy", "y": "yy", "j": "DDD", "m": "MM", "a": "EEE",
    "A": "EEEE", "T": "HH:mm:ss", "R": "HH:mm", "F": "yyyy-MM-dd", "D": "MM/dd/yy", "r": "hh:mm:ss a",
    "c": "EEE MMM dd HH:mm:ss z yyyy",
}  # fmt: skip
_ARGUMENTS = 6

#: Epoch milliseconds and the arguments 2 to 6 -> text.
RecordFormat = Callable[[int, Sequence[str]], str]
Part = Callable[[int, Sequence[str]], str]


def record_format(text: str) -> RecordFormat:
    """Compile a format.

    Raises:
        ValueError: a conversion does not exist, or does not suit the argument; the text names it.
    """
    parts: list[Part] = []
    at = number = 0
    for found in _CONVERSION.finditer(text):
        _check_literal(text[at : found.start()])
        parts.append(_literal(text[at : found.start()]))
        at = found.end()
        index, flags, _, _, _, kind = found.groups()
        if kind in "n%" and not index:
            parts.append(_literal("\n" if kind == "n" else "%"))
            continue
        if index:
            number = int(index)
        elif "<" not in flags:
            number += 1
        parts.append(_conversion(found, number))
    _check_literal(text[at:])
    parts.append(_literal(text[at:]))

    def format_record(millis: int, arguments: Sequence[str]) -> str:
        return "".join(part(millis, arguments) for part in parts)

    return format_record


def _check_literal(text: str) -> None:
    if "%" in text:
        raise ValueError(f"{text[text.index('%') :][:10]!r} is no conversion of java.util.Formatter")


def _literal(text: str) -> Part:
    return lambda _millis, _arguments: text


def _conversion(found: re.Match[str], number: int) -> Part:
    _, flags, width, precision, date, kind = found.groups()
    if not 1 <= number <= _ARGUMENTS:
        raise ValueError(f"{found.group()!r}: a log record has the arguments 1 to {_ARGUMENTS}")
    if date:
        if number != 1:
            raise ValueError(f"{found.group()!r}: argument {number} is no date")
        make = _date(found.group(), kind)
        upper = date == "T"
    elif kind in "sS":
        make = _text(number)
        upper = kind == "S"
    else:
        raise ValueError(f"{found.group()!r}: expected s, S or a date (t, T)")

    def convert(millis: int, arguments: Sequence[str]) -> str:
        value = make(millis, arguments)
        value = value[: int(precision)] if precision else value
        value = value.upper() if upper else value
        return (value.ljust if "-" in flags else value.rjust)(int(width or 0))

    return convert


def _text(number: int) -> Part:
    if number == 1:
        whole = date_formatter("yyyy-MM-dd'T'HH:mm:ss.SSSZ")
        return lambda millis, _arguments: whole(millis)
    return lambda _millis, arguments: arguments[number - 2]


def _date(written: str, kind: str) -> Part:
    match kind:
        case "s":
            return lambda millis, _arguments: str(millis // 1000)
        case "Q":
            return lambda millis, _arguments: str(millis)
        case "N":
            return lambda millis, _arguments: f"{millis % 1000:03}000000"
    if kind not in _DATES:
        raise ValueError(f"{written!r} is no date conversion of java.util.Formatter")
    made = date_formatter(_DATES[kind])
    if kind == "p":
        return lambda millis, _arguments: made(millis).lower()
    return lambda millis, _arguments: made(millis)


def _format(text: str) -> str:
    try:
        record_format(text)
    except ValueError as error:
        raise AttributeRefused(f"a format of java.util.Formatter ({error})") from None
    return text


class SimpleFormatter(Component, logging.Formatter):
    """``Nov 23, 2026 1:16:16 AM org.apache...Catalina start`` and ``INFO: message`` below it, or another format."""

    format_text = Attribute(
        _format,
        DEFAULT_FORMAT,
        xml="format",
        doc="Format of java.util.Formatter; also the system property of that name.",
    )

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)
        self._format: Callable[[int, Sequence[str]], str] = record_format(self.format_text)

    def set_attribute(self, name: str, text: str) -> bool:
        """Compile the format that is set. Raises AttributeRefused."""
        known = super().set_attribute(name, text)
        self._format = record_format(self.format_text)
        return known

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end."""
        trace = stack_trace(record)
        logger = escaped(record.name)
        text = self._format(
            round(record.created * 1000),
            (
                f"{logger} {source_method(record.funcName or '')}",
                logger,
                level_name(record.levelno),
                message_of(record),
                f"\n{trace}" if trace else "",
            ),
        )
        return text.removesuffix("\n")
