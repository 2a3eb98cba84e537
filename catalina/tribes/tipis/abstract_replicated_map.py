"""What both replicated maps do: join, transfer the state, ping, receive (Tomcat: tipis/AbstractReplicatedMap.java).

Every node knows every key; who holds the value beside the owner is what the two maps differ in. No method waits but
:meth:`AbstractReplicatedMap.start` and a :meth:`AbstractReplicatedMap.get` that must fetch the value; what is sent is
handed to the channel and its outcome comes back in the event loop's thread.

Java asks for the state before it says START. Here START comes first: an entry made between the two would otherwise be
told to nobody. What the state says of a key that is known already is older, and is ignored.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage, Delivery
from catalina.tribes.group.rpc_channel import ALL_REPLY, FIRST_REPLY, LATER, Response, RpcChannel
from catalina.tribes.io.java import EncodedValue, OpaqueValue, dumps, loads
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import Event, MapEntry, Role, comes_first
from catalina.tribes.tipis.map_members import MapMembers
from catalina.tribes.tipis.map_message import (
    MSG_ACCESS,
    MSG_BACKUP,
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
from catalina.tribes.tipis.map_values import MapOwner, ObjectCodec, ValueCodec, is_diffable

if TYPE_CHECKING:
    from catalina.reactor import Reactor

__all__ = ["AbstractReplicatedMap", "MapChannel"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Map sends as Tomcat's: synchronous acknowledgement.
DEFAULT_OPTIONS = 6
#: Entries whose new backup is under way at once: a join must not put every session into the backlog.
WINDOW = 64
#: States of more entries are put together in a thread of their own.
STATE_IN_THREAD = 500
#: Keys remembered as removed while the state is on its way.
MAX_REMOVED = 100_000

Done = Callable[[dict[Member, BaseException]], None]


class MapChannel(Protocol):
    """What a map needs of a channel; :class:`catalina.tribes.group.group_channel.GroupChannel` has it."""

    @property
    def members(self) -> Sequence[Member]: ...

    @property
    def local_member(self) -> Member: ...

    @property
    def running_reactor(self) -> Reactor: ...

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery: ...

    def add_channel_listener(self, listener: Any) -> None: ...

    def remove_channel_listener(self, listener: Any) -> None: ...

    def add_membership_listener(self, listener: Any) -> None: ...

    def remove_membership_listener(self, listener: Any) -> None: ...


class AbstractReplicatedMap:
    """A map that several nodes hold together.

    Args:
        channel: a started channel; the map listens on it from :meth:`start` to :meth:`stop`.
        map_id: the map's name, the same on all nodes (ISO-8859-1 of a text, as Java has it).
        owner: told what others do to the entries.
        codec: how values travel.
        rpc_timeout_ms: how long answers are waited for at the start and when a value is fetched.
        access_timeout_ms: how long an answer to a ping is waited for, and a silent member is kept.
        send_options: for everything that is not an RPC.
        clock: monotonic seconds.
        note: given the handle of everything that is sent about an entry, by whoever's thread causes it: a request's
            answer can wait for it.
    """

    #: COPY or BACKUP, STATE_COPY or STATE: what the map's kind says.
    replicate_message_type: int
    state_message_type: int

    def __init__(
        self,
        channel: MapChannel,
        map_id: str | bytes,
        owner: MapOwner | None = None,
        codec: ValueCodec | None = None,
        *,
        rpc_timeout_ms: int = 15_000,
        access_timeout_ms: int = 5_000,
        send_options: int = DEFAULT_OPTIONS,
        clock: Callable[[], float] = time.monotonic,
        note: Callable[[Delivery], None] | None = None,
    ) -> None:
        self.channel = channel
        self.map_id = map_id.encode("iso-8859-1") if isinstance(map_id, str) else map_id
        self.owner = owner
        self.codec: ValueCodec = codec or ObjectCodec()
        self.rpc_timeout_ms = rpc_timeout_ms
        self.access_timeout_ms = access_timeout_ms
        self.send_options = send_options
        self.state = MapState.NEW
        self._clock = clock
        self._note = note
        self._lock = threading.RLock()
        self._entries: dict[Any, MapEntry] = {}
        self._members = MapMembers()
        self._removed: set[Any] | None = None  # keys removed while the state is on its way
        self._fetching: dict[Any, threading.Event] = {}
        #: Keys about which a member that is still there could not be told.
        self._owed: dict[Member, set[Any]] = {}
        self._pinging = False
        self._threads: list[threading.Thread] = []
        self.rpc: RpcChannel | None = None

    # ---- life

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

    @property
    def local(self) -> Member:
        """This node."""
        return self.channel.local_member

    @property
    def members(self) -> tuple[Member, ...]:
        """The other nodes that have this map."""
        with self._lock:
            return self._members.all

    # ---- reading

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Any) -> bool:
        return key in self._entries

    def keys(self) -> list[Any]:
        """Every key of the group."""
        with self._lock:
            return list(self._entries)

    def entries(self) -> Iterator[MapEntry]:
        """Every entry as this node sees it."""
        with self._lock:
            return iter(list(self._entries.values()))

    def entry(self, key: Any) -> MapEntry | None:
        """One entry as this node sees it, None when nobody has it."""
        return self._entries.get(key)

    def peek(self, key: Any) -> Any:
        """The value if it is here, without becoming its owner."""
        entry = self._entries.get(key)
        return entry.value if entry is not None else None

    def get(self, key: Any) -> Any:
        """The value, None when there is none; this node owns the entry afterwards.

        Waits when another node has the value; in the event loop's thread another one takes over meanwhile.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.is_primary:
            return entry.value
        if entry.holds_value:
            self._claim(entry)
        else:
            self._fetch(entry)
        return entry.value if self._entries.get(key) is entry else None

    # ---- changing

    def put(self, key: Any, value: Any) -> Delivery:
        """Set a value here; the handle is done when the others know."""
        with self._lock:
            old = self._entries.get(key)
            entry = MapEntry(key, value)
            if old is not None:
                entry.role, entry.primary, entry.nodes = old.role, old.primary, old.nodes
            entry.apply(Event.CLAIMED, self.local, ())
            self._entries[key] = entry
            if self._removed is not None:
                self._removed.discard(key)
        if is_diffable(value):
            value.take_diff()  # the others get it whole
        return self._publish(entry)

    def remove(self, key: Any) -> Any:
        """Remove an entry from all nodes; returns the value if it was here."""
        with self._lock:
            entry = self._entries.pop(key, None)
            self._note_removed(key)
            members = self._members.all
        if entry is None:
            return None
        told = self._delivery()

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, key)
            told.finish()

        self._send(members, MapMessage(self.map_id, MSG_REMOVE, dumps(key)), done)
        return entry.value

    def replicate(self, key: Any, complete: bool = False) -> Delivery | None:
        """Tell the holders what has changed in a value; None when there is nothing to tell, or nobody.

        Args:
            complete: tell the whole value if it cannot say what changed.
        """
        entry = self._entries.get(key)
        if entry is None or entry.value is None:
            return None
        value = entry.value
        diff = value.take_diff() if is_diffable(value) else None
        if not entry.is_primary:
            if diff is None and not complete:
                return None
            self._claim_silently(entry)  # another node claimed it while a request was changing it here
            return self._publish(entry)
        if not entry.nodes:
            with self._lock:
                alone = not self._members
            return None if alone or (diff is None and not complete) else self._publish(entry)
        message = self._change_message(entry, diff, complete)
        return None if message is None else self._tell_nodes(entry, message)

    def _change_message(self, entry: MapEntry, diff: bytes | None, complete: bool) -> MapMessage | None:
        key, value = dumps(entry.key), entry.value
        kind = self.replicate_message_type
        if diff is not None:
            return MapMessage(self.map_id, kind, key, None, diff, entry.primary, entry.nodes)
        if complete:
            encoded = self.codec.encode(value, MEMBER_IMPL_SUIDS[0])
            return MapMessage(self.map_id, kind, key, encoded, None, entry.primary, entry.nodes)
        if is_diffable(value) and value.access_due():
            return MapMessage(self.map_id, MSG_ACCESS, key, None, None, entry.primary, entry.nodes)
        return None

    def _tell_nodes(self, entry: MapEntry, message: MapMessage) -> Delivery:
        told = self._delivery()
        entry.claims += 1  # it names the owner, too

        def done(faulty: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            if faulty and entry.is_primary:
                # A holder that missed a change has an old value: it gets the whole, or another one does.
                self._publish(entry, avoid=faulty).add_done_callback(lambda _: told.finish())
            else:
                told.finish()

        self._send(entry.nodes, message, done)
        return told

    # ---- owning

    def _publish(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Tell everybody that this node owns the entry, and give the value to whoever shall hold it."""
        raise NotImplementedError

    def _claim_silently(self, entry: MapEntry) -> None:
        with self._lock:
            entry.apply(Event.CLAIMED, self.local, ())
            self._entries.setdefault(entry.key, entry)

    def _claim(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value is here."""
        self._claim_silently(entry)
        self._publish(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, entry.value)

    def _fetch(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value another node has; of several threads one asks."""
        with self._lock:
            fetched = self._fetching.get(entry.key)
            asks = fetched is None
            if fetched is None:
                fetched = self._fetching[entry.key] = threading.Event()
        if not asks:
            with self.channel.running_reactor.blocking():
                fetched.wait(self.rpc_timeout_ms / 1000 + 5)
            return
        try:
            self._fetch_value(entry)
        finally:
            with self._lock:
                self._fetching.pop(entry.key, None)
            fetched.set()

    def _fetch_value(self, entry: MapEntry) -> None:
        holders = [member for member in (*entry.nodes, entry.primary) if member is not None and member != self.local]
        value, is_gone = self._retrieve(entry.key, list(dict.fromkeys(holders)))
        if value is None:
            log.warning("Unable to retrieve remote object for key:[%s]", entry.key)
            with self._lock:
                if is_gone and self._entries.get(entry.key) is entry and not entry.is_primary:
                    del self._entries[entry.key]
            return
        if self.owner is not None:
            self.owner.value_received(entry.key, value)
        with self._lock:
            if self._entries.get(entry.key) is not entry:
                return  # removed meanwhile
            nodes = entry.nodes
            entry.value = value
            entry.apply(Event.CLAIMED, self.local, nodes)
        self._take_over(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, value)

    def _take_over(self, entry: MapEntry) -> None:
        """The holders keep the value under a new owner; everybody else learns who that is."""
        with self._lock:
            nodes = tuple(node for node in entry.nodes if node in self._members)
            entry.nodes = nodes
        if not nodes:
            self._publish(entry)
            return
        key = dumps(entry.key)
        told = self._delivery()
        entry.claims += 2
        waiting = [2]

        def one_done(_: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            waiting[0] -= 1
            if not waiting[0]:
                told.finish()

        def done(faulty: dict[Member, BaseException]) -> None:
            if faulty and entry.is_primary:
                self._publish(entry, avoid=faulty)
            one_done(faulty)

        self._send(nodes, MapMessage(self.map_id, MSG_NOTIFY_MAPMEMBER, key, None, None, self.local, nodes), done)
        self._tell_others(entry, key, nodes, one_done)

    def _claim_arrived(self, entry: MapEntry) -> None:
        """A claim of this node has arrived everywhere; if the entry is another's by now, that one must hear it."""
        entry.claims -= 1
        if not entry.claims:
            entry.claimed_at = self._clock()
            if entry.gave_way:
                self._concede(entry)

    def _gave_way(self, entry: MapEntry) -> None:
        """Another node has taken the entry from this one."""
        if not entry.claims and self._clock() - entry.claimed_at < self.access_timeout_ms / 1000:
            self._concede(entry)

    def _concede(self, entry: MapEntry) -> None:
        """Tell the one who has the entry now that it is his: some may have heard our claim after his."""
        entry.gave_way = False
        winner = entry.primary
        if winner is not None and winner != self.local:
            key = dumps(entry.key)
            self._send([winner], MapMessage(self.map_id, MSG_NOTIFY_MAPMEMBER, key, None, None, winner, entry.nodes))

    def _claim_again(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        """Another node, which had claimed the entry at the same time, says that it is ours."""
        if entry.is_primary:
            self._republish([entry])
        elif entry.holds_value:
            self._claim(entry)
        else:
            self._ask_for_value(entry, [node for node in nodes if node != self.local], self._claim)

    def _tell_others(self, entry: MapEntry, key: bytes, nodes: tuple[Member, ...], told: Done | None = None) -> None:
        """Say PROXY to those who hold nothing."""
        with self._lock:
            others = self._members.except_for(nodes)

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, entry.key)
            if told is not None:
                told(faulty)

        self._send(others, MapMessage(self.map_id, MSG_PROXY, key, None, None, self.local, nodes), done)

    def _owe(self, members: Iterable[Member], key: Any) -> None:
        """These could not be told about the entry; they are when they are heard again."""
        with self._lock:
            for member in members:
                self._owed.setdefault(member, set()).add(key)

    def _retrieve(self, key: Any, holders: list[Member]) -> tuple[Any, bool]:
        """Ask each holder in turn for the value; None when none has it, and whether all have said so."""
        rpc = self.rpc
        if rpc is None:
            return None, False
        answered = 0
        question = MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, dumps(key))
        for holder in holders:
            answers = rpc.send(
                [holder], self._encoded(question, holder), FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000
            )
            answered += len(answers)
            for answer in answers:
                value = self._value_in(answer)
                if value is not None:
                    return value, False
        return None, answered == len(holders)

    def _value_in(self, answer: Response) -> Any:
        if answer.message.class_name == "null":
            return None
        try:
            data = MapMessage.decode(answer.message.to_stream()).value
            return None if data is None else self.codec.decode(data)
        except ProtocolError as error:
            log.error("Unable to deserialize the value from %s: %s", answer.source.name, error)
            return None

    def _republish(self, entries: list[MapEntry]) -> None:
        """Give many entries new holders, some at a time."""
        waiting = iter(entries)

        def next_one(_: Delivery | None = None) -> None:
            for entry in waiting:
                if entry.is_primary and self._entries.get(entry.key) is entry:
                    self._publish(entry).add_done_callback(next_one)
                    return

        for _ in range(min(WINDOW, len(entries))):
            next_one()

    # ---- sending

    def _delivery(self) -> Delivery:
        told = Delivery(1, b"", self.channel.running_reactor)
        if self._note is not None:
            self._note(told)
        return told

    def _encoded(self, message: MapMessage, member: Member) -> EncodedValue:
        with self._lock:
            (suid,) = self._members.by_suid([member])
        return message.to_encoded(suid)

    def _send(self, to: Sequence[Member], message: MapMessage, done: Done | None = None) -> None:
        """Send to all, each in the form of its version; ``done(faulty)`` is called once, perhaps at once."""
        with self._lock:
            groups = self._members.by_suid(to)
        faulty: dict[Member, BaseException] = {}
        if not groups:
            if done is not None:
                done(faulty)
            return
        left = [len(groups)]

        def one_done(delivery: Delivery) -> None:
            with self._lock:
                faulty.update(delivery.faulty)
                left[0] -= 1
                is_last = not left[0]
            if is_last:
                if faulty:
                    self._log_faulty(message, faulty)
                if done is not None:
                    done(faulty)

        for suid, members in groups.items():
            try:
                delivery = self.channel.post(members, message.encode(suid), self.send_options)
            except ChannelError as error:
                delivery = Delivery(0)
                delivery.faulty.update(dict.fromkeys(members, error))
            delivery.add_done_callback(one_done)

    def _log_faulty(self, message: MapMessage, faulty: dict[Member, BaseException]) -> None:
        for member, reason in faulty.items():
            log.warning("Map [%s]: message %s did not reach %s: %s", self._name, message.type, member.name, reason)

    @property
    def _name(self) -> str:
        return self.map_id.decode("iso-8859-1")

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

    # ---- members of the map

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
        if not members:
            self._drop_silent()
            return
        self._pinging = True
        question = MapMessage(self.map_id, MSG_PING, primary=self.local).to_encoded()
        rpc.request(members, question, ALL_REPLY, self.send_options, self.access_timeout_ms / 1000, self._pinged)

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

    # ---- state

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

    # ---- receiving

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Answer an RPC of another node's map."""
        request = MapMessage.decode(message.to_stream())
        if request.suid is not None:
            with self._lock:
                self._members.learn_suid(sender, request.suid)
        match request.type:
            case 6 | 8:  # START, INIT
                if request.type == MSG_START:
                    self._member_heard(sender, request.suid)
                return request.with_primary(self.local).to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case 13:  # PING
                answer = MapMessage(self.map_id, MSG_PING, value=MapState.encode(self.state), primary=self.local)
                return answer.to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case 2:  # RETRIEVE_BACKUP
                return self._retrieve_reply(request, sender)
            case 5 | 10:  # STATE, STATE_COPY
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

    def _key_of(self, message: MapMessage) -> Any:
        """The key of a message; None when there is none that can be one here."""
        if message.key is None:
            return None
        key = loads(message.key)
        if isinstance(key, OpaqueValue) or type(key).__hash__ is None:
            return None
        return key

    def _note_removed(self, key: Any) -> None:
        if self._removed is not None and len(self._removed) < MAX_REMOVED:
            self._removed.add(key)

    def _receive_remove(self, message: MapMessage) -> None:
        key = self._key_of(message)
        with self._lock:
            entry = self._entries.pop(key, None)
            self._note_removed(key)
        if entry is not None and entry.value is not None and self.owner is not None:
            self.owner.value_removed(key, entry.value)

    def _collides(self, entry: MapEntry, primary: Member | None) -> bool:
        """Whether this node has claimed the entry at the same time, and keeps it."""
        return bool(
            entry.is_primary
            and entry.claims
            and primary is not None
            and primary != self.local
            and comes_first(self.local, primary)
        )

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
        if was_primary:
            self._gave_way(entry)
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

    def _ask_for_value(self, entry: MapEntry, holders: list[Member], then: Callable[[MapEntry], None]) -> None:
        """Ask for the value without waiting; ``then(entry)`` when it has come and is still wanted."""
        rpc = self.rpc
        role = entry.role

        def done(answers: list[Response]) -> None:
            for answer in answers:
                value = self._value_in(answer)
                if value is not None and entry.value is None and entry.role is role:
                    entry.value = value
                    if self.owner is not None:
                        self.owner.value_received(entry.key, value)
                    then(entry)

        if rpc is not None and holders:
            question = MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, dumps(entry.key)).to_encoded()
            rpc.request(holders, question, FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000, done)

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
        if was_primary:
            self._gave_way(entry)
        if is_diffable(entry.value):
            entry.value.accessed_elsewhere()
        owner = self.owner
        if owner is not None and held is not None:
            if entry.value is None:
                owner.value_removed(key, held)
            elif was_primary:
                owner.made_backup(key, held)
