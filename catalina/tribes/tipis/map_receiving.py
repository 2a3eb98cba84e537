"""Applies the messages of another node's map to the entries here."""

from __future__ import annotations

from catalina.errors import ProtocolError
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_claims import MapClaims, Placement
from catalina.tribes.tipis.map_entry import (
    CROSSES,
    EARLIER,
    LATER,
    PROXY,
    SAME,
    WITHOUT_OURS,
    MapEntry,
    Meaning,
)
from catalina.tribes.tipis.map_graves import Grave, final_end, holds_against
from catalina.tribes.tipis.map_message import (
    MSG_ACCESS,
    MSG_BACKUP,
    MSG_COPY,
    MSG_NOTIFY_MAPMEMBER,
    MSG_PROXY,
    MSG_REMOVE,
    MapMessage,
)
from catalina.tribes.tipis.map_values import is_diffable, is_mergeable

__all__ = ["MapReceiving"]

_CLAIMS = (MSG_PROXY, MSG_BACKUP, MSG_COPY, MSG_ACCESS, MSG_NOTIFY_MAPMEMBER)
_NOTICES = (MSG_ACCESS, MSG_NOTIFY_MAPMEMBER)


class MapReceiving:
    """Handles messages about entries. It never waits, and mostly runs in the event loop's thread."""

    def __init__(self, claims: MapClaims, placement: Placement) -> None:
        self.table = claims.table
        self.link = claims.link
        self.fetching = claims.fetching
        self.claims = claims
        self.placement = placement
        self.owner = claims.owner
        self.codec = claims.codec

    def receive(self, message: MapMessage, sender: Member) -> None:
        """Handle a message about an entry; ignore any other message."""
        if message.type == MSG_REMOVE:
            self.receive_remove(message, sender)
        elif message.type in _CLAIMS and (message.diff is None or not self._receive_next(message)):
            self.receive_claim(message, sender)

    def _receive_next(self, message: MapMessage) -> bool:
        """Apply the next change under the known claim, as nearly every message brings one: what :meth:`receive_claim`
        would do, without the questions whose answers are known here.

        Returns:
            False when the message is of another kind; nothing was done.
        """
        table, stamp = self.table, message.stamp
        if not stamp.birth or message.names or message.value is not None or message.type in _NOTICES:
            return False
        id = table.id_of(table.key_of(message))
        with self.link.lock:
            entry = table.entries.get(id)
            if (
                entry is None
                or entry.is_primary
                or entry.is_stale
                or entry.names is not None
                or entry.primary is None
                or stamp[:2] != (entry.birth, entry.claim)
                or stamp.base != entry.content
                or stamp.content <= entry.content
                or not is_mergeable(entry.value)
                or id in table.orphans
            ):
                return False
            table.versions.heard(stamp)
            entry.nodes = message.nodes or ()
        self._receive_change(entry, message)
        return True

    # ---- removals

    def receive_remove(self, message: MapMessage, sender: Member) -> None:
        key, end = self.table.key_of(message), message.stamp
        told = self.table.names_in(message, key)
        if message.names and told is not None and told[1]:
            return  # the entry now has another key, which its claim tells
        with self.link.lock:
            self.table.versions.heard(end)
            id = self.table.id_in(told, key)
            entry = self.table.entries.get(id)
            if entry is None:
                if end.birth:
                    self.table.graves.dig(id, Grave(end, self.link.clock(), False, key, message.names))
                return
            if not end.birth and key != entry.key:
                return  # Java has moved the entry to another key
            is_used = bool(end.content) and entry.is_primary and is_mergeable(entry.value) and entry.value.in_use()
            if is_used or (end.birth and entry.birth and not holds_against(end, entry.stamp)):
                is_old = True  # the entry was put anew, or used later than the remover knows
            else:
                is_old, was_primary, value = False, entry.is_primary, entry.value
                # The owner passes a removal on, because some members may not know the node that made it.
                if not end.birth:
                    end = final_end(entry.birth or self.table.tick(self.link.now_us))
                self.table.bury(entry, end, self.link.clock(), is_ours=was_primary)
        if is_used:
            self.claims.publish(entry)  # this claim is later than the one that has ended
            return
        if is_old:
            self._correct(entry, sender)
            return
        if was_primary:
            self._pass_on_removal(entry, sender)
        if value is not None and self.owner is not None:
            self.owner.value_removed(entry.key, value)

    def _pass_on_removal(self, entry: MapEntry, sender: Member) -> None:
        """Pass on another node's removal of an entry of ours.

        A member may hear our last claim after the other node's removal, but it hears this message after both.
        """
        with self.link.lock:
            told = self.table.members.all if entry.pending else self.table.members.except_for([sender])
        self.link.say_removed(told, entry.id)

    # ---- claims

    def receive_claim(self, message: MapMessage, sender: Member) -> None:
        """Another node owns an entry: hold the value for it, or note its owner and holders."""
        key = self.table.key_of(message)
        if key is None:
            return
        value = None if message.value is None else self.codec.decode(message.value)
        told = self.table.names_in(message, key)
        held, was_primary, is_dead, untold, lacks_names = None, False, False, False, False
        with self.link.lock:
            self.table.versions.heard(message.stamp)
            id = self.table.id_in(told, key)
            entry = self.table.entries.get(id)
            if entry is None:
                is_dead = holds_against(self.table.graves.get(id).end, message.stamp)
                if is_dead or not self._is_news(message):
                    entry = None
                else:
                    entry = self.table.entries[id] = MapEntry(key, id=id)
                    self.table.graves.fill(id)
            if entry is not None:
                old_key = entry.key if entry.is_primary else None
                meaning = entry.meaning_of(message.stamp)
                held, was_primary = entry.value, entry.is_primary
                untold = was_primary and entry.content != message.stamp.content
                lacks_names = self.table.learn_names(entry, told)
                if not message.stamp.birth and meaning is LATER and key != entry.key:
                    self.table.give_key(entry, key, self.link.now_us)
                if meaning is LATER:
                    self.table.adopt(entry, message, value, self.placement.event_of(message))
                elif meaning is WITHOUT_OURS:
                    self.table.own(entry, self.link.now_us)
        if is_dead:
            self.link.say_removed([sender], id)
        if entry is None:
            return
        self.fetching.show_key(entry)
        if old_key is not None and old_key != entry.key:
            self.claims.say_replaced(entry, old_key)
            if entry.is_primary and meaning is not WITHOUT_OURS:
                self.claims.publish(entry)
        if lacks_names and not entry.is_primary:
            self.claims.tell_names(entry)
        mergeable = held if untold and message.stamp.birth else None
        self._act_on(meaning, entry, message, sender, (held, mergeable, value), was_primary)

    def _act_on(
        self, meaning: Meaning, entry: MapEntry, message: MapMessage, sender: Member,
        values: tuple[object, object, object], was_primary: bool,
    ) -> None:  # fmt: skip
        """Do what the claim asks of this node, without the lock.

        Args:
            values: the value that was held here, the same if the owner may lack its changes, and that of the claim.
            was_primary: this node owned the entry before the claim.
        """
        held, untold, value = values
        if meaning is SAME:
            self._receive_content(entry, message, value)
        elif meaning is LATER:
            if untold is not None and is_mergeable(untold):
                self.fetching.hand_over(entry, untold, sender)
            self._after_claim(entry, message, held, value, was_primary)
        elif meaning is EARLIER:
            if not self._merge(entry, message, value):
                self._correct(entry, sender)
        elif meaning is CROSSES:
            self.claims.publish(entry)
        elif meaning is WITHOUT_OURS:
            if value is not None and is_mergeable(entry.value):
                entry.value.merge_value(value)
            self.placement.announce(entry)
            if not was_primary:
                self.claims.made_primary(entry)

    def _merge(self, entry: MapEntry, message: MapMessage, value: object) -> bool:
        """Merge the change that an earlier claim brings, in addition to the changes made here since; the owner may lack
        it.
        """
        if message.stamp.birth != entry.birth or not is_mergeable(entry.value):
            return False
        if value is not None:
            is_changed = entry.value.merge_value(value).is_changed
        elif message.diff is not None:
            is_changed = entry.value.merge_diff(message.diff).is_changed
        else:
            return False
        if is_changed and entry.is_primary:
            self.claims.say_changed(entry, None)
        return is_changed

    def _is_news(self, message: MapMessage) -> bool:
        """True when the message should create the entry here. Java's notices are only for nodes that know the entry."""
        if message.stamp.birth or message.type not in _NOTICES:
            return True
        return message.primary not in (None, self.table.local) and self.table.local in (message.nodes or ())

    def _correct(self, entry: MapEntry, sender: Member) -> None:
        """Tell the sender this node's claim. It has not heard it, because its own message is earlier."""
        if entry.is_primary:
            self.placement.tell(sender, entry)

    def _after_claim(
        self, entry: MapEntry, message: MapMessage, held: object, value: object, was_primary: bool
    ) -> None:
        owner = self.owner
        if entry.role is PROXY:
            if held is not None and owner is not None:
                owner.value_removed(entry.key, held)
            return
        if value is not None and value is not entry.value and is_mergeable(entry.value):
            self.fetching.tell_newer(entry, entry.value.merge_value(value))
            entry.value.accessed_elsewhere()
        elif value is not None and owner is not None:
            owner.value_received(entry.key, value)
        elif message.diff is not None and not message.stamp.birth and is_diffable(entry.value):
            entry.value.apply_diff(message.diff)
        elif message.type in _NOTICES and is_diffable(entry.value):
            entry.value.accessed_elsewhere()
        if value is not None:
            self.fetching.take_handed(entry, entry.id)
        if entry.is_stale:
            self.fetching.want(entry)
        if was_primary and owner is not None and entry.value is not None:
            owner.made_backup(entry.key, entry.value)

    # ---- contents

    def _receive_content(self, entry: MapEntry, message: MapMessage, value: object) -> None:
        """Handle a message under the known claim: a change, a repeated value, or a use."""
        content = message.stamp.content
        with self.link.lock:
            if entry.is_primary:
                return  # this node's own claim comes back
            if entry.primary is None and message.primary != self.table.local:
                entry.primary = message.primary  # the owner was thought to have gone
            entry.nodes = message.nodes or ()
            self.table.note_owner(entry)
            is_new = entry.is_stale or entry.value is None or content > entry.content
            merges = value is not None and is_mergeable(entry.value)
            if value is not None and is_new:
                if not merges:
                    entry.value = value
                entry.content, entry.is_stale = content, False
                entry.apply(self.placement.event_of(message), entry.primary, entry.nodes)
        if entry.role is PROXY:
            return
        if merges:
            self.fetching.tell_newer(entry, entry.value.merge_value(value))
        elif value is not None:
            if is_new and self.owner is not None:
                self.owner.value_received(entry.key, value)
            self.fetching.take_handed(entry, entry.id)
        elif content and is_new:
            self._receive_change(entry, message)
        if message.type in _NOTICES and is_diffable(entry.value):
            entry.value.accessed_elsewhere()

    def _receive_change(self, entry: MapEntry, message: MapMessage) -> None:
        """Apply the difference if its base is the content here; else ask the owner for the value."""
        value, stamp = entry.value, message.stamp
        is_next = not entry.is_stale and stamp.base == entry.content and is_diffable(value)
        entry.is_stale = True
        try:
            if message.diff is not None and is_mergeable(value):
                # changes in between are asked for below
                self.fetching.tell_newer(entry, value.merge_diff(message.diff))
                value.accessed_elsewhere()
            elif message.diff is not None and is_next:
                value.apply_diff(message.diff)
            if message.diff is not None and is_next:
                entry.content, entry.is_stale = stamp.content, False
        except ProtocolError:
            self.fetching.want(entry)
            raise
        if entry.is_stale:
            self.fetching.want(entry)
