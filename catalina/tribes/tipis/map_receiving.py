"""What a message of another node's map does to the entries here."""

from __future__ import annotations

from typing import Any

from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import Event, MapEntry, Role
from catalina.tribes.tipis.map_message import (
    MSG_ACCESS,
    MSG_BACKUP,
    MSG_COPY,
    MSG_NOTIFY_MAPMEMBER,
    MSG_PROXY,
    MSG_REMOVE,
    MSG_START,
    MSG_STOP,
    MapMessage,
)
from catalina.tribes.tipis.map_ownership import MapOwnership
from catalina.tribes.tipis.map_values import is_diffable

__all__ = ["MapReceiving"]


class MapReceiving(MapOwnership):
    """The channel's listener; called in the event loop's thread, and never waits."""

    def _member_heard(self, member: Member, suid: int | None = None) -> None:
        """A member has the map."""
        raise NotImplementedError

    def member_disappeared(self, member: Member) -> None:
        """A member is gone, and with it what it held."""
        raise NotImplementedError

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """Whether a message of the channel is about this map."""
        data = message.data
        return not message.options & SEND_OPTIONS_BYTE_MESSAGE and MapMessage.matches(data) and self.map_id in data

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Take a message of another node's map."""
        received = MapMessage.decode(message.data)
        if received.map_id != self.map_id:
            return
        with self._lock:
            self._members.learn_suid(sender, received.suid)
        if received.type == MSG_START:
            self._member_heard(received.primary or sender, received.suid)
        elif received.type == MSG_STOP:
            self.member_disappeared(received.primary or sender)
        elif received.type == MSG_REMOVE:
            self._receive_remove(received)
        elif received.type in (MSG_PROXY, MSG_BACKUP, MSG_COPY):
            self._receive_entry(received)
        elif received.type in (MSG_ACCESS, MSG_NOTIFY_MAPMEMBER):
            self._receive_notice(received)

    def _receive_remove(self, message: MapMessage) -> None:
        key = self._key_of(message)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and message.primary is not None and entry.primary != message.primary:
                return  # a claim is taken back that is not the one we know
            self._entries.pop(key, None)
            self._note_removed(key)
            if entry is not None:
                entry.gave_way = entry.claims > 0
        if entry is not None and entry.value is not None and self.owner is not None:
            self.owner.value_removed(key, entry.value)

    def _receive_entry(self, message: MapMessage) -> None:
        """Another node owns an entry: hold the value for it, or know who does."""
        key = self._key_of(message)
        if key is None:
            return
        value = None if message.value is None else self.codec.decode(message.value)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._collides(entry, message.primary):
                self._republish([entry])
                return
            if entry is None:
                entry = self._entries[key] = MapEntry(key)
            held = entry.value
            was_primary = entry.is_primary
            event = {MSG_PROXY: Event.PROXY_RECEIVED, MSG_BACKUP: Event.BACKUP_RECEIVED}.get(
                message.type, Event.COPY_RECEIVED
            )
            if value is not None:
                entry.value = value
            entry.apply(event, message.primary, message.nodes or ())
        self._after_entry(entry, message, held, value, was_primary)

    def _after_entry(self, entry: MapEntry, message: MapMessage, held: Any, value: Any, was_primary: bool) -> None:
        owner = self.owner
        if entry.role is Role.PROXY:
            if held is not None and owner is not None:
                owner.value_removed(entry.key, held)
            return
        if value is not None and owner is not None:
            owner.value_received(entry.key, value)
        elif message.diff is not None:
            self._receive_diff(entry, message.diff)
        if was_primary and owner is not None and entry.value is not None:
            owner.made_backup(entry.key, entry.value)

    def _receive_diff(self, entry: MapEntry, diff: bytes) -> None:
        if is_diffable(entry.value):
            entry.value.apply_diff(diff)
        elif entry.value is None and entry.primary is not None:
            # A change of a value that never came.
            self._ask_for_value(entry, [entry.primary], lambda _: None)

    def _notice_event(self, nodes: tuple[Member, ...]) -> Event:
        """What another node's becoming the owner means for this one."""
        return Event.NOTIFIED_AS_NODE if self.local in nodes else Event.NOTIFIED_AS_OTHER

    def _learn_of(self, key: Any, message: MapMessage, nodes: tuple[Member, ...]) -> None:
        """Somebody counts on this node for an entry that it does not have: get it."""
        if key is None or message.primary in (None, self.local) or self.local not in nodes:
            return
        entry = self._entries[key] = MapEntry(key)
        is_copy = self.replicate_message_type == MSG_COPY
        entry.apply(Event.COPY_RECEIVED if is_copy else Event.BACKUP_RECEIVED, message.primary, nodes)
        if message.primary is not None:
            self._ask_for_value(entry, [message.primary], lambda _: None)

    def _receive_notice(self, message: MapMessage) -> None:
        """Another node owns an entry that this one knows; the value was used there."""
        key = self._key_of(message)
        nodes = message.nodes or ()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self._learn_of(key, message, nodes)
                return
            if message.primary == self.local:
                self._claim_again(entry, nodes)
                return
            if self._collides(entry, message.primary):
                self._republish([entry])
                return
            held, was_primary = entry.value, entry.is_primary
            entry.apply(self._notice_event(nodes), message.primary, nodes)
        if is_diffable(entry.value):
            entry.value.accessed_elsewhere()
        owner = self.owner
        if owner is not None and held is not None:
            if entry.value is None:
                owner.value_removed(key, held)
            elif was_primary:
                owner.made_backup(key, held)
