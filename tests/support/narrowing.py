"""Narrows the declared type of a value to that which a test knows."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["of_type", "there"]

T = TypeVar("T")


def there(value: T | None) -> T:
    """The value, which is not None."""
    assert value is not None
    return value


def of_type(kind: type[T], value: object) -> T:
    """The value, which is one of that class."""
    assert isinstance(value, kind), f"expected {kind.__name__}, got {value!r}"
    return value
