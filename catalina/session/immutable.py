"""Which values of an application cannot change behind the container's back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from uuid import UUID

__all__ = ["IMMUTABLE"]

#: Types, not their subclasses, whose values cannot change inside and want to hear of no session events.
IMMUTABLE: frozenset[type] = frozenset(
    {str, int, float, bool, NoneType, bytes, complex, Decimal, UUID, datetime, date, time, timedelta}
)
