"""Joining and leaving a replicated map, its state, its pings (Tomcat: tipis/AbstractReplicatedMap.java).

Every node knows every key; who holds the value beside the owner is what the two maps differ in. ``map_base`` has the
entries, ``map_ownership`` what this node does to them, ``map_receiving`` what others do.

Java asks for the state before it says START. Here START comes first: an entry made between the two would otherwise be
told to nobody. What the state says of a key that is known already is older, and is ignored.
"""

from __future__ import annotations

import logging
import threading

from catalina.errors import ProtocolError
from catalina.tribes.group.rpc_channel import ALL_REPLY, FIRST_REPLY, LATER, Response, RpcChannel
from catalina.tribes.io.java import EncodedValue, dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis import map_message
from catalina.tribes.tipis.map_members import MapMembers
from catalina.tribes.tipis.map_message import (
    MSG_COPY,
    MSG_INIT,
    MSG_NOTIFY_MAPMEMBER,
    MSG_PING,
    MSG_PROXY,
    MSG_REMOVE,
    MSG_RETRIEVE_BACKUP,
    MSG_START,
    MSG_STATE_COPY,
    MSG_STOP,
    MapMessage,
    MapState,
    decode_entries,
    encode_entries,
)
from catalina.tribes.tipis.map_receiving import MapReceiving

