"""Dates in the patterns of java.text.SimpleDateFormat, as operators write them: ``.yyyy-MM-dd``, ``HH:mm:ss Z``.

A pattern is compiled once into a function from epoch milliseconds to text. Names of months and days are English (Java's
Locale.US) unless another locale is given; the zone is the machine's unless one is given. Names in other languages, and
the long names of zones (``zzzz``), are CLDR's, as in Java, and come from the package ``babel``.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

__all__ = ["CLF", "DateNames", "date_formatter", "date_names", "split_pattern"]

#: The date of the Common Log Format, without the brackets.
CLF = "dd/MMM/yyyy:HH:mm:ss Z"


@dataclass(frozen=True, slots=True)
class DateNames:
    """The words of one language; weeks begin on Monday."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    #: Names that stand alone, without a day beside them.
    alone: tuple[str, ...]
    short_alone: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    locale: str = "en_US"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_MONTHS = tuple(name[:3] for name in _MONTHS)
_ENGLISH = DateNames(
    _MONTHS, _SHORT_MONTHS, _MONTHS, _SHORT_MONTHS, _DAYS, tuple(name[:3] for name in _DAYS), ("AM", "PM")
)
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")

Field = Callable[[datetime], str]


def split_pattern(text: str) -> list[tuple[str, int]]:
    """Split a pattern into (letter, count) for fields and (literal text, 0) for the rest.

    Raises:
        ValueError: a quote is not closed.
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


def date_names(locale: str) -> DateNames:
    """The words of a locale such as ``fr`` or ``de_DE``; empty and English ones need no package.

    Raises:
        ImportError: ``babel`` is not installed.
        ValueError: there is no such locale.
    """
    if not locale or locale.lower().startswith("en"):
        return _ENGLISH
    from babel import Locale, UnknownLocaleError

    try:
        found = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"unknown locale {locale!r}: {error}") from None
    months, alone, days = found.months["format"], found.months["stand-alone"], found.days["format"]
    halves = found.day_periods["format"]["abbreviated"]
    year, week = range(1, 13), range(7)
    return DateNames(
        months=tuple(months["wide"][number] for number in year),
        short_months=tuple(months["abbreviated"][number] for number in year),
        alone=tuple(alone["wide"][number] for number in year),
        short_alone=tuple(alone["abbreviated"][number] for number in year),
        days=tuple(days["wide"][number] for number in week),
        short_days=tuple(days["abbreviated"][number] for number in week),
        halves=(halves.get("am", "AM"), halves.get("pm", "PM")),
        locale=str(found),
    )


def date_formatter(pattern: str, zone: tzinfo | None = None, names: DateNames = _ENGLISH) -> Callable[[int], str]:
    """The function from epoch milliseconds to text.

    Args:
        zone: None is the zone of the machine, with daylight saving time.
        names: words for months, days and halves of the day, from :func:`date_names`.

    Raises:
        ValueError: the pattern has a letter that SimpleDateFormat does not know either, or an open quote.
    """
    parts = split_pattern(pattern)
    letters = [letter for letter, count in parts if count]
    if letters == ["M"]:  # Java uses the form that stands alone when the pattern is only a month
        parts = [("L" if count else text, count) for text, count in parts]
    fields = [_field(text, count, pattern, names, zone) if count else _literal(text) for text, count in parts]

    def format_date(epoch_ms: int) -> str:
        # Seconds and milliseconds are kept apart, because a float would lose the last millisecond.
        when = datetime.fromtimestamp(epoch_ms // 1000, zone).replace(microsecond=epoch_ms % 1000 * 1000)
        moment = when.astimezone() if zone is None else when
        return "".join([field(moment) for field in fields])

    return format_date


def _literal(text: str) -> Field:
    return lambda _when: text


def _number(value: Callable[[datetime], int], width: int) -> Field:
    return lambda when: f"{value(when):0{width}d}"


def _field(letter: str, count: int, pattern: str, names: DateNames, zone: tzinfo | None) -> Field:
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
            long, short = (names.months, names.short_months) if letter == "M" else (names.alone, names.short_alone)
            months = long if count > 3 else short
            return lambda when: months[when.month - 1]
        case "E":
            days = names.days if count > 3 else names.short_days
            return lambda when: days[when.weekday()]
        case "a":
            return lambda when: names.halves[when.hour >= 12]
        case "G":
            return lambda _when: "AD"
        case "z" if count > 3:
            return _long_zone(zone, names)
        case "z":
            return lambda when: when.tzname() or ""
        case "Z":
            return lambda when: _offset(when, "")
        case "X" if count <= 3:
            return _iso_offset(count)
        case "X":
            raise ValueError(f"expected X, XX or XXX, found {letter * count!r} in the date pattern {pattern!r}")
    raise ValueError(f"unknown letter {letter!r} in the date pattern {pattern!r}")


def _long_zone(zone: tzinfo | None, names: DateNames) -> Field:
    """``Central European Time``; the short name where ``babel`` is not installed."""
    try:
        from babel.dates import LOCALTZ, get_timezone_name
    except ImportError:
        return lambda when: when.tzname() or ""
    known = LOCALTZ if zone is None else zone
    return lambda when: get_timezone_name(when.astimezone(known), "long", locale=names.locale)


def _week_year(when: datetime) -> int:
    """The week year of Locale.US, whose weeks start on Sunday and whose first week holds 1 January."""
    return when.year + (_saturday(when) > _days_of_year(when.year))


def _week_of_year(when: datetime) -> int:
    saturday, days = _saturday(when), _days_of_year(when.year)
    return 1 if saturday > days else (saturday + 6) // 7


def _saturday(when: datetime) -> int:
    """The end of the week as a day of the year; a week of the next year ends behind the year's last day."""
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
