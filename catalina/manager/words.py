"""Formats numbers, bytes and times for the manager's pages."""

from __future__ import annotations

__all__ = ["number", "size", "span"]


def number(value: float) -> str:
    """A count, or a rate with one decimal."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def size(value: float) -> str:
    """Bytes in a unit that suits them."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def span(seconds: float) -> str:
    """A time in its two largest units."""
    whole = int(max(0.0, seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
