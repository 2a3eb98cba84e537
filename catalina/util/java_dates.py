"""Writes times as java.util.Date does: ``Mon Nov 30 02:01:15 UTC 2026``."""

from __future__ import annotations

import time

__all__ = ["java_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def java_date(ms: int) -> str:
    """``Date.toString`` of a time in ms since 1970, in the process's time zone, whatever the locale."""
    t = time.localtime(ms / 1000)
    return (
        f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {t.tm_mday:02} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} "
        f"{t.tm_zone} {t.tm_year}"
    )
