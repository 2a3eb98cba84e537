"""What a message of another node's map does to the entries here."""

from __future__ import annotations

from typing import Any

from catalina.errors import ProtocolError
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import Event, MapEntry, Meaning, Role
from catalina.tribes.tipis.map_graves import Grave, final_end, holds_against
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
from catalina.tribes.tipis.map_stamp import NO_VERSION
from catalina.tribes.tipis.map_values import is_diffable, is_mergeable

__all__ = ["MapReceiving"]

_CLAIMS = (MSG_PROXY, MSG_BACKUP, MSG_COPY, MSG_ACCESS, MSG_NOTIFY_MAPMEMBER)
_NOTICES = (MSG_ACCESS, MSG_NOTIFY_MAPMEMBER)


class MapReceiving(MapOwnership):
    """The channel's listener; called in the event loop's thread, and never waits."""

    def _member_started(self, member: Member, suid: int | None = None) -> None:
        """A member has begun to have the map."""
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
            self._member_started(received.primary or sender, received.suid)
        elif received.type == MSG_STOP:
            self.member_disappeared(received.primary or sender)
        elif received.type == MSG_REMOVE:
            self._receive_remove(received, sender)
        elif received.type in _CLAIMS:
            self._receive_claim(received, sender)

    # ---- removals

    def _receive_remove(self, message: MapMessage, sender: Member) -> None:
        key, end = self._key_of(message), message.stamp
        told = self._names_in(message, key)
        if message.names and told is not None and told[1]:
            return  # the entry has another key now, of which its claim tells
        self._versions.heard(end)
        with self._lock:
            id = self._id_in(told, key)
            entry = self._entries.get(id)
            if entry is None:
                if end.birth:
                    self._graves.dig(id, Grave(end, self._clock(), False, key, message.names))
                return
            if not end.birth and key != entry.key:
                return  # Java has moved the entry to another key
            is_used = bool(end.content) and entry.is_primary and is_mergeable(entry.value) and entry.value.in_use()
            if is_used or (end.birth and entry.birth and not holds_against(end, entry.stamp)):
                is_old = True  # it was put anew, or was used later than its remover knows
            else:
                is_old, was_primary, value = False, entry.is_primary, entry.value
                # Of what was ours we tell it, too: some may not know the one who removed it.
                self._bury(entry, end if end.birth else final_end(entry.birth or self._tick()), is_ours=was_primary)
        if is_used:
            self._publish(entry)  # a later claim than the one that has ended
            return
        if is_old:
            self._correct(entry, sender)
            return
        if was_primary:
            self._pass_on_removal(entry, sender)
        if value is not None and self.owner is not None:
            self.owner.value_removed(entry.key, value)

    def _pass_on_removal(self, entry: MapEntry, sender: Member) -> None:
        """Another node has removed what is ours: some may hear our last claim after that, but this after both."""
        with self._lock:
            told = self._members.all if entry.pending else self._members.except_for([sender])
        self._say_removed(told, entry.id)

    # ---- claims

    def _receive_claim(self, message: MapMessage, sender: Member) -> None:
        """Another node owns an entry: hold the value for it, or know who does."""
        key = self._key_of(message)
        if key is None:
            return
        value = None if message.value is None else self.codec.decode(message.value)
        told = self._names_in(message, key)
        self._versions.heard(message.stamp)
        held, was_primary, is_dead, untold, lacks_names = None, False, False, False, False
        with self._lock:
            id = self._id_in(told, key)
            entry = self._entries.get(id)
            if entry is None:
                is_dead = holds_against(self._graves.get(id).end, message.stamp)
                if is_dead or not self._is_news(message):
                    entry = None
                else:
                    entry = self._entries[id] = MapEntry(key, id=id)
                    self._graves.fill(id)
            if entry is not None:
                old_key = entry.key
                meaning = entry.meaning_of(message.stamp)
                held, was_primary = entry.value, entry.is_primary
                untold = was_primary and entry.content != message.stamp.content
                lacks_names = self._learn_names(entry, told)
                if not message.stamp.birth and meaning is Meaning.LATER and key != entry.key:
                    self._take_names(entry, self._known_names(entry).renamed(key, self._tick(), self._bare or str))
                if meaning is Meaning.LATER:
                    self._adopt(entry, message, value)
                elif meaning is Meaning.WITHOUT_OURS:
                    self._own(entry)
        if is_dead:
            self._say_removed([sender], id)
        if entry is None:
            return
        self._show_key(entry)
        if was_primary and old_key != entry.key:
            self._say_replaced(entry, old_key)
            if entry.is_primary and meaning is not Meaning.WITHOUT_OURS:
                self._publish(entry)
        if lacks_names and not entry.is_primary:
            self._tell_names(entry)
        match meaning:
            case Meaning.LATER:
                if untold and message.stamp.birth and is_mergeable(held):
                    self._hand_over(entry, held, sender)
                self._after_claim(entry, message, held, value, was_primary)
            case Meaning.SAME:
                self._receive_content(entry, message, value)
            case Meaning.EARLIER:
                if not self._merge(entry, message, value):
                    self._correct(entry, sender)
            case Meaning.CROSSES:
                self._publish(entry)
            case Meaning.WITHOUT_OURS:
                if value is not None and is_mergeable(entry.value):
                    entry.value.merge_value(value)
                self._announce(entry)
                if not was_primary:
                    self._made_primary(entry)

    def _merge(self, entry: MapEntry, message: MapMessage, value: Any) -> bool:
        """An earlier claim brings a change that the owner may lack: it stays beside what was changed here since."""
        if message.stamp.birth != entry.birth or not is_mergeable(entry.value):
            return False
        if value is not None:
            is_changed = entry.value.merge_value(value).is_changed
        elif message.diff is not None:
            is_changed = entry.value.merge_diff(message.diff).is_changed
        else:
            return False
        if is_changed and entry.is_primary:
            self._say_changed(entry, None)
        return is_changed

    def _is_news(self, message: MapMessage) -> bool:
        """Whether an entry that is not known here is learnt of; Java's notices are for those who know it."""
        if message.stamp.birth or message.type not in _NOTICES:
            return True
        return message.primary not in (None, self.local) and self.local in (message.nodes or ())

    def _correct(self, entry: MapEntry, sender: Member) -> None:
        """The sender has not heard our claim, as what it says is earlier: it may never have been told."""
        if entry.is_primary:
            self._tell(sender, entry)

    def _event_of(self, message: MapMessage) -> Event:
        """What another node's claim makes of this one."""
        if message.type == MSG_BACKUP or self.local in (message.nodes or ()):
            return Event.BACKUP_RECEIVED
        return Event.PROXY_RECEIVED

    def _adopt(self, entry: MapEntry, message: MapMessage, value: Any) -> None:
        """Take a later claim; under the lock."""
        stamp = message.stamp
        is_whole = value is not None
        has_content = is_whole or self._has_content(entry, message)
        if is_whole and not is_mergeable(entry.value):
            entry.value = value  # otherwise it is merged in _after_claim, which may tell listeners
        if stamp.birth:
            entry.birth, entry.claim = stamp.birth, stamp.claim
            if has_content:
                entry.content = stamp.content
        elif is_whole or message.diff is not None:
            entry.content = NO_VERSION
        entry.apply(
            self._event_of(message), None if message.primary == self.local else message.primary, message.nodes or ()
        )
        entry.former = ()
        entry.is_stale = entry.role is not Role.PROXY and not has_content
        self._note_owner(entry)

    @staticmethod
    def _has_content(entry: MapEntry, message: MapMessage) -> bool:
        """Whether the value of a claim that does not bring it is here."""
        if entry.value is None or entry.is_stale:
            return False
        stamp = message.stamp
        if not stamp.birth:
            return True  # Java counts on it
        return (
            message.diff is None
            and bool(stamp.content)
            and (stamp.birth, stamp.content) == (entry.birth, entry.content)
        )

    def _note_owner(self, entry: MapEntry) -> None:
        """Whether the owner is one who is there; at the heartbeat it is looked after."""
        if self._is_owner_there(entry):
            self._orphans.pop(entry.id, None)
        else:
            self._orphans.setdefault(entry.id, 0)

    def _after_claim(self, entry: MapEntry, message: MapMessage, held: Any, value: Any, was_primary: bool) -> None:
        owner = self.owner
        if entry.role is Role.PROXY:
            if held is not None and owner is not None:
                owner.value_removed(entry.key, held)
            return
        if value is not None and value is not entry.value and is_mergeable(entry.value):
            self._tell_newer(entry, entry.value.merge_value(value))
            entry.value.accessed_elsewhere()
        elif value is not None and owner is not None:
            owner.value_received(entry.key, value)
        elif message.diff is not None and not message.stamp.birth and is_diffable(entry.value):
            entry.value.apply_diff(message.diff)
        elif message.type in _NOTICES and is_diffable(entry.value):
            entry.value.accessed_elsewhere()
        if value is not None:
            self._take_handed(entry, entry.id)
        if entry.is_stale:
            self._want(entry)
        if was_primary and owner is not None and entry.value is not None:
            owner.made_backup(entry.key, entry.value)

    # ---- contents

    def _receive_content(self, entry: MapEntry, message: MapMessage, value: Any) -> None:
        """More of the claim that is known here: a change, a value that comes again, a use."""
        content = message.stamp.content
        with self._lock:
            if entry.is_primary:
                return  # our own claim, told back
            if entry.primary is None and message.primary != self.local:
                entry.primary = message.primary  # it was thought to be gone
            entry.nodes = message.nodes or ()
            self._note_owner(entry)
            is_new = entry.is_stale or entry.value is None or content > entry.content
            merges = value is not None and is_mergeable(entry.value)
            if value is not None and is_new:
                if not merges:
                    entry.value = value
                entry.content, entry.is_stale = content, False
                entry.apply(self._event_of(message), entry.primary, entry.nodes)
        if entry.role is Role.PROXY:
            return
        if merges:
            self._tell_newer(entry, entry.value.merge_value(value))
        elif value is not None:
            if is_new and self.owner is not None:
                self.owner.value_received(entry.key, value)
            self._take_handed(entry, entry.id)
        elif content and is_new:
            self._receive_change(entry, message)
        if message.type in _NOTICES and is_diffable(entry.value):
            entry.value.accessed_elsewhere()

    def _receive_change(self, entry: MapEntry, message: MapMessage) -> None:
        """The content is another one: by a difference from the one that is here, or it must be asked for."""
        value, stamp = entry.value, message.stamp
        is_next = not entry.is_stale and stamp.base == entry.content and is_diffable(value)
        entry.is_stale = True
        try:
            if message.diff is not None and is_mergeable(value):
                self._tell_newer(entry, value.merge_diff(message.diff))  # what came between is asked for
                value.accessed_elsewhere()
            elif message.diff is not None and is_next:
                value.apply_diff(message.diff)
            if message.diff is not None and is_next:
                entry.content, entry.is_stale = stamp.content, False
        except ProtocolError:
            self._want(entry)
            raise
        if entry.is_stale:
            self._want(entry)