__all__ = ["AbstractReplicatedMap"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Entries without owner that are looked after at one heartbeat.
MAX_ORPHANS = 200
#: States of more entries are put together in a thread of their own.
STATE_IN_THREAD = 500


class AbstractReplicatedMap(MapReceiving):
    """A map that several nodes hold together; see :class:`MapBase` for the arguments.

    No method waits but :meth:`start` and a :meth:`get` that must fetch the value.
    """

    def start(self) -> None:
        """Join the others who have this map and learn what is in it. Waits for answers; not in the loop's thread.

        Raises:
            ChannelError: the channel is not started.
        """
        self.rpc = RpcChannel(self.channel, self.map_id, self)
        self.channel.add_channel_listener(self)
        self.channel.add_membership_listener(self)
        self._removed = set()
        for kind in (MSG_INIT, MSG_START):
            for response in self._ask_all(kind):
                self._hear(response)
        self._transfer_state()
        self._removed = None
        self.state = MapState.INITIALIZED

    def stop(self) -> None:
        """Leave: the others take over what this node owns."""
        if self.rpc is None:
            return
        self.state = MapState.DESTROYED
        self.channel.remove_channel_listener(self)
        self.channel.remove_membership_listener(self)
        self.rpc.close()
        self.rpc = None
        with self._lock:
            members = self._members.all
        self._send(members, MapMessage(self.map_id, MSG_STOP, primary=self.local))
        for thread in self._threads:
            thread.join(10)
        with self._lock:
            self._entries.clear()
            self._members = MapMembers()

    def _ask_all(self, kind: int) -> list[Response]:
        """Ask every member of the channel; one answer is enough, the others are heard when they come."""
        rpc = self.rpc
        members = list(self.channel.members)
        if rpc is None or not members:
            return []
        question = MapMessage(self.map_id, kind, primary=self.local).to_encoded()
        answers = rpc.send(members, question, FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000)
        if not answers:
            log.warning("Map [%s]: no member of the channel has the map, or none has answered", self._name)
        return answers

    def _hear(self, response: Response) -> None:
        """An answer to INIT or START: the one who gives it has the map."""
        if response.message.class_name == "null":
            return
        message = MapMessage.decode(response.message.to_stream())
        self._member_heard(response.source, message.suid)

    def _member_heard(self, member: Member, suid: int | None = None) -> None:
        """A member has the map; entries without holder get one when it is new."""
        if member == self.local:
            return
        if member not in self.channel.members:
            log.warning("Map [%s]: %s has the map but is no member of the channel", self._name, member.name)
            return
        with self._lock:
            is_new = self._members.heard(member, self._clock())
            self._members.learn_suid(member, suid)
            owed = self._owed.pop(member, set())
        if is_new:
            self._map_member_added(member)
        for key in owed:
            entry = self._entries.get(key)
            if entry is None:
                self._send([member], MapMessage(self.map_id, MSG_REMOVE, dumps(key)))
            elif entry.is_primary:
                self._publish(entry)

    def _map_member_added(self, member: Member) -> None:
        """Let a new member hold what nobody holds yet."""
        raise NotImplementedError

    def _map_member_gone(self, member: Member) -> None:
        """A member is gone: its entries need an owner, ours that it held need another holder."""
        raise NotImplementedError

    def member_added(self, member: Member) -> None:
        """A new member of the channel says itself whether it has the map."""

    def member_disappeared(self, member: Member) -> None:
        """A member of the channel is gone, and with it what it held."""
        with self._lock:
            was_known = self._members.remove(member)
            self._owed.pop(member, None)
        if was_known and self.state != MapState.DESTROYED:
            log.info("Map [%s]: member [%s] disappeared", self._name, member.name)
            self._map_member_gone(member)

    def heartbeat(self) -> None:
        """Ping every member of the channel, and let go of members of the map that stay silent."""
        rpc = self.rpc
        members = list(self.channel.members)
        if rpc is None or self._pinging or self.state != MapState.INITIALIZED:
            return
        self._adopt_orphans()
        if not members:
            self._drop_silent()
            return
        self._pinging = True
        question = MapMessage(self.map_id, MSG_PING, primary=self.local).to_encoded()
        rpc.request(members, question, ALL_REPLY, self.send_options, self.access_timeout_ms / 1000, self._pinged)

    def _adopt_orphans(self) -> None:
        """An entry whose owner went and whose heir was not heard: ask the heir to say so again, or be the heir."""
        with self._lock:
            orphans = [entry for entry in self._entries.values() if entry.primary is None][:MAX_ORPHANS]
        for entry in orphans:
            heirs = [node for node in entry.nodes if node in self._members]
            if entry.holds_value:
                self._claim(entry)
            elif heirs:
                notice = MapMessage(
                    self.map_id, MSG_NOTIFY_MAPMEMBER, dumps(entry.key), None, None, heirs[0], entry.nodes
                )
                self._send(heirs[:1], notice)
            else:
                with self._lock:
                    if self._entries.get(entry.key) is entry:
                        del self._entries[entry.key]

    def _pinged(self, responses: list[Response]) -> None:
        self._pinging = False
        for response in responses:
            try:
                message = MapMessage.decode(response.message.to_stream())
                if MapState.decode(message.value) == MapState.INITIALIZED:
                    self._member_heard(response.source, message.suid)
            except ProtocolError as error:
                log.error("Map [%s]: unable to read the ping of %s: %s", self._name, response.source.name, error)
        self._drop_silent()

    def _drop_silent(self) -> None:
        with self._lock:
            silent = self._members.silent_since(self._clock() - self.access_timeout_ms / 1000)
        for member in silent:
            log.warning("Member:[%s] in the Replicated Map[%s] has timed-out.", member.name, self._name)
            self.member_disappeared(member)

    def _transfer_state(self) -> None:
        """Ask one member after the other what is in the map, until one says."""
        rpc = self.rpc
        if rpc is None:
            return
        for member in self.members:
            question = self._encoded(MapMessage(self.map_id, self.state_message_type), member)
            for answer in rpc.send([member], question, FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000):
                if self._take_state(answer):
                    self.state = MapState.STATETRANSFERRED
                    return
            log.warning("Transfer state, 0 replies, probably a timeout: map [%s], member %s", self._name, member.name)

    def _take_state(self, answer: Response) -> bool:
        try:
            if answer.message.class_name == "null":
                return False
            data = MapMessage.decode(answer.message.to_stream()).value
            entries = [] if data is None else decode_entries(data)
        except ProtocolError as error:
            log.error("Unable to transfer LazyReplicatedMap state from %s: %s", answer.source.name, error)
            return False
        for message in entries:
            with self._lock:
                key = self._key_of(message)
                if key is None or key in self._entries or key in (self._removed or ()):
                    continue
                self._receive_entry(message)
        return True

    def _state_messages(self) -> list[MapMessage]:
        copies = self.state_message_type == MSG_STATE_COPY
        kind = MSG_COPY if copies else MSG_PROXY
        return [
            MapMessage(
                self.map_id,
                kind,
                dumps(entry.key),
                self.codec.encode(entry.value, MEMBER_IMPL_SUIDS[0]) if copies and entry.value is not None else None,
                None,
                entry.primary,
                entry.nodes,
            )
            for entry in self.entries()
        ]

    def _state_reply(self, request: MapMessage, sender: Member) -> EncodedValue:
        with self._lock:
            (suid,) = self._members.by_suid([sender])
        value = encode_entries(self._state_messages(), suid)
        return MapMessage(self.map_id, request.type, value=value).to_encoded(suid)

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Answer an RPC of another node's map."""
        request = MapMessage.decode(message.to_stream())
        if request.suid is not None:
            with self._lock:
                self._members.learn_suid(sender, request.suid)
        match request.type:
            case map_message.MSG_START | map_message.MSG_INIT:
                if request.type == MSG_START:
                    self._member_heard(sender, request.suid)
                return request.with_primary(self.local).to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_PING:
                answer = MapMessage(self.map_id, MSG_PING, value=MapState.encode(self.state), primary=self.local)
                return answer.to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_RETRIEVE_BACKUP:
                return self._retrieve_reply(request, sender)
            case map_message.MSG_STATE | map_message.MSG_STATE_COPY:
                return self._answer_state(request, sender, uuid)
        return None

    def _retrieve_reply(self, request: MapMessage, sender: Member) -> EncodedValue | None:
        key = self._key_of(request)
        value = self.peek(key) if key is not None else None
        if value is None:
            return None
        data = self.codec.encode(value, MEMBER_IMPL_SUIDS[0])
        return MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, request.key, data).to_encoded()

    def _answer_state(self, request: MapMessage, sender: Member, uuid: bytes) -> EncodedValue:
        if len(self._entries) <= STATE_IN_THREAD:
            return self._state_reply(request, sender)

        def work() -> None:
            rpc = self.rpc
            if rpc is not None:
                rpc.reply(sender, uuid, self._state_reply(request, sender))

        thread = threading.Thread(target=work, name=f"map-state[{self._name}]", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
        return LATER

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """An answer that came late still tells who has the map."""
        if message.class_name == "null":
            return
        answer = MapMessage.decode(message.to_stream())
        if answer.type in (MSG_START, MSG_INIT):
            self._member_heard(sender, answer.suid)
