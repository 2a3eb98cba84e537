"""Remembers the records that have ended, as long as a node might turn up that has not heard of the end.

A member that was out of sight may return hours later with records that have ended meanwhile; it must be told of their
ends. The memory is bounded in time and number. When the number is exceeded, the oldest ends are forgotten, and only the
latest version among them is kept: the horizon. A record that is unknown here, and that was last changed and used before
the horizon, counts as ended.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalina.tribes.ledger.record import bucket_of
from catalina.tribes.ledger.version import NO_VERSION, Version

__all__ = ["GRAVE_SECONDS", "MAX_GRAVES", "Grave", "Graves"]

#: Seconds for which the end of a record is remembered. A partition that lasts a day therefore heals without bringing an
#: ended record back.
GRAVE_SECONDS = 86_400.0
#: Ends that are remembered, about 300 bytes each.
MAX_GRAVES = 100_000


@dataclass(frozen=True, slots=True)
class Grave:
    """The end of a record.

    Args:
        version: when the record ended.
        access: for an end for idleness, the last use that the ending node knew of; a node that knows of a later use
            brings the record back. None: the record was ended on purpose, and nothing brings it back.
        names: all its bare ids, with the versions that replaced them. A node that brings the record back may not
            have heard of a new name, and the replaced one must lead nowhere.
        until: monotonic seconds up to which the end is remembered.
    """

    key: str
    version: Version
    access: Version | None
    names: Mapping[str, Version]
    until: float = 0.0

    @property
    def is_final(self) -> bool:
        """True when nothing that happened before can bring the record back."""
        return self.access is None

    def holds_against(self, born: Version, access: Version) -> bool:
        """True when a record that was born and last used at these versions is the one that has ended, and stays
        ended.
        """
        if born > self.version:
            return False  # a new record under the same id
        return self.access is None or access <= self.access


class Graves:
    """The ends that are remembered, oldest first."""

    def __init__(self, most: int = MAX_GRAVES, seconds: float = GRAVE_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._graves: OrderedDict[str, Grave] = OrderedDict()
        #: Bucket -> the keys of its graves. A comparison looks at a few buckets only.
        self._buckets: dict[int, dict[str, None]] = {}
        self.horizon: Version = NO_VERSION

    def __len__(self) -> int:
        return len(self._graves)

    def get(self, key: str) -> Grave | None:
        """The end of a record, None when it is not known to have ended."""
        return self._graves.get(key)

    def __iter__(self) -> Iterator[Grave]:
        return iter(self._graves.values())

    def in_bucket(self, bucket: int) -> list[Grave]:
        """The ends of the records of a bucket."""
        return [self._graves[key] for key in self._buckets.get(bucket, ())]

    def dig(
        self, key: str, version: Version, access: Version | None, names: Mapping[str, Version], now: float
    ) -> tuple[Grave, list[Grave]]:
        """Remember an end. A final end stays final. Returns the grave, and the graves that were dropped to make
        room.
        """
        merged = {key: NO_VERSION}
        known = self._take(key)
        for name, replaced in (*names.items(), *(known.names.items() if known is not None else ())):
            merged[name] = max(merged.get(name, NO_VERSION), replaced)
        if known is not None:
            version = max(version, known.version)
            if known.access is None or access is None:
                access = None
            else:
                access = max(access, known.access)
        grave = Grave(key, version, access, merged, now + self._seconds)
        self._graves[key] = grave
        self._buckets.setdefault(bucket_of(key), {})[key] = None
        gone = []
        while len(self._graves) > self._most:
            oldest = next(iter(self._graves.values()))
            self._take(oldest.key)
            self.horizon = max(self.horizon, oldest.version)
            gone.append(oldest)
        return grave, gone

    def open(self, key: str) -> Grave | None:
        """Forget an end, because the record lives: it was used after all, or its id belongs to a new record."""
        return self._take(key)

    def _take(self, key: str) -> Grave | None:
        grave = self._graves.pop(key, None)
        if grave is not None:
            bucket = bucket_of(key)
            keys = self._buckets[bucket]
            del keys[key]
            if not keys:
                del self._buckets[bucket]
        return grave

    def forget(self, now: float) -> list[Grave]:
        """Drop the ends that no node can contradict any more; returns the dropped ones."""
        gone = []
        while self._graves and (oldest := next(iter(self._graves.values()))).until <= now:
            self._take(oldest.key)
            gone.append(oldest)
        return gone
