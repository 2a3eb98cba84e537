"""Finds the records in which two nodes differ, at a cost that grows with the difference, not with the number of
records.

Each bucket has a sum over the digests of its records. One exchange, begun by either node::

    A -> B   TopSums      64 sums, each of 64 buckets
    B -> A   GroupSums    B's 64 bucket sums of each group that differs
    A -> B   Listing      A's records in the buckets that differ: hash of the key, digest, clock of the latest change;
                          several such messages where there are many, each a step that takes no longer than a request
    B -> A                the records of those that A lacks or has older, the ends of those that have ended here,
             Wanted       and which ones B lacks or has older, or that have changed on both sides
    A -> B                those records, or their ends
    both     Settled      all of it has been sent

Nothing is remembered between the messages: a lost message ends the exchange, and the next exchange begins anew. A
record that is merged twice changes nothing. A node that starts also gets all remembered ends. A node without records
gets all records after its first message, because there is nothing to compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from catalina.tribes.ledger.commands import Peer
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.record import BUCKETS, Record
from catalina.tribes.ledger.version import clock_of

__all__ = ["GROUPS", "GroupSums", "Listed", "Listing", "Message", "Reconciler", "Reply", "Settled", "TopSums", "Wanted"]

GROUPS = 64
GROUP_SIZE = BUCKETS // GROUPS
#: A listing ends after this many records, and another one begins: looking at so many takes about two milliseconds.
MAX_LISTED = 500


@dataclass(frozen=True, slots=True)
class TopSums:
    """The sums of all groups, in their order.

    Args:
        is_starting: the sender has just started, and must also learn which records have ended.
    """

    sums: tuple[int, ...]
    is_starting: bool = False

    @property
    def is_empty(self) -> bool:
        """True when the sender has no records."""
        return not any(self.sums)


@dataclass(frozen=True, slots=True)
class GroupSums:
    """The sums of the buckets of some groups: group -> its sums, in their order."""

    groups: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Listed:
    """One record of a listing: hash of the key, digest, clock of the latest change in microseconds."""

    key_hash: int
    digest: int
    clock: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The records of some buckets: bucket -> its records.

    Args:
        is_last: no other listing of this exchange follows.
    """

    buckets: Mapping[int, tuple[Listed, ...]]
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """The records that the peer shall send: bucket -> hashes of their keys."""

    buckets: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Settled:
    """The sender has sent everything that this exchange asks of it.

    Args:
        is_equal: nothing differed.
    """

    is_equal: bool = False


Message = TopSums | GroupSums | Listing | Wanted | Settled


@dataclass(slots=True)
class Reply:
    """Everything that the carrier shall send to the peer: the records, then the ends, then the messages.

    Args:
        records: an iterator, because there may be many; each step reads the ledger once.
        messages: the same.
        is_long: the messages are too many to be made at once.
    """

    records: Iterable[Record] = ()
    ended: list[Grave] = field(default_factory=list)
    messages: Iterable[Message] = ()
    is_long: bool = False


