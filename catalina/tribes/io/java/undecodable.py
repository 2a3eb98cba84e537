"""A part of a value that this node has no Python value for; internal to decoding."""

from __future__ import annotations

__all__ = ["UndecodableError"]


class UndecodableError(Exception):
    """It stays opaque: kept and passed on as the bytes that came.

    Args:
        why: completes ``values of this class are kept undecoded: ...``.
        class_name: the Python class, when it is known.
    """

    def __init__(self, why: str, class_name: str = "") -> None:
        super().__init__(why)
        self.class_name = class_name
