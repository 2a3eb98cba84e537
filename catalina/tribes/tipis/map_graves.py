"""What was removed from a map lately: a message that was on its way meanwhile must not bring it back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

__all__ = ["MAX_GRAVES", "Graves"]

#: How many removed keys are remembered at most, and how long.
MAX_GRAVES = 20_000
SECONDS = 300.0


class _Grave(NamedTuple):
    birth: bytes
    since: float
    is_ours: bool


class Graves:
    """Removed keys with the birth of the entry that was removed; not thread-safe, the map's lock guards it."""

    def __init__(self) -> None:
        self._graves: dict[Hashable, _Grave] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._graves

    def __len__(self) -> int:
        return len(self._graves)

    def dig(self, key: Hashable, birth: bytes, now: float, is_ours: bool = False) -> None:
        """An entry was removed, ``is_ours``: here; the oldest ones are forgotten when there are too many."""
        known = self._graves.pop(key, None)
        if known is not None:
            birth, is_ours = max(birth, known.birth), is_ours or known.is_ours
        self._graves[key] = _Grave(birth, now, is_ours)
        if len(self._graves) > MAX_GRAVES:
            del self._graves[next(iter(self._graves))]

    def birth(self, key: Hashable) -> bytes:
        """The birth of the entry that was removed; empty when none was."""
        grave = self._graves.get(key)
        return b"" if grave is None else grave.birth

    def ours(self) -> list[tuple[Hashable, bytes]]:
        """What was removed here, and the births."""
        return [(key, grave.birth) for key, grave in self._graves.items() if grave.is_ours]

    def fill(self, key: Hashable) -> None:
        """The key is put anew."""
        self._graves.pop(key, None)

    def forget(self, now: float) -> None:
        """Forget what was removed long ago."""
        old = [key for key, grave in self._graves.items() if grave.since < now - SECONDS]
        for key in old:
            del self._graves[key]
