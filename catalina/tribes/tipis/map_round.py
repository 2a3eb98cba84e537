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
from catalina.tribes.tipis.map_stamp import Stamp

__all__ = ["MapRound"]


class _Batch(NamedTuple):
    """Changes of entries that the same members hold.

    Args:
        told: done when the holders, or other members in their place, have the changes.
    """

    to: tuple[Member, ...]
    told: Delivery
    changes: list[tuple[MapEntry, bytes]]


class MapRound:
    """One round. :meth:`AbstractReplicatedMap.round` makes it, and one thread uses it."""

    def __init__(self, of: MapClaims) -> None:
        self._claims = of
        self._batches: dict[tuple[Member, ...], _Batch] = {}

    def replicate(self, key: Hashable, value: object) -> Delivery | None:
        """See :meth:`MapClaims.replicate`; a difference leaves with :meth:`send`. Several values may share a
        Delivery.
        """
        claims, table, link = self._claims, self._claims.table, self._claims.link
        entry = table.entries.get(table.id_of(key))
        to = () if entry is None else entry.nodes
        if entry is None or not to or entry.value is not value or not entry.is_primary or link.are_silent(to):
            return claims.replicate(key, changed=value)
        diff = value.take_diff()
        if diff is None:
            return claims.say_used(entry)
        batch = self._batches.get(to)
        if batch is None:
            batch = self._batches[to] = _Batch(to, Delivery(1, b"", link.channel.running_reactor), [])
        batch.changes.append((entry, diff))
        return batch.told

    def send(self) -> None:
        """Send all collected changes."""
        batches, self._batches = self._batches, {}
        for batch in batches.values():
            self._send(batch)

    def _messages(self, batch: _Batch) -> tuple[list[MapMessage], dict[int, list[Member]]]:
        table, link = self._claims.table, self._claims.link
        kind, map_id, tick, now_us = table.kind, table.map_id, table.tick, link.now_us
        messages = []
        with link.lock:
            groups = table.members.by_suid(batch.to)
            for entry, diff in batch.changes:
                base, entry.content = entry.content, tick(now_us)
                entry.pending += 1
                stamp = Stamp(entry.birth, entry.claim, entry.content, base)
                names = b"" if entry.names is None else table.names_of(entry)
                about = (map_id, kind, encode_key(entry.key), None, diff, entry.primary, batch.to, None, stamp, names)
                messages.append(MapMessage(*about))
        return messages, groups

    def _send(self, batch: _Batch) -> None:
        link = self._claims.link
        messages, groups = self._messages(batch)
        faulty: dict[Member, BaseException] = {}
        arrived = Countdown(max(1, len(groups)), lambda: self._arrived(batch, faulty))
        if not groups:
            arrived()

        def one_done(delivery: Delivery) -> None:
            if delivery.faulty:
                link.note_silent(messages[0], delivery.faulty)
                faulty.update(delivery.faulty)
            arrived()

        for suid, members in groups.items():
            try:
                encoded = [(message.encode(suid), None) for message in messages]
                delivery = link.channel.post_all(members, encoded, link.send_options)
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
