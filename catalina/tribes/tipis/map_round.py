"""The changes of one round of the event loop: what goes to the same holders leaves together.

A request's change is a small message; what it costs is the way through the channel. So the differences of all requests
of a round are collected, and each holder gets its ones in one write, as with DeltaManager. Whatever is not an ordinary
difference of an entry that this node owns goes its own way at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from catalina.errors import ChannelError
from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_base import Countdown
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_message import MapMessage
from catalina.tribes.tipis.map_ownership import MapOwnership
from catalina.tribes.tipis.map_stamp import Stamp

__all__ = ["MapRound"]


class _Batch(NamedTuple):
    """Changes of entries that the same members hold.

    Args:
        told: done when they have them, or other members.
    """

    to: tuple[Member, ...]
    told: Delivery
    changes: list[tuple[MapEntry, bytes]]


class MapRound:
    """One round; made by :meth:`AbstractReplicatedMap.round`, used by one thread."""

    def __init__(self, of: MapOwnership) -> None:
        self._map = of
        self._batches: dict[tuple[Member, ...], _Batch] = {}

    def replicate(self, key: Any, value: Any) -> Delivery | None:
        """See :meth:`MapOwnership.replicate`: a difference leaves with :meth:`send`. Values may share a handle."""
        of = self._map
        entry = of._entries.get(of._id_of(key))
        to = () if entry is None else entry.nodes
        if entry is None or not to or entry.value is not value or not entry.is_primary or of._silent:
            return of.replicate(key, changed=value)
        diff = value.take_diff()
        if diff is None:
            return of._say_used(entry)
        batch = self._batches.get(to)
        if batch is None:
            batch = self._batches[to] = _Batch(to, Delivery(1, b"", of.channel.running_reactor), [])
        batch.changes.append((entry, diff))
        return batch.told

    def send(self) -> None:
        """Let all leave."""
        batches, self._batches = self._batches, {}
        for batch in batches.values():
            self._send(batch)

    def _messages(self, batch: _Batch) -> tuple[list[MapMessage], dict[int, list[Member]]]:
        of = self._map
        kind, map_id, clock, local = of.replicate_message_type, of.map_id, of._versions, of.local
        messages = []
        with of._lock:
            groups = of._members.by_suid(batch.to)
            for entry, diff in batch.changes:
                base, entry.content = entry.content, clock.tick(local)
                entry.pending += 1
                stamp = Stamp(entry.birth, entry.claim, entry.content, base)
                names = b"" if entry.names is None else of._names_of(entry)
                about = (map_id, kind, dumps(entry.key), None, diff, entry.primary, batch.to, None, stamp, names)
                messages.append(MapMessage(*about))
        return messages, groups

    def _send(self, batch: _Batch) -> None:
        of = self._map
        messages, groups = self._messages(batch)
        faulty: dict[Member, BaseException] = {}
        arrived = Countdown(max(1, len(groups)), lambda: self._arrived(batch, faulty))
        if not groups:
            arrived()

        def one_done(delivery: Delivery) -> None:
            if delivery.faulty:
                of._note_silent(messages[0], delivery.faulty)
                faulty.update(delivery.faulty)
            arrived()

        for suid, members in groups.items():
            try:
                encoded = [(message.encode(suid), None) for message in messages]
                delivery = of.channel.post_all(members, encoded, of.send_options)
            except (ChannelError, OSError, MemoryError) as error:
                delivery = Delivery(0)
                delivery.faulty.update(dict.fromkeys(members, error))
            delivery.add_done_callback(one_done)

    def _arrived(self, batch: _Batch, faulty: dict[Member, BaseException]) -> None:
        """A holder that missed changes has old values: their entries get another one."""
        of = self._map
        with of._lock:
            for entry, _ in batch.changes:
                entry.pending -= 1
        missed = dict.fromkeys(entry for entry, _ in batch.changes if of._owns(entry)) if faulty else {}
        if not missed:
            batch.told.finish()
            return
        settled = Countdown(len(missed), batch.told.finish)
        for entry in missed:
            of._holders_missed(entry, faulty).add_done_callback(lambda _: settled())
