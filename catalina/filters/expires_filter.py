"""Expires and Cache-Control: max-age by content type (Tomcat: filters/ExpiresFilter.java).

The rules have the syntax of Apache's mod_expires: ``access plus 1 month 15 days 2 hours``, ``modification plus 5
hours``, ``A3600``.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, ClassVar

from catalina.attributes import Attribute, AttributeRefused, comma_list
from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse, header, set_header

__all__ = ["ExpiresFilter", "ExpiresRule", "parse_rule"]

BY_TYPE = "ExpiresByType"
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


def _rule(text: str) -> ExpiresRule:
    try:
        return parse_rule(text)
    except ValueError as error:
        raise AttributeRefused(f"a rule such as 'access plus 1 hour' ({error})") from None


def _tidy(content_type: str) -> str:
    """A content type in the form for comparison: ``Text/XML; charset=UTF-8`` becomes ``text/xml;charset=utf-8``."""
    return re.sub(r"\s*([;=])\s*", r"\1", content_type.strip().lower())


def _statuses(text: str) -> tuple[int, ...]:
    items = comma_list(text)
    if not all(item.isdecimal() for item in items):
        raise AttributeRefused("status codes, separated by commas")
    return tuple(map(int, items))


class ExpiresFilter(FilterBase):
    """Gives a lifetime to responses to GET or HEAD that do not set one.

    ``ExpiresByType text/css`` is for one type, ``ExpiresByType text`` for a kind, ``ExpiresDefault`` for the rest.
    """

    config_problem_fatal: ClassVar[bool] = True

    expires_default: Attribute[ExpiresRule | None] = Attribute(
        _rule, None, xml="ExpiresDefault", doc="Rule for types without one of their own."
    )
    expires_excluded_response_status_codes: Attribute[tuple[int, ...]] = Attribute(
        _statuses, (304,), xml="ExpiresExcludedResponseStatusCodes", doc="Statuses whose responses are left alone."
    )

    #: Seconds since the epoch; tests give another one.
    clock: Callable[[], float] = staticmethod(time.time)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._by_type: dict[str, ExpiresRule] = {}

    def set_attribute(self, name: str, text: str) -> bool:
        """``ExpiresByType <type>`` stands for many attributes of one kind."""
        word, _, content_type = name.partition(" ")
        if word != BY_TYPE or not content_type.strip():
            return super().set_attribute(name, text)
        try:
            self._by_type[_tidy(content_type)] = _rule(text)
        except AttributeRefused as refused:
            self._refused.append(f"{name}={text!r}, expected {refused.expected}")
            raise
        return True

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.next(environ, start_response)

        def change(status: int, headers: Headers) -> None:
            self._add(environ, status, headers)

        return self.pass_on(environ, start_response, change)

    def _add(self, environ: Environ, status: int, headers: Headers) -> None:
        control = header(headers, "Cache-Control") or ""
        if status in self.expires_excluded_response_status_codes or header(headers, "Expires") is not None:
            return
        if "max-age" in control or "no-store" in control:
            return
        content_type = header(headers, "Content-Type")
        if content_type is None and status == 304:
            content_type = self.context.mime_type(self.path_of(environ))
        if content_type is None and status >= 400:
            return  # the container's own error page is not worth keeping
        rule = self._rule_for(_tidy(content_type or ""))
        if rule is None:
            return
        now = datetime.fromtimestamp(int(self.clock()), UTC)
        expires = rule.expires(now, _date(header(headers, "Last-Modified")))
        max_age = f"max-age={int((expires - now).total_seconds())}"
        set_header(headers, "Cache-Control", f"{control}, {max_age}" if control else max_age)
        set_header(headers, "Expires", format_datetime(expires, usegmt=True))

    def _rule_for(self, content_type: str) -> ExpiresRule | None:
        """The rule for the type with its parameters, without them, for its kind, or the default."""
        names = (content_type, content_type.partition(";")[0].strip(), content_type.partition("/")[0])
        return next((self._by_type[name] for name in names if name in self._by_type), self.expires_default)


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None  # a mistake of the application, which is ignored
    return None if found is None else found.astimezone(UTC)
