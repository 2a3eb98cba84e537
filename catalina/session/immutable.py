"""Lists the types whose values cannot change without the container's knowledge."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from uuid import UUID

__all__ = ["IMMUTABLE"]

#: Types (not their subclasses) whose values cannot change inside, and which have no methods for session events.
IMMUTABLE: frozenset[type] = frozenset(
    {str, int, float, bool, NoneType, bytes, complex, Decimal, UUID, datetime, date, time, timedelta}
)