def key_hash(key: str) -> int:
    """64 bits for a key in a listing."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Reconciler:
    """Compares the records of a ledger with those of other nodes.

    Args:
        ledger: its owner calls this, too.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sums = [0] * BUCKETS

    def refresh(self, most: int | None = None) -> bool:
        """Compute the sums of buckets that have changed.

        Args:
            most: stop before the next bucket after this many records; None: all buckets.

        Returns:
            True when all sums are up to date.
        """
        changed = self._ledger.changed_buckets
        looked = 0
        while changed and (most is None or looked < most):
            bucket = changed.pop()
            total = 0
            records = self._ledger.in_bucket(bucket)
            for record in records:
                total ^= record.digest()
            self._sums[bucket] = total
            looked += max(1, len(records))
        return not changed

    def begin(self, is_starting: bool = False) -> TopSums:
        """The first message of an exchange."""
        self.refresh()
        return TopSums(tuple(map(self._group_sum, range(GROUPS))), is_starting)

    def heard(self, peer: Peer, message: Message) -> Reply:
        """Answer a message of an exchange. ``Settled`` is for the carrier and has no reply."""
        match message:
            case TopSums():
                return self._heard_top(message)
            case GroupSums():
                return self._heard_groups(message)
            case Listing():
                return self._heard_listing(message)
            case Wanted():
                return self._heard_wanted(message)
            case _:
                return Reply()

    def _buckets_of(self, group: int) -> range:
        return range(group * GROUP_SIZE, (group + 1) * GROUP_SIZE)

    def _group_sum(self, group: int) -> int:
        total = 0
        for bucket in self._buckets_of(group):
            total = (total * 31 + self._sums[bucket]) & (2**64 - 1)
        return total

    def _group(self, group: int) -> tuple[int, ...]:
        return tuple(self._sums[bucket] for bucket in self._buckets_of(group))

    def _heard_top(self, message: TopSums) -> Reply:
        ended = list(self._ledger.graves) if message.is_starting else []
        if message.is_starting and message.is_empty:
            return Reply(iter(self._ledger), ended, [Settled()])
        self.refresh()
        differing = {
            group: self._group(group)
            for group, theirs in enumerate(message.sums[:GROUPS])
            if theirs != self._group_sum(group)
        }
        return Reply((), ended, [GroupSums(differing) if differing else Settled(is_equal=True)])

    def _heard_groups(self, message: GroupSums) -> Reply:
        self.refresh()
        buckets = [
            bucket
            for group, sums in message.groups.items()
            if 0 <= group < GROUPS
            for bucket, theirs in zip(self._buckets_of(group), sums, strict=False)
            if theirs != self._sums[bucket]
        ]
        if not buckets:
            return Reply(messages=[Settled(is_equal=True)])
        is_long = sum(len(self._ledger.in_bucket(bucket)) for bucket in buckets) > MAX_LISTED
        return Reply(messages=self._listings(buckets), is_long=is_long)

    def _listings(self, buckets: Sequence[int]) -> Iterator[Listing]:
        part: dict[int, tuple[Listed, ...]] = {}
        listed = 0
        for bucket in buckets:
            if listed > MAX_LISTED:
                yield Listing(part, is_last=False)
                part, listed = {}, 0
            part[bucket] = tuple(map(self._listed, self._ledger.in_bucket(bucket)))
            listed += len(part[bucket])
        yield Listing(part)

    @staticmethod
    def _listed(record: Record) -> Listed:
        return Listed(key_hash(record.key), record.digest(), clock_of(record.latest))

    def _heard_listing(self, message: Listing) -> Reply:
        graves = self._graves_in(message.buckets)
        ended: list[Grave] = []
        wanted: dict[int, tuple[int, ...]] = {}
        for bucket, listed in message.buckets.items():
            ours = {key_hash(record.key): record for record in self._in_bucket(bucket)}
            lacking = []
            for theirs in listed:
                record = ours.get(theirs.key_hash)
                grave = graves.get(theirs.key_hash)
                if record is None and grave is not None:
                    ended.append(grave)
                elif record is None or (record.digest() != theirs.digest and theirs.clock >= clock_of(record.latest)):
                    lacking.append(theirs.key_hash)
            if lacking:
                wanted[bucket] = tuple(lacking)
        messages: list[Message] = [Wanted(wanted)] if wanted else []
        if message.is_last:
            messages.append(Settled())
        return Reply(self._newer_than(message), ended, messages)

    def _graves_in(self, buckets: Iterable[int]) -> dict[int, Grave]:
        """The ends of records of some buckets, by the hash of the key."""
        in_bucket = self._ledger.graves.in_bucket
        return {key_hash(grave.key): grave for bucket in buckets for grave in in_bucket(bucket)}

    def _newer_than(self, message: Listing) -> Iterator[Record]:
        """The records that the peer lacks or has in an older form."""
        for bucket, listed in message.buckets.items():
            theirs = {each.key_hash: each for each in listed}
            for record in self._in_bucket(bucket):
                known = theirs.get(key_hash(record.key))
                if known is None or (known.digest != record.digest() and known.clock <= clock_of(record.latest)):
                    yield record

    def _heard_wanted(self, message: Wanted) -> Reply:
        graves = self._graves_in(message.buckets)
        ended = [graves[each] for bucket, hashes in message.buckets.items() for each in hashes if each in graves]
        return Reply(self._wanted(message), ended, [Settled()])

    def _wanted(self, message: Wanted) -> Iterator[Record]:
        for bucket, hashes in message.buckets.items():
            asked = set(hashes)
            for record in self._in_bucket(bucket):
                if key_hash(record.key) in asked:
                    yield record

    def _in_bucket(self, bucket: int) -> list[Record]:
        return self._ledger.in_bucket(bucket) if 0 <= bucket < BUCKETS else []
