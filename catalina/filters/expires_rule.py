"""Rules of ExpiresFilter: ``access plus 1 month 15 days 2 hours``, ``modification plus 5 hours``, ``A3600``.

The syntax is Apache's mod_expires (Tomcat: ExpiresFilter.parseExpiresConfiguration).
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["ExpiresRule", "parse_rule"]

_SECONDS = {"week": 604800, "day": 86400, "hour": 3600, "minute": 60, "second": 1}
_MONTHS = {"year": 12, "month": 1}
#: Years that a date can still have; a longer rule ends there.
MAX_YEAR = 9999


@dataclass(frozen=True, slots=True)
class ExpiresRule:
    """From now on, or from when the file was changed: so many months and seconds."""

    from_modification: bool
    months: int = 0
    seconds: int = 0

    def expires(self, now: datetime, modified: datetime | None) -> datetime:
        """When a response made now, of something changed then, expires."""
        start = modified if self.from_modification and modified is not None else now
        years, month = divmod(start.month - 1 + self.months, 12)
        year = start.year + years
        if not 1 <= year <= MAX_YEAR:
            year, month = (MAX_YEAR, 11) if year > MAX_YEAR else (1, 0)
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        moved = start.replace(year=year, month=month + 1, day=day)
        try:
            return moved + timedelta(seconds=self.seconds)
        except OverflowError:
            return moved


def parse_rule(text: str) -> ExpiresRule:
    """Read a rule.

    Raises:
        ValueError: it is none; says at which word.
    """
    words = text.split()
    if len(words) == 1 and words[0][:1].lower() in ("a", "m") and words[0][1:].lstrip("-").isdecimal():
        return ExpiresRule(words[0][0].lower() == "m", seconds=int(words[0][1:]))
    if not words or words[0].lower() not in ("access", "now", "modification"):
        raise ValueError(f"expected access, now or modification at the start of {text!r}")
    durations = words[2:] if words[1:2] and words[1].lower() == "plus" else words[1:]
    if not durations or len(durations) % 2:
        raise ValueError(f"expected pairs of number and unit in {text!r}")
    months = seconds = 0
    for amount, unit in zip(durations[::2], durations[1::2], strict=True):
        if not amount.lstrip("+-").isdecimal() or len(amount) > 10:
            raise ValueError(f"expected a number, got {amount!r} in {text!r}")
        singular = unit.lower().removesuffix("s")
        if singular in _MONTHS:
            months += int(amount) * _MONTHS[singular]
        elif singular in _SECONDS:
            seconds += int(amount) * _SECONDS[singular]
        else:
            raise ValueError(f"expected years, months, weeks, days, hours, minutes, seconds, got {unit!r} in {text!r}")
    return ExpiresRule(words[0].lower() == "modification", months, seconds)
