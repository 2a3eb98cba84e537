"""Brings nodes into agreement again that lost sight of each other, or of an entry's owner.

Each heartbeat looks after four things, which cost nothing while there are none of them:

- each member says in its answers to pings since when it tells the other all its claims. A node that has not heard the
  member's state since then asks what the member owns. From then on it is told every claim, or is owed it
  (``map_table``);
- after a member has gone, the others report the sum of their claims in a few answers to pings, and a node whose own sum
  differs asks what the member owns;
- if the owner of an entry is not there, or has restarted its map since it claimed the entry, a node that has the value
  takes the entry over;
- if a value is older than its owner's, this node asks the owner for it.

The question is Tomcat's MSG_STATE. When a Python node asks and names itself, a Python node answers only with the
entries that it owns; the answers of all nodes together name each entry once. Java answers with all entries.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from catalina.errors import ProtocolError
from catalina.tribes.group.rpc_channel import LATER, Response
from catalina.tribes.io.java import EncodedValue, dumps
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_message import (
    MSG_COPY,
    MSG_PROXY,
    MSG_REMOVE,
    MSG_STATE_COPY,
    MapMessage,
    MapState,
    decode_entries,
    encode_entries,
)
from catalina.tribes.tipis.map_receiving import MapReceiving
from catalina.tribes.tipis.map_stamp import NO_VERSION, Stamp

__all__ = ["MapSettling"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Entries without an owner that one heartbeat looks after.
MAX_ORPHANS = 200
#: Heartbeats to wait for an owner that is in the channel but was not heard yet.
PATIENCE = 2
#: Heartbeats after the loss of a member at which the sums are compared.
DOUBTS = 4
#: A state with more entries is put together, or read, in a thread of its own.
STATE_IN_THREAD = 500
#: A state with more bytes is read in a thread of its own.
STATE_IN_THREAD_BYTES = 50_000


class MapSettling:
    """Asks for and answers with states of the map."""

    def __init__(self, receiving: MapReceiving, state_kind: int) -> None:
        self.table = receiving.table
        self.link = receiving.link
        self.claims = receiving.claims
        self.fetching = receiving.fetching
        self.placement = receiving.placement
        self.receiving = receiving
        self.state_kind = state_kind
        self.state = MapState.NEW
        #: Members that are being asked what they own.
        self.asking: set[Member] = set()
        self._threads: list[threading.Thread] = []

    def _in_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"map-state[{self.link.name}]", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def join_threads(self) -> None:
        """Wait for threads that put together or read states."""
        for thread in self._threads:
            thread.join(10)

    def _all(self) -> list[MapEntry]:
        with self.link.lock:
            return list(self.table.entries.values())

    # ---- answering

    def _state_messages(self, owned_only: bool) -> list[MapMessage]:
        copies = self.state_kind == MSG_STATE_COPY
        found = []
        for entry in self._all():
            if owned_only and not entry.is_primary:
                continue
            message = self.table.about(MSG_COPY if copies else MSG_PROXY, entry)
            if copies and entry.value is not None and not entry.is_stale:
                message = self.claims.with_value(message, entry)
            found.append(message)
        if owned_only:
            with self.link.lock:
                removed = self.table.graves.ours()
            found += [self.table.removal(grave) for grave in removed]
        return found

    def state_reply(self, request: MapMessage, sender: Member) -> EncodedValue:
        with self.link.lock:
            (suid,) = self.table.members.by_suid([sender])
        owned_only = request.primary is not None
        # A node that is still learning the state has none to give, so that the asker turns to the next member.
        is_known = owned_only or self.state == MapState.INITIALIZED
        answer = MapMessage(self.table.map_id, request.type, primary=self.table.local if owned_only else None)
        if owned_only:
            answer = self.with_since(answer, sender)  # taken before the entries are looked at
        value = encode_entries(self._state_messages(owned_only) if is_known else [], suid)
        return answer._replace(value=value).to_encoded(suid)

    def with_since(self, answer: MapMessage, member: Member, has_sum: bool = False) -> MapMessage:
        """The answer with the version since when its receiver is told all claims, and if ``has_sum`` with their sum."""
        with self.link.lock:
            since = self.table.told_since.get(member, NO_VERSION)
            total = self.table.sums().get(self.table.local, NO_VERSION) if has_sum else NO_VERSION
        return answer._replace(key=dumps(""), stamp=Stamp(since, total))

    def answer_state(self, request: MapMessage, sender: Member, uuid: bytes) -> EncodedValue:
        if request.primary is not None:
            self.register(sender, request.suid)  # from this answer on the member is told each claim
        if len(self.table.entries) <= STATE_IN_THREAD:
            return self.state_reply(request, sender)

        def work() -> None:
            rpc = self.link.rpc
            if rpc is not None:
                rpc.reply(sender, uuid, self.state_reply(request, sender))

        self._in_thread(work)
        return LATER

    def register(self, member: Member, suid: int | None) -> bool:
        """Note that the member has the map; returns False if it is this node, or not in the channel."""
        if member == self.table.local:
            return False
        if member not in self.link.channel.members:
            log.warning("Map [%s]: %s has the map but is no member of the channel", self.link.name, member.name)
            return False
        with self.link.lock:
            is_new = self.table.members.heard(member, self.link.clock())
            if is_new:
                self.table.told_since[member] = self.table.tick(self.link.now_us)
            self.table.members.learn_suid(member, suid)
        if is_new:
            self.placement.member_added(member)
        return True

    # ---- asking

    def ask_for_own(self, member: Member) -> None:
        """Ask a member what it owns."""
        with self.link.lock:
            if self.link.rpc is None or member in self.asking:
                return
            self.asking.add(member)
            believed = {
                entry.id: entry.rank
                for entry in self.table.entries.values()
                if entry.primary in (member, self.table.local)
            }

        def done(answers: list[Response]) -> None:
            with self.link.lock:
                self.asking.discard(member)
            for answer in answers:
                if answer.message.class_name != "null":
                    self._hear_own(answer, believed)

        question = MapMessage(self.table.map_id, self.state_kind, primary=self.table.local)
        self.link.request(member, question, done)

    def _hear_own(self, answer: Response, believed: dict[Any, tuple[bytes, bytes]]) -> None:
        if len(answer.message.data) > STATE_IN_THREAD_BYTES:
            self._in_thread(lambda: self._take_own(answer, believed))
        else:
            self._take_own(answer, believed)

    def _take_own(self, answer: Response, believed: dict[Any, tuple[bytes, bytes]]) -> None:
        """Learn which entries a member owns.

        An entry that this node thought the member owned loses its owner, if the member does not own it or has only an
        older claim.
        """
        member = answer.source
        state = self._entries_in(answer)
        if state is None:
            return
        with self.link.lock:
            self.table.heard_since[member] = state[0].stamp.birth
        listed = {}
        for message in state[1]:
            if message.type == MSG_REMOVE:
                self.receiving.receive_remove(message, member)
            else:
                self._take_listed(message, member)
                listed[self.table.id_of_message(message)] = message
        for id, rank in believed.items():
            with self.link.lock:
                entry = self.table.entries.get(id)
                is_owned = id in listed and (not listed[id].stamp.birth or listed[id].stamp.rank >= rank)
                if entry is not None and not is_owned and entry.primary == member and entry.rank == rank:
                    entry.primary = None
                    self.table.note_owner(entry)
        self._note_owners_of(member)
        if state[0].primary != member:
            self._tell_java(member, listed, believed)

    def _note_owners_of(self, member: Member) -> None:
        """Look at the member's entries again: it may have restarted, and does not own the entries of its former
        life.
        """
        with self.link.lock:
            for entry in self.table.entries.values():
                if entry.primary == member:
                    self.table.note_owner(entry)

    def _tell_java(
        self, member: Member, listed: dict[Any, MapMessage], believed: dict[Any, tuple[bytes, bytes]]
    ) -> None:
        """Tell a Java member our entries about which it is wrong: it never asks again.

        Only entries count that this node owned, by the same claim, when it asked the member.
        """
        wrong = [
            entry
            for entry in self._all()
            if entry.is_primary
            and entry.rank == believed.get(entry.id)
            and (entry.id not in listed or listed[entry.id].primary != self.table.local)
        ]
        self.claims.some_at_a_time(wrong, lambda entry: self.placement.tell(member, entry))

    def _take_listed(self, message: MapMessage, sender: Member) -> None:
        """Handle one entry of a state. Java's word about a known key is older than the knowledge here, and is
        ignored.
        """
        with self.link.lock:
            id = self.table.id_of_message(message)
            is_known = id in self.table.entries or id in self.table.graves
        if id is None or (is_known and not message.stamp.birth):
            return
        try:
            self.receiving.receive_claim(message, sender)
        except ProtocolError as error:
            log.error("Unable to deserialize the value from %s: %s", sender.name, error)

    def _entries_in(self, answer: Response) -> tuple[MapMessage, list[MapMessage]] | None:
        """The state and its entries; None when the answer is no state."""
        try:
            if answer.message.class_name == "null":
                return None
            state = MapMessage.decode(answer.message.to_stream())
            return state, [] if state.value is None else decode_entries(state.value)
        except ProtocolError as error:
            log.error("Unable to transfer LazyReplicatedMap state from %s: %s", answer.source.name, error)
            return None

    def transfer_state(self) -> None:
        """Ask one member after another for the content of the map, until one answers with entries."""
        for member in self.table.members.all:
            answers = self.link.ask(member, MapMessage(self.table.map_id, self.state_kind))
            listed = [message for state in map(self._entries_in, answers) if state is not None for message in state[1]]
            for message in listed:
                self._take_listed(message, member)
            if listed:
                self.state = MapState.STATETRANSFERRED
                return
            if not answers:
                log.warning(
                    "Transfer state, 0 replies, probably a timeout: map [%s], member %s", self.link.name, member.name
                )

    # ---- entries without owner

    def look_after(self) -> None:
        """Settle what has stayed open since the last heartbeat."""
        with self.link.lock:
            self.table.graves.forget(self.link.clock())
            lost = [
                entry
                for entry in map(self.table.entries.get, list(self.table.orphans)[:MAX_ORPHANS])
                if entry is not None
            ]
        for entry in lost:
            if self._is_lost(entry):
                self._adopt_orphan(entry)
        self.fetching.want_again()
        self.fetching.hand_over_again()

    def _is_lost(self, entry: MapEntry) -> bool:
        with self.link.lock:
            owner, waited = entry.primary, self.table.orphans.get(entry.id, 0) + 1
            is_here = self.table.is_here(entry)
            if not is_here or owner == self.table.local or self.table.is_owner_there(entry):
                self.table.orphans.pop(entry.id, None)
                return False
            self.table.orphans[entry.id] = waited
        return owner is None or owner not in self.link.channel.members or waited > PATIENCE

    def _adopt_orphan(self, entry: MapEntry) -> None:
        """Become the owner of an entry without one, with the value that is here or the newest that any member has."""
        if entry.holds_value and not entry.is_stale:
            self.placement.claim(entry)
            return
        members = self.table.members.all
        if not members:
            self._adopt_with(entry, [], True)
            return

        def done(answers: list[Response]) -> None:
            if self._is_lost(entry):
                self._adopt_with(entry, answers, len(answers) == len(members))

        self.link.request_all(members, self.table.question(entry), self.link.timing.rpc_seconds, done)

    def _adopt_with(self, entry: MapEntry, answers: list[Response], have_all_said: bool) -> None:
        found = self.fetching.newest(map(self.fetching.value_in, answers))
        if found is not None and (not entry.holds_value or found.stamp.content > entry.content):
            self.claims.take_fetched(entry, found)
        elif entry.holds_value:
            self.placement.claim(entry)
        else:
            self.claims.forget(entry, have_all_said)
