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
from catalina.tribes.tipis.map_graves import Grave, Graves
from catalina.tribes.tipis.map_members import MapMembers
from catalina.tribes.tipis.map_message import MSG_ACCESS, MSG_REMOVE, MapMessage, MapState
from catalina.tribes.tipis.map_names import Bare, Names, decode_names
from catalina.tribes.tipis.map_stamp import NO_VERSION, VersionClock, is_same_life
from catalina.tribes.tipis.map_values import MapOwner, ObjectCodec, ValueCodec, is_mergeable

if TYPE_CHECKING:
    from catalina.reactor import Reactor, Waitable
    from catalina.tribes.group.rpc_channel import RpcChannel

__all__ = ["Countdown", "Done", "MapBase", "MapChannel"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Map sends as Tomcat's: synchronous acknowledgement.
DEFAULT_OPTIONS = 6
#: Between two questions whether a silent member is back.
PROBE_SECONDS = 1.0
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

    def post_all(self, to: Sequence[Member], messages: Sequence[tuple[bytes, object]], options: int) -> Delivery: ...

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
        bare: gives the part of a key that stays an entry's own for its whole life; the rest is presentation, and may
            change. None: keys do not change.
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
        bare: Bare | None = None,
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
        self._bare = bare
        self._lock = threading.RLock()
        self._entries: dict[Any, MapEntry] = {}
        #: Other bare names of entries -> what they are found by.
        self._aliases: dict[str, Any] = {}
        self._members = MapMembers()
        self._versions = VersionClock(now)
        self._graves = Graves()
        self._fetching: dict[Any, Waitable] = {}
        #: Entries about which a member that is still there could not be told.
        self._owed: dict[Member, set[Any]] = {}
        #: Since when each member is told all claims of this node, and which of its own such versions each has told when
        #: it said what it owns. Another one in its ping means that there are claims to be asked for.
        self._told_since: dict[Member, bytes] = {}
        self._heard_since: dict[Member, bytes] = {}
        #: At how many heartbeats it is still compared whether each owns what we believe.
        self._doubts = 0
        #: Members that are being asked what they own.
        self._asking: set[Member] = set()
        #: Entries whose owner is not known, or not there in that life, and at how many heartbeats that was so.
        self._orphans: dict[Any, int] = {}
        #: Entries of which the value here is older than the owner's.
        self._wanted: set[Any] = set()
        #: Values with something that the owner of their entry is not known to have yet, and how often each was sent.
        self._handed: dict[Any, tuple[Any, int]] = {}
        #: Members that have not acknowledged a message: nothing waits for them until they have answered a ping.
        self._silent: dict[Member, None] = {}
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
        return self.entry(key) is not None

    def keys(self) -> list[Any]:
        """Every key of the group."""
        with self._lock:
            return [entry.key for entry in self._entries.values()]

    def entries(self) -> Iterator[MapEntry]:
        """Every entry as this node sees it."""
        with self._lock:
            return iter(list(self._entries.values()))

    def entry(self, key: Any) -> MapEntry | None:
        """One entry as this node sees it, None when nobody has it. A name that was replaced leads nowhere."""
        entry = self._entries.get(self._id_of(key))
        if entry is None or self._bare is None or entry.names is None or entry.names.leads(self._bare(key)):
            return entry
        return None

    def peek(self, key: Any) -> Any:
        """The value if it is here, without becoming its owner."""
        entry = self.entry(key)
        return entry.value if entry is not None else None

    def has_ended(self, key: Any) -> bool:
        """Whether it is known here that the entry was removed."""
        return self._id_of(key) in self._graves

    def _id_of(self, key: Any) -> Any:
        """What the entry is found by that has or had this key."""
        if self._bare is None or type(key) is not str:
            return key
        name = self._bare(key)
        return self._aliases.get(name, name)

    def _is_here(self, entry: MapEntry) -> bool:
        return self._entries.get(entry.id) is entry

    # ---- names; all under the lock

    def _names_in(self, message: MapMessage, key: Any) -> tuple[Names, bool] | None:
        """The names that a message tells, and whether these are all that its sender knows; None when it tells none."""
        if self._bare is None or type(key) is not str:
            return None
        if message.names:
            return decode_names(message.names, key)
        is_whole = bool(message.stamp.birth) and message.diff is None and message.type != MSG_ACCESS
        return (Names(self._bare(key), key), True) if is_whole else None

    def _id_in(self, told: tuple[Names, bool] | None, key: Any) -> Any:
        """What the entry of a message is found by. Java hands an entry on under its present key alone, so two nodes may
        know one entry by different names: both take the smaller."""
        id = self._id_of(key)
        if told is None or told[0].id == id:
            return id
        first = self._aliases.get(told[0].id, told[0].id)
        entry, other = self._entries.get(id), self._entries.get(first)
        if entry is None or first == id:
            return first
        if other is not None:
            self._drop(entry)
        elif first < id:
            self._drop(entry)
            names = self._known_names(entry)
            entry.id = first
            self._entries[first] = entry
            self._take_names(entry, names.merged(Names(first, names.key, names.version), self._bare or str))
            return first
        else:
            self._aliases[first] = id
            return id
        return first

    def _id_of_message(self, message: MapMessage) -> Any:
        key = self._key_of(message)
        return None if key is None else self._id_in(self._names_in(message, key), key)

    def _known_names(self, entry: MapEntry) -> Names:
        return entry.names or Names(entry.id, entry.key)

    def _take_names(self, entry: MapEntry, names: Names) -> None:
        entry.names, entry.key = names, names.key
        for name in names.all:
            if name != entry.id:
                self._aliases[name] = entry.id

    def _learn_names(self, entry: MapEntry, told: tuple[Names, bool] | None) -> bool:
        """Take what a message says of an entry's names; whether its sender lacks some that are known here."""
        if told is None or not told[1] or self._bare is None:
            return False
        known = self._known_names(entry)
        merged = known.merged(told[0], self._bare)
        if merged != known:
            self._take_names(entry, merged)
        return merged != told[0]

    def _drop(self, entry: MapEntry) -> None:
        """Forget an entry and its names."""
        if self._is_here(entry):
            del self._entries[entry.id]
        self._forget_aliases(entry)
        self._orphans.pop(entry.id, None)
        self._wanted.discard(entry.id)
        self._handed.pop(entry.id, None)

    def _forget_aliases(self, entry: MapEntry) -> None:
        if entry.names is not None:
            for name in entry.names.all:
                if self._aliases.get(name) == entry.id:
                    del self._aliases[name]

    def _forget_names(self, entry: MapEntry, key: Any) -> None:
        """The entry is another one from now on, under this key."""
        self._forget_aliases(entry)
        self._aliases.pop(entry.id, None)
        entry.names, entry.key = None, key

    def _show_key(self, entry: MapEntry) -> None:
        """Let the value have the entry's key. Not under the lock."""
        if entry.names is not None and is_mergeable(entry.value):
            entry.value.renamed(entry.key, entry.names.version)

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
        """Send to all, each in the form of its version; ``done(faulty)`` is called once, perhaps at once.

        A member that did not acknowledge the last message counts as faulty at once: a frozen one costs each request
        that was under way one time-out, and no later one any.
        """
        faulty: dict[Member, BaseException] = {}
        if self._silent:
            faulty.update((member, TimeoutError("not acknowledged before")) for member in to if member in self._silent)
            to = [member for member in to if member not in faulty]
        with self._lock:
            groups = self._members.by_suid(to)
        if not groups:
            if done is not None:
                done(faulty)
            return
        left = [len(groups)]

        def one_done(delivery: Delivery) -> None:
            if delivery.faulty:
                self._note_silent(message, delivery.faulty)
            with self._lock:
                faulty.update(delivery.faulty)
                left[0] -= 1
                is_last = not left[0]
            if is_last and done is not None:
                done(faulty)

        for suid, members in groups.items():
            try:
                delivery = self.channel.post(members, message.encode(suid), self.send_options)
            except ChannelError as error:
                delivery = Delivery(0)
                delivery.faulty.update(dict.fromkeys(members, error))
            delivery.add_done_callback(one_done)

    def _note_silent(self, message: MapMessage, faulty: dict[Member, BaseException]) -> None:
        for member, reason in faulty.items():
            log.warning("Map [%s]: message %s did not reach %s: %s", self._name, message.type, member.name, reason)
            with self._lock:
                is_new = member in self._members and member not in self._silent
                if is_new:
                    self._silent[member] = None
            if is_new:
                self._probe(member)  # one message may be lost

    def _probe_later(self, member: Member) -> None:
        self.channel.running_reactor.call_later(PROBE_SECONDS, lambda: self._probe(member))

    def _probe(self, member: Member) -> None:
        """Ask a silent member whether it is back."""
        raise NotImplementedError

    def _owe(self, members: Iterable[Member], id: Any) -> None:
        """These could not be told about the entry; they are when they are heard again."""
        with self._lock:
            for member in members:
                if member not in self._members:
                    continue  # it says what it knows when it is heard again
                owed = self._owed.setdefault(member, set())
                owed.add(id)
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
        self, kind: int, entry: MapEntry, nodes: tuple[Member, ...] | None = None, *, has_names: bool = True
    ) -> MapMessage:
        """A message that tells who owns an entry, by the versions known here.

        Args:
            has_names: with all names of the entry; else with what it is found by.
        """
        told = entry.nodes if nodes is None else nodes
        names = b"" if entry.names is None else self._names_of(entry, is_whole=has_names)
        return MapMessage(
            self.map_id, kind, dumps(entry.key), None, None, entry.primary, told, None, entry.stamp, names
        )

    def _names_of(self, entry: MapEntry, *, is_whole: bool = False) -> bytes:
        """The block of an entry's names for a message; ``is_whole``: all of them, else by what it is found."""
        if entry.names is None or self._bare is None:
            return b""
        return entry.names.encode(self._bare, is_whole=is_whole)

    def _say_removed(self, to: Sequence[Member], id: Any, then: Callable[[], None] | None = None) -> None:
        """Tell that an entry has ended."""

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, id)
            if then is not None:
                then()

        with self._lock:
            grave = self._graves.get(id)
        self._send(to, self._removal(grave), done)

    def _removal(self, grave: Grave) -> MapMessage:
        return MapMessage(self.map_id, MSG_REMOVE, dumps(grave.key), stamp=grave.end, names=grave.names)

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
