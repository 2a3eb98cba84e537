"""What a replicated map is made of: its entries, its members, and how a message reaches them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from catalina.errors import ChannelError
from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import EncodedValue, OpaqueValue, dumps, loads
from catalina.tribes.io.java.key_check import KeyRefusedError, KeyWork
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_graves import Graves
from catalina.tribes.tipis.map_members import MapMembers
from catalina.tribes.tipis.map_message import MSG_REMOVE, MapMessage, MapState
from catalina.tribes.tipis.map_stamp import NO_VERSION, Stamp, VersionClock, is_same_life
from catalina.tribes.tipis.map_values import MapOwner, ObjectCodec, ValueCodec

if TYPE_CHECKING:
    from catalina.reactor import Reactor, Waitable
    from catalina.tribes.group.rpc_channel import RpcChannel

__all__ = ["Countdown", "Done", "MapBase", "MapChannel"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Map sends as Tomcat's: synchronous acknowledgement.
DEFAULT_OPTIONS = 6
#: How many keys a member is owed at most; beyond that it is asked what it knows, and told the rest.
MAX_OWED = 1000

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


class Countdown:
    """Calls ``then()`` at the last of ``count`` calls, which may come from several threads."""

    __slots__ = ("_count", "_lock", "_then")

    def __init__(self, count: int, then: Callable[[], None]) -> None:
        self._count = count
        self._then = then
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._count -= 1
            is_last = self._count == 0
        if is_last:
            self._then()


class MapBase:
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
        now: seconds since the epoch, for versions.
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
        now: Callable[[], float] = time.time,
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
        self._versions = VersionClock(now)
        self._graves = Graves()
        self._fetching: dict[Any, Waitable] = {}
        #: Keys about which a member that is still there could not be told.
        self._owed: dict[Member, set[Any]] = {}
        #: Since when each member is told all claims of this node, and which of its own such versions each has told when
        #: it said what it owns. Another one in its ping means that there are claims to be asked for.
        self._told_since: dict[Member, bytes] = {}
        self._heard_since: dict[Member, bytes] = {}
        #: At how many heartbeats it is still compared whether each owns what we believe.
        self._doubts = 0
        #: Members that are being asked what they own.
        self._asking: set[Member] = set()
        #: Keys whose owner is not known, or not there in that life, and at how many heartbeats that was so.
        self._orphans: dict[Any, int] = {}
        #: Keys of which the value here is older than the owner's.
        self._wanted: set[Any] = set()
        self._pinging = False
        self._threads: list[threading.Thread] = []
        self.rpc: RpcChannel | None = None

    @property
    def owed_changes(self) -> int:
        """Changes that members have not been told yet, counted for each member."""
        return sum(len(keys) for keys in list(self._owed.values()))

    @property
    def local(self) -> Member:
        """This node."""
        return self.channel.local_member

    @property
    def members(self) -> tuple[Member, ...]:
        """The other nodes that have this map."""
        with self._lock:
            return self._members.all

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

    @property
    def _name(self) -> str:
        return self.map_id.decode("iso-8859-1")

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

    def _owe(self, members: Iterable[Member], key: Any) -> None:
        """These could not be told about the entry; they are when they are heard again."""
        with self._lock:
            for member in members:
                if member not in self._members:
                    continue  # it says what it knows when it is heard again
                owed = self._owed.setdefault(member, set())
                owed.add(key)
                if len(owed) > MAX_OWED:
                    del self._owed[member]
                    self._told_since[member] = self._tick()  # it asks for all of it

    def _is_owner_there(self, entry: MapEntry) -> bool:
        """Whether the entry's owner has the map, and not another life of it than that which claimed the entry.

        A claim may come so late that its owner's map was started anew meanwhile, and knows nothing of it.
        """
        owner = entry.primary
        if owner is None or owner not in self._members:
            return False
        since = self._heard_since.get(owner, NO_VERSION)  # of Java none, and nor are its claims
        return not since or not entry.claim or is_same_life(since, entry.claim)

    def _tick(self) -> bytes:
        """A version that is later than all that this node knows of."""
        return self._versions.tick(self.local)

    def _about(
        self, kind: int, entry: MapEntry, value: bytes | None = None, nodes: tuple[Member, ...] | None = None
    ) -> MapMessage:
        """A message that tells who owns an entry, by the versions known here."""
        told = entry.nodes if nodes is None else nodes
        return MapMessage(self.map_id, kind, dumps(entry.key), value, None, entry.primary, told, stamp=entry.stamp)

    def _say_removed(self, to: Sequence[Member], key: Any, end: Stamp, then: Callable[[], None] | None = None) -> None:
        """Tell that the entry has ended."""

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, key)
            if then is not None:
                then()

        self._send(to, self._removal(key, end), done)

    def _removal(self, key: Any, end: Stamp) -> MapMessage:
        return MapMessage(self.map_id, MSG_REMOVE, dumps(key), stamp=end)

    def _key_of(self, message: MapMessage) -> Any:
        """The key of a message; None when there is none that can be one here."""
        if message.key is None:
            return None
        key = loads(message.key)
        if type(key) is str:
            return key
        if isinstance(key, OpaqueValue):
            return None
        try:
            KeyWork(len(message.key)).hash(key)
        except KeyRefusedError:
            return None
        return key
