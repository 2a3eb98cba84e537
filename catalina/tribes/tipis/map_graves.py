"""What was removed from a map lately: a message that was on its way meanwhile must not bring it back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp

__all__ = ["MAX_GRAVES", "Graves", "final_end", "holds_against"]

#: How many removed keys are remembered at most, and how long: a partition of a day heals without bringing one back.
MAX_GRAVES = 100_000
SECONDS = 86_400.0


class _Grave(NamedTuple):
    end: Stamp
    since: float
    is_ours: bool


def final_end(birth: bytes) -> Stamp:
    """The end of an entry of that birth, which no claim and no change that crosses it brings back."""
    return Stamp(birth, birth)


def holds_against(end: Stamp, stamp: Stamp) -> bool:
    """True when an entry with these versions is the one that has ended, and stays so.

    An end with a content is one for idleness: it names the last claim and content that were known where it was decided,
    and gives way to later ones.
    """
    if not end.birth or not stamp.birth or stamp.birth != end.birth:
        return bool(stamp.birth) and stamp.birth < end.birth
    return not end.content or (stamp.claim, stamp.content) <= (end.claim, end.content)


class Graves:
    """Removed keys with the ends of the entries that were removed; not thread-safe, the map's lock guards it."""

    def __init__(self) -> None:
        self._graves: dict[Hashable, _Grave] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._graves

    def __len__(self) -> int:
        return len(self._graves)

    def dig(self, key: Hashable, end: Stamp, now: float, is_ours: bool = False) -> None:
        """An entry was removed, ``is_ours``: here; the oldest ones are forgotten when there are too many."""
        known = self._graves.pop(key, None)
        if known is not None:
            end, is_ours = _later(end, known.end), is_ours or known.is_ours
        self._graves[key] = _Grave(end, now, is_ours)
        if len(self._graves) > MAX_GRAVES:
            del self._graves[next(iter(self._graves))]

    def end(self, key: Hashable) -> Stamp:
        """The end of the entry that was removed; without a birth when none was."""
        grave = self._graves.get(key)
        return NO_STAMP if grave is None else grave.end

    def ours(self) -> list[tuple[Hashable, Stamp]]:
        """The keys that were removed here, with their ends."""
        return [(key, grave.end) for key, grave in self._graves.items() if grave.is_ours]

    def fill(self, key: Hashable) -> None:
        """The key is put anew, or lives on after all."""
        self._graves.pop(key, None)

    def forget(self, now: float) -> None:
        """Forget what was removed long ago."""
        while self._graves:
            key, grave = next(iter(self._graves.items()))
            if grave.since >= now - SECONDS:
                return
            del self._graves[key]


def _later(one: Stamp, other: Stamp) -> Stamp:
    """The one of the later birth of two ends of a key; of one birth a final one, else the one that knew more."""
    if one.birth != other.birth:
        return max(one, other, key=lambda end: end.birth)
    if not one.content or not other.content:
        return final_end(one.birth)
    return max(one, other)
