"""The connection of a map to the same map on other nodes: messages, questions, and silent members.

The link owns the map's lock, which guards the map's table. Nothing is sent under the lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelListener, Delivery, MembershipListener
from catalina.tribes.group.rpc_channel import ALL_REPLY, FIRST_REPLY, Response, RpcChannel
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import MapMessage
from catalina.tribes.tipis.map_table import MapTable

if TYPE_CHECKING:
    from catalina.reactor import Reactor

__all__ = ["DEFAULT_OPTIONS", "Countdown", "Done", "MapChannel", "MapLink", "Timing"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Map sends as Tomcat's: synchronous acknowledgement.
DEFAULT_OPTIONS = 6
#: Seconds between two pings of a silent member.
PROBE_SECONDS = 1.0

Done = Callable[[dict[Member, BaseException]], None]


class MapChannel(Protocol):
    """The part of a channel that a map needs; :class:`catalina.tribes.group.group_channel.GroupChannel` has it."""

    @property
    def members(self) -> Sequence[Member]: ...

    @property
    def local_member(self) -> Member: ...

    @property
    def running_reactor(self) -> Reactor: ...

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery: ...

    def post_all(self, to: Sequence[Member], messages: Sequence[tuple[bytes, object]], options: int) -> Delivery: ...

    def add_channel_listener(self, listener: ChannelListener) -> None: ...

    def remove_channel_listener(self, listener: ChannelListener) -> None: ...

    def add_membership_listener(self, listener: MembershipListener) -> None: ...

    def remove_membership_listener(self, listener: MembershipListener) -> None: ...


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


@dataclass(frozen=True, slots=True)
class Timing:
    """Clocks and waiting times of a link.

    Args:
        clock: monotonic seconds.
        now: seconds since the epoch, for versions.
        rpc_seconds: the longest wait for answers, at the start and when a value is fetched.
        access_seconds: the longest wait for an answer to a ping, and the time for which a silent member is kept.
    """

    clock: Callable[[], float]
    now: Callable[[], float]
    rpc_seconds: float
    access_seconds: float


class MapLink:
    """The way to the other nodes.

    Args:
        send_options: channel options of all messages but RPCs.
        note: called with the Delivery of each message about an entry.
        probe: pings a silent member, and calls :meth:`probe_later` if the member does not answer.
    """

    def __init__(
        self,
        channel: MapChannel,
        table: MapTable,
        send_options: int,
        timing: Timing,
        note: Callable[[Delivery], None] | None,
        probe: Callable[[Member], None],
    ) -> None:
        self.channel = channel
        self.table = table
        self.send_options = send_options
        self.timing = timing
        self._note = note
        self._probe = probe
        self.lock = threading.RLock()
        self.name = table.map_id.decode("iso-8859-1")
        self.rpc: RpcChannel | None = None
        #: Members that have not acknowledged a message. Nothing waits for them until they have answered a ping.
        self.silent: dict[Member, None] = {}

    @property
    def now_us(self) -> int:
        """The wall clock in microseconds, for versions."""
        return int(self.timing.now() * 1_000_000)

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.timing.clock()

    def delivery(self) -> Delivery:
        """A new Delivery for a message about an entry, which ``note`` has seen."""
        told = Delivery(1, b"", self.channel.running_reactor)
        if self._note is not None:
            self._note(told)
        return told

    def are_silent(self, members: Iterable[Member]) -> bool:
        """True when any of the members has not acknowledged a message."""
        return bool(self.silent) and not self.silent.keys().isdisjoint(members)

    # -- messages ------------------------------------------------------------------------------------------------

    def send(self, to: Sequence[Member], message: MapMessage, done: Done | None = None) -> None:
        """Send to all members, to each in the form of its version; ``done(faulty)`` is called once, perhaps
        immediately.

        A member that did not acknowledge the last message counts as faulty immediately: a frozen member costs each
        request that was under way one time-out, and later requests nothing.
        """
        faulty: dict[Member, BaseException] = {}
        if self.silent:
            faulty.update((member, TimeoutError("not acknowledged before")) for member in to if member in self.silent)
            to = [member for member in to if member not in faulty]
        with self.lock:
            groups = self.table.members.by_suid(to)
        if not groups:
            if done is not None:
                done(faulty)
            return
        left = [len(groups)]

        def one_done(delivery: Delivery) -> None:
            if delivery.faulty:
                self.note_silent(message, delivery.faulty)
            with self.lock:
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

    def note_silent(self, message: MapMessage, faulty: dict[Member, BaseException]) -> None:
        for member, reason in faulty.items():
            log.warning("Map [%s]: message %s did not reach %s: %s", self.name, message.type, member.name, reason)
            with self.lock:
                is_new = member in self.table.members and member not in self.silent
                if is_new:
                    self.silent[member] = None
            if is_new:
                self._probe(member)  # a single message may have been lost

    def probe_later(self, member: Member) -> None:
        """Ping a silent member again after a while."""
        self.channel.running_reactor.call_later(PROBE_SECONDS, lambda: self._probe(member))

    def heard(self, member: Member) -> None:
        """A member has answered."""
        with self.lock:
            self.silent.pop(member, None)

    def owe(self, members: Iterable[Member], id: Hashable) -> None:
        """Note that these members could not be told about an entry; they are told when they are heard again."""
        with self.lock:
            self.table.owe(members, id, self.now_us)

    def say_removed(self, to: Sequence[Member], id: Hashable, then: Callable[[], None] | None = None) -> None:
        """Tell the members that an entry has ended."""

        def done(faulty: dict[Member, BaseException]) -> None:
            self.owe(faulty, id)
            if then is not None:
                then()

        with self.lock:
            grave = self.table.graves.get(id)
        self.send(to, self.table.removal(grave), done)

    # -- questions -----------------------------------------------------------------------------------------------

    def question(self, message: MapMessage, member: Member) -> EncodedValue:
        """A question in the form of the member's version."""
        with self.lock:
            (suid,) = self.table.members.by_suid([member])
        return message.to_encoded(suid)

    def ask(self, member: Member, message: MapMessage) -> list[Response]:
        """Ask one member and wait for the answer; returns an empty list when none comes. Not in the loop's thread."""
        rpc = self.rpc
        if rpc is None:
            return []
        question = self.question(message, member)
        return rpc.send([member], question, FIRST_REPLY, self.send_options, self.timing.rpc_seconds)

    def request(self, member: Member, message: MapMessage, done: Callable[[list[Response]], None]) -> bool:
        """Ask one member; ``done(answers)`` is called later. Returns False when the map is stopped."""
        rpc = self.rpc
        if rpc is None:
            return False
        question = self.question(message, member)
        rpc.request([member], question, FIRST_REPLY, self.send_options, self.timing.rpc_seconds, done)
        return True

    def request_all(
        self, members: Sequence[Member], message: MapMessage, seconds: float, done: Callable[[list[Response]], None]
    ) -> bool:
        """Ask several members; ``done(answers)`` is called when all have answered or the time is up."""
        rpc = self.rpc
        if rpc is None:
            return False
        rpc.request(list(members), message.to_encoded(), ALL_REPLY, self.send_options, seconds, done)
        return True
