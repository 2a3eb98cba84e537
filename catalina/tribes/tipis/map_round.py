"""Collects the changes of one round of the event loop, so that changes for the same holders leave together.

A request's change is a small message, and most of its cost is the way through the channel. So a round collects the
differences of all its requests, and each holder gets its own in one write, as with DeltaManager. Anything other than an
ordinary difference of an entry that this node owns is sent on its own, immediately.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from catalina.errors import ChannelError
from catalina.tribes.channel import Delivery
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_claims import MapClaims
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_link import Countdown
from catalina.tribes.tipis.map_message import MapMessage, encode_key
from catalina.tribes.tipis.map_stamp import NO_VERSION, new_stamp, stamp_key

__all__ = ["MapRound"]


class _Batch(NamedTuple):
    """Changes of entries that the same members hold.

    Args:
        told: done when the holders, or other members in their place, have the changes.
    """

    to: tuple[Member, ...]
    told: Delivery
    changes: list[tuple[MapEntry, bytes]]


class _Alike(NamedTuple):
    """Changes that differ in their difference and their keydata only.

    Args:
        message: stands for the rest.
    """

    message: MapMessage
    changes: list[tuple[bytes, bytes]]


class MapRound:
    """One round. :meth:`AbstractReplicatedMap.round` makes it, and one thread uses it."""

    def __init__(self, of: MapClaims) -> None:
        self._claims = of
        self._batches: dict[tuple[Member, ...], _Batch] = {}
        self._last: _Batch | None = None

    def replicate(self, key: Hashable, value: object) -> Delivery | None:
        """See :meth:`MapClaims.replicate`; a difference leaves with :meth:`send`. Several values may share a
        Delivery.
        """
        claims, table, link = self._claims, self._claims.table, self._claims.link
        entry = table.entries.get(table.id_of(key))
        to = () if entry is None else entry.nodes
        if (
            entry is None
            or not to
            or entry.value is not value
            or not entry.is_primary
            or (link.silent and link.are_silent(to))
        ):
            return claims.replicate(key, changed=value)
        diff = value.take_diff()
        if diff is None:
            return claims.say_used(entry)
        batch = self._last
        if batch is None or batch.to != to:
            batch = self._batches.get(to)
            if batch is None:
                batch = self._batches[to] = _Batch(to, Delivery(1, b"", link.channel.running_reactor), [])
            self._last = batch
        batch.changes.append((entry, diff))
        return batch.told

    def send(self) -> None:
        """Send all collected changes."""
        batches, self._batches, self._last = self._batches, {}, None
        for batch in batches.values():
            self._send(batch)

    def _stamped(self, batch: _Batch) -> tuple[list[_Alike], dict[int, list[Member]]]:
        """Give each change its version; returns the changes, and the holders by their version of MemberImpl."""
        table, link = self._claims.table, self._claims.link
        tick, local, now_us, version = table.versions.tick, table.local, link.now_us, NO_VERSION
        found: list[_Alike] = []
        with link.lock:
            groups = table.members.by_suid(batch.to)
            for entry, diff in batch.changes:
                base = entry.content
                if base >= version:  # an entry that occurs again gets a new version; the others share one
                    version = tick(local, now_us)
                entry.content = version
                entry.pending += 1
                if not found or found[-1].message.primary is not entry.primary:
                    found.append(
                        _Alike(MapMessage(table.map_id, table.kind, primary=entry.primary, nodes=batch.to), [])
                    )
                stamp = new_stamp((entry.birth, entry.claim, version, base))
                names = b"" if entry.names is None else table.names_of(entry)
                found[-1].changes.append((diff, stamp_key(encode_key(entry.key), stamp, names)))
        return found, groups

    def _send(self, batch: _Batch) -> None:
        link = self._claims.link
        found, groups = self._stamped(batch)
        faulty: dict[Member, BaseException] = {}
        arrived = Countdown(max(1, len(groups)), lambda: self._arrived(batch, faulty))
        if not groups:
            arrived()

        def one_done(delivery: Delivery) -> None:
            if delivery.faulty:
                link.note_silent(found[0].message, delivery.faulty)
                faulty.update(delivery.faulty)
            arrived()

        for suid, members in groups.items():
            try:
                encoded = [(data, None) for alike in found for data in alike.message.encode_with(alike.changes, suid)]
                delivery = link.channel.post_all(tuple(members), encoded, link.send_options)
            except (ChannelError, OSError, MemoryError) as error:
                delivery = Delivery(0)
                delivery.faulty.update(dict.fromkeys(members, error))
            delivery.add_done_callback(one_done)

    def _arrived(self, batch: _Batch, faulty: dict[Member, BaseException]) -> None:
        """Give another value to entries whose holder missed a change."""
        claims, table, link = self._claims, self._claims.table, self._claims.link
        with link.lock:
            for entry, _ in batch.changes:
                entry.pending -= 1
        missed = dict.fromkeys(entry for entry, _ in batch.changes if table.owns(entry)) if faulty else {}
        if not missed:
            batch.told.finish()
            return
        settled = Countdown(len(missed), batch.told.finish)
        for entry in missed:
            claims.placement.holders_missed(entry, faulty).add_done_callback(lambda _: settled())
