"""``java.util.logging.SimpleFormatter.format``: a format of java.util.Formatter for log records.

The arguments are, by their numbers: 1 date, 2 source, 3 logger, 4 level, 5 message, 6 stack trace with a line end
before it. ``%1$tF %1$tT %4$s %2$s %5$s%6$s%n`` is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from catalina.simple_date_format import date_formatter

__all__ = ["record_format"]

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
