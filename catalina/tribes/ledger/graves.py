"""Which records have ended, for as long as a node could come that has not heard it.

A member that was out of sight may return hours later with records that have ended meanwhile; it must hear that they
have. The memory is bounded in time and number. Past the number only the latest version that was forgotten is left, the
horizon: a record of which nothing is known here, and that was last changed and used before the horizon, counts as
ended.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalina.tribes.ledger.record import bucket_of
from catalina.tribes.ledger.version import NO_VERSION, Version

__all__ = ["GRAVE_SECONDS", "MAX_GRAVES", "Grave", "Graves"]

#: Seconds for which the end of a record is remembered: a partition of a day heals without bringing one back.
GRAVE_SECONDS = 86_400.0
#: Ends that are remembered, about 300 bytes each.
MAX_GRAVES = 100_000


@dataclass(frozen=True, slots=True)
class Grave:
    """The end of a record.

    Args:
        version: when it ended.
        access: the last use that was known where it ended for having been idle; whoever knows a later use brings it
            back. None: somebody ended it, and nothing brings it back.
        names: all its bare ids, with the versions that replaced them. The node that brings the record back may not
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
        """True when a record that was born and last used then is the one that has ended, and stays so."""
        if born > self.version:
            return False  # made anew, under the same id
        return self.access is None or access <= self.access


class Graves:
    """The ends that are remembered, oldest first."""

    def __init__(self, most: int = MAX_GRAVES, seconds: float = GRAVE_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._graves: OrderedDict[str, Grave] = OrderedDict()
        #: Bucket -> the keys of its graves: a comparison looks at few buckets.
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
        """Remember an end. A final end stays final. Returns it, and the graves that had to go for it."""
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
        """Forget an end: the record lives, after all or again."""
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
        """Drop what nobody can contradict any more; returns what was dropped."""
        gone = []
        while self._graves and (oldest := next(iter(self._graves.values()))).until <= now:
            self._take(oldest.key)
            gone.append(oldest)
        return gone
