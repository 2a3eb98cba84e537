"""Internal to decoding: a part of a value has no Python counterpart on this node."""

from __future__ import annotations

__all__ = ["UndecodableError"]


class UndecodableError(Exception):
    """The part stays opaque: its bytes are kept and passed on as they came.

    Args:
        why: completes ``values of this class are kept undecoded: ...``.
        class_name: the Python class, when it is known.
    """

    def __init__(self, why: str, class_name: str = "") -> None:
        super().__init__(why)
        self.class_name = class_name
