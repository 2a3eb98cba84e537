"""Remembers recently removed entries, so that a message that was on its way meanwhile does not bring one back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp

__all__ = ["MAX_GRAVES", "Grave", "Graves", "final_end", "holds_against"]

#: The largest number of removed keys that are remembered, and the time: a partition of a day brings none back.
MAX_GRAVES = 100_000
SECONDS = 86_400.0


class Grave(NamedTuple):
    """A removed entry.

    Args:
        end: the versions of its end; without a birth when none is known.
        since: monotonic seconds at which this node learned of the removal.
        is_ours: this node removed it.
        key: the key that Java knew.
        names: the block of its names for a message.
    """

    end: Stamp
    since: float = 0.0
    is_ours: bool = False
    key: Hashable = None
    names: bytes = b""


_NONE = Grave(NO_STAMP)


def final_end(birth: bytes) -> Stamp:
    """The end of an entry with that birth; no claim, and no change that crosses the end, brings the entry back."""
    return Stamp(birth, birth)


def holds_against(end: Stamp, stamp: Stamp) -> bool:
    """True when an entry with these versions is the one that has ended, and stays ended.

    An end with a content is an end for idleness: it names the last claim and content that the deciding node knew, and
    gives way to later ones.
    """
    if not end.birth or not stamp.birth or stamp.birth != end.birth:
        return bool(stamp.birth) and stamp.birth < end.birth
    return not end.content or (stamp.claim, stamp.content) <= (end.claim, end.content)


class Graves:
    """Removed keys, with the ends of their entries; not thread-safe, the map's lock guards it."""

    def __init__(self) -> None:
        self._graves: dict[Hashable, Grave] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._graves

    def __len__(self) -> int:
        return len(self._graves)

    def dig(self, id: Hashable, grave: Grave) -> None:
        """An entry was removed; when there are too many graves, the oldest is forgotten."""
        known = self._graves.pop(id, None)
        if known is not None:
            grave = grave._replace(end=_later(grave.end, known.end), is_ours=grave.is_ours or known.is_ours)
        self._graves[id] = grave
        if len(self._graves) > MAX_GRAVES:
            del self._graves[next(iter(self._graves))]

    def get(self, id: Hashable) -> Grave:
        """The grave of an entry. For an entry that was not removed, the grave's end has no birth."""
        return self._graves.get(id, _NONE)

    def ours(self) -> list[Grave]:
        """The graves of entries that this node removed."""
        return [grave for grave in self._graves.values() if grave.is_ours]

    def fill(self, key: Hashable) -> None:
        """Forget a grave: the key is put anew, or its entry lives on after all."""
        self._graves.pop(key, None)

    def forget(self, now: float) -> None:
        """Forget removals that are too old."""
        while self._graves:
            key, grave = next(iter(self._graves.items()))
            if grave.since >= now - SECONDS:
                return
            del self._graves[key]


def _later(one: Stamp, other: Stamp) -> Stamp:
    """The later of two ends of a key: the one with the later birth; of one birth the final end, else the one that knew
    more.
    """
    if one.birth != other.birth:
        return max(one, other, key=lambda end: end.birth)
    if not one.content or not other.content:
        return final_end(one.birth)
    return max(one, other)
