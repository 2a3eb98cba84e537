"""Dates in the patterns of java.text.SimpleDateFormat, as operators write them: ``.yyyy-MM-dd``, ``HH:mm:ss Z``.

A pattern is compiled once into a function from epoch milliseconds to text. Names of months and days are English
(Java's Locale.US), the zone is the machine's unless one is given.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

__all__ = ["CLF", "date_formatter", "split_pattern"]

#: The date of the Common Log Format, without the brackets.
CLF = "dd/MMM/yyyy:HH:mm:ss Z"

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")

Field = Callable[[datetime], str]


def split_pattern(text: str) -> list[tuple[str, int]]:
    """Pattern -> (letter, count) for fields and (literal text, 0) for the rest.

    Raises:
        ValueError: a quote that is not closed.
    """
    parts: list[tuple[str, int]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"unterminated quote in the date pattern {text!r}")
        if found.group(2):
            parts.append((found.group(2), len(found.group())))
        elif found.group(1) is not None:
            parts.append((found.group(1).replace("''", "'") or "'", 0))
        else:
            parts.append((found.group(), 0))
        at = found.end()
    return parts


def date_formatter(pattern: str, zone: tzinfo | None = None) -> Callable[[int], str]:
    """The function from epoch milliseconds to text.

    Args:
        zone: None is the zone of the machine, daylight saving included.

    Raises:
        ValueError: a letter that SimpleDateFormat does not know either, or an open quote.
    """
    fields = [_literal(text) if not count else _field(text, count, pattern) for text, count in split_pattern(pattern)]

    def format_date(epoch_ms: int) -> str:
        # Seconds and milliseconds apart: a float loses the last millisecond.
        when = datetime.fromtimestamp(epoch_ms // 1000, zone).replace(microsecond=epoch_ms % 1000 * 1000)
        moment = when.astimezone() if zone is None else when
        return "".join([field(moment) for field in fields])

    return format_date


def _literal(text: str) -> Field:
    return lambda _when: text


def _number(value: Callable[[datetime], int], width: int) -> Field:
    return lambda when: f"{value(when):0{width}d}"


def _field(letter: str, count: int, pattern: str) -> Field:
    number = _NUMBERS.get(letter)
    if number is not None:
        return _number(number, count)
    match letter:
        case "y" | "Y":
            year = _NUMBERS_OF_YEAR[letter]
            return (lambda when: f"{year(when) % 100:02d}") if count == 2 else _number(year, count)
        case "M" | "L":
            if count <= 2:
                return _number(lambda when: when.month, count)
            return (lambda when: _MONTHS[when.month - 1]) if count > 3 else (lambda when: _MONTHS[when.month - 1][:3])
        case "E":
            return (lambda when: _DAYS[when.weekday()]) if count > 3 else (lambda when: _DAYS[when.weekday()][:3])
        case "a":
            return lambda when: "AM" if when.hour < 12 else "PM"
        case "G":
            return lambda _when: "AD"
        case "z":
            return lambda when: when.tzname() or ""
        case "Z":
            return lambda when: _offset(when, "")
        case "X" if count <= 3:
            return _iso_offset(count)
        case "X":
            raise ValueError(f"expected X, XX or XXX, found {letter * count!r} in the date pattern {pattern!r}")
    raise ValueError(f"unknown letter {letter!r} in the date pattern {pattern!r}")


def _week_year(when: datetime) -> int:
    """The week year of Locale.US, whose weeks start on Sunday and whose first week holds 1 January."""
    return when.year + (_saturday(when) > _days_of_year(when.year))


def _week_of_year(when: datetime) -> int:
    saturday, days = _saturday(when), _days_of_year(when.year)
    return 1 if saturday > days else (saturday + 6) // 7


def _saturday(when: datetime) -> int:
    """The end of the week as a day of the year; behind the year's last day in a week of the next year."""
    return when.timetuple().tm_yday + 6 - (when.weekday() + 1) % 7


def _days_of_year(year: int) -> int:
    return 366 if calendar.isleap(year) else 365


def _week_of_month(when: datetime) -> int:
    first_weekday = (when.replace(day=1).weekday() + 1) % 7
    return (when.day + first_weekday - 1) // 7 + 1


_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "d": lambda when: when.day,
    "H": lambda when: when.hour,
    "k": lambda when: when.hour or 24,
    "K": lambda when: when.hour % 12,
    "h": lambda when: when.hour % 12 or 12,
    "m": lambda when: when.minute,
    "s": lambda when: when.second,
    "S": lambda when: when.microsecond // 1000,
    "D": lambda when: when.timetuple().tm_yday,
    "F": lambda when: (when.day - 1) // 7 + 1,
    "u": lambda when: when.isoweekday(),
    "w": _week_of_year,
    "W": _week_of_month,
}
_NUMBERS_OF_YEAR: dict[str, Callable[[datetime], int]] = {"y": lambda when: when.year, "Y": _week_year}


def _offset(when: datetime, colon: str) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


def _iso_offset(count: int) -> Field:
    def write(when: datetime) -> str:
        if not when.utcoffset():
            return "Z"
        return _offset(when, "")[:3] if count == 1 else _offset(when, ":" if count == 3 else "")

    return write
