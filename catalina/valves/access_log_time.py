"""The times of an access log line: ``%t`` in all its forms and ``%T``/``%D``.

Tomcat: AbstractAccessLogValve.DateAndTimeElement, ElapsedTimeElement. A date is formatted once a second and remembered.
"""

from __future__ import annotations

from collections.abc import Callable

from catalina.simple_date_format import CLF, DateNames, date_formatter, date_names
from catalina.valves.access_log_escape import escape
from catalina.valves.access_log_pattern import Element

__all__ = ["date_element", "elapsed_element", "once_a_second"]

#: Stands for one ``S`` of the pattern: milliseconds change too often to be remembered with the rest.
_MILLISECOND = "\0"


def date_element(name: str, clock: Callable[[], int], names: DateNames | None = None) -> Element:
    """``%{name}t``: ``begin:`` or ``end:`` (default), then ``sec``, ``msec``, ``msec_frac``, a date pattern or nothing.

    Args:
        clock: nanoseconds since the epoch.
        names: names of months and days in date patterns; the common log format is always English.

    Raises:
        ValueError: the date pattern is wrong.
    """
    begin, form = _split(name)
    write = _writer(form, names or date_names(""))
    if begin:
        return lambda _request, _response, time_ns: write((clock() - time_ns) // 1_000_000)
    return lambda _request, _response, _time_ns: write(clock() // 1_000_000)


def _split(name: str) -> tuple[bool, str]:
    for prefix in ("begin", "end"):
        if name == prefix or name.startswith(prefix + ":"):
            return prefix == "begin", name[len(prefix) + 1 :]
    return False, name


def _writer(form: str, names: DateNames) -> Callable[[int], str]:
    match form:
        case "":
            return once_a_second(date_formatter(f"'['{CLF}']'"))
        case "sec":
            return lambda epoch_ms: str(epoch_ms // 1000)
        case "msec":
            return str
        case "msec_frac":
            return lambda epoch_ms: f"{epoch_ms % 1000:03d}"
        case _:
            return _pattern_writer(form, names)


def _pattern_writer(form: str, names: DateNames) -> Callable[[int], str]:
    tidied = _without_milliseconds(form)
    write = once_a_second(date_formatter(tidied, names=names))
    if tidied != form:
        seconds_only = write

        def write_with_milliseconds(epoch_ms: int) -> str:
            ms = epoch_ms % 1000
            return seconds_only(epoch_ms).replace(_MILLISECOND * 3, f"{ms:03d}").replace(_MILLISECOND, str(ms))

        write = write_with_milliseconds
    return (lambda epoch_ms: escape(write(epoch_ms))) if escape(form) != form else write


def _without_milliseconds(form: str) -> str:
    """Replace each ``S`` outside quotes by a mark. Three marks stand for three digits, one mark for the bare number."""
    quoted = False
    chars = []
    for char in form:
        quoted ^= char == "'"
        chars.append(_MILLISECOND if char == "S" and not quoted else char)
    return "".join(chars)


def once_a_second(write: Callable[[int], str]) -> Callable[[int], str]:
    """Remember the text of the last second. A reader sees second and text together, so threads need no lock."""
    last = (-1, "")

    def kept(epoch_ms: int) -> str:
        nonlocal last
        second = epoch_ms // 1000
        known, text = last
        if known != second:
            text = write(second * 1000)
            last = (second, text)
        return text

    return kept


def _fractional_seconds(time_ns: int) -> str:
    ms = time_ns // 1_000_000
    return f"{ms // 1000}.{ms % 1000:03d}"


def _whole_seconds(time_ns: int) -> str:
    return str(time_ns // 1_000_000_000)


_STYLES: dict[str, Callable[[int], str]] = {
    "ns": str,
    "us": lambda time_ns: str(time_ns // 1_000),
    "ms": lambda time_ns: str(time_ns // 1_000_000),
    "fracsec": _fractional_seconds,
}


def elapsed_element(style: str) -> Element:
    """The duration of the request, in ``ns``, ``us``, ``ms``, ``fracsec``, or whole seconds for any other word."""
    write = _STYLES.get(style, _whole_seconds)
    return lambda _request, _response, time_ns: write(time_ns)
