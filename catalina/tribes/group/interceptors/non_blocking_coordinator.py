"""Elects a leader by messages (Tomcat: interceptors/NonBlockingCoordinator.java).

The first member in absolute order starts: it sends its view as a request to the next member in the view, which merges
the view with its own, and so on round the ring. When the request comes back unchanged to the member that began, that
member sends confirmations to all, and every member installs the view. The other members wait to be asked; the first
checks on each heartbeat if the view still fits.

Everything happens in the runner. Java blocks while it connects to members that it has not heard of, or sends to the
next; here the step continues when the answer comes.

The message of an election::

    16     header
    4 + n  member record of the leader
    4 + n  member record of the source
    4      number of members
    4 + n  each member of the view, in absolute order
    16     id of the election, later of the view
    16     type: request or confirmation
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK, ChannelMessage, Delivery
from catalina.tribes.group.absolute_order import absolute_order, in_absolute_order
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.io.channel_data import UniqueIds
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.tcp_probe import TcpProbe

__all__ = [
    "COORD_ALIVE",
    "COORD_CONF",
    "COORD_HEADER",
    "COORD_REQUEST",
    "CoordinationMessage",
    "NonBlockingCoordinator",
]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.NonBlockingCoordinator")

#: Seconds within which a member that only others have heard of must accept a connection.
_PROBE_SECONDS = 3.0
#: Members of a view that are probed, because a message could name any number of addresses.
_MAX_PROBES = 100
COORD_HEADER = bytes.fromhex("aa26dee39e5a413faf86fa9263ca0d3f")
COORD_REQUEST = bytes.fromhex("68a1a4d672dc47edb1147a65ffd0cf1e")
COORD_CONF = bytes.fromhex("43586baa45174cbaa5e9a9e783564b14")
#: No implementation sends it any more; a received one is dropped.
COORD_ALIVE = bytes.fromhex(
    "4f87e7f1c505405eb37189a83472c8d2ee660a2281f74773ba489b5848847f6f"
    "4a4c8c326f674103b333dd00777509e67732b5979a244f25bcac850fea936ac9"
)

_LENGTH = struct.Struct(">i")
#: A member record has at least 73 bytes, and 4 more for its length.
_LEAST_MEMBER = 77


@dataclass(frozen=True, slots=True)
class CoordinationMessage:
    """A view that travels among its members.

    Args:
        leader: the first of the view, as the sender sees it.
        source: the member that began the election.
        view: the members, in absolute order.
        unique_id: the id of the election.
        kind: COORD_REQUEST or COORD_CONF.
    """

    leader: Member
    source: Member
    view: tuple[Member, ...]
    unique_id: bytes
    kind: bytes

    def encode(self) -> bytes:
        """The message's bytes."""
        members = (self.leader, self.source, *self.view)
        records = [member.encode() for member in members]
        sized = [_LENGTH.pack(len(record)) + record for record in records]
        return b"".join((COORD_HEADER, *sized[:2], _LENGTH.pack(len(self.view)), *sized[2:], self.unique_id, self.kind))

    @classmethod
    def decode(cls, data: bytes) -> CoordinationMessage:
        """Read a message that starts with the header.

        Raises:
            ProtocolError: the message is cut off or damaged.
        """
        at = len(COORD_HEADER)
        leader, at = _member(data, at)
        source, at = _member(data, at)
        count, at = _int(data, at)
        if not 0 < count <= len(data) // _LEAST_MEMBER:
            raise ProtocolError(f"view of {count} members in {len(data)} bytes", at)
        view = []
        for _ in range(count):
            member, at = _member(data, at)
            view.append(member)
        unique_id, kind = data[at : at + 16], data[at + 16 : at + 32]
        if kind not in (COORD_REQUEST, COORD_CONF):
            raise ProtocolError(f"expected the type of an election, got {kind!r}", at + 16)
        return cls(leader, source, tuple(view), unique_id, kind)


def _int(data: bytes, at: int) -> tuple[int, int]:
    if at + _LENGTH.size > len(data):
        raise ProtocolError(f"election message of {len(data)} bytes ends too early", at)
    return _LENGTH.unpack_from(data, at)[0], at + _LENGTH.size


def _member(data: bytes, at: int) -> tuple[Member, int]:
    size, at = _int(data, at)
    if not 0 <= size <= len(data) - at:
        raise ProtocolError(f"member of {size} bytes, {len(data) - at} are left", at)
    return Member.decode(data[at : at + size]), at + size


class NonBlockingCoordinator(ChannelInterceptorBase):
    """Keeps a view, the same on all members, whose first member is the coordinator.

    It needs members and acknowledged messages from the layers below. Its own messages end here; messages of the
    application pass unchanged.
    """

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        #: All members of the installed view in absolute order, this one too.
        self.view: tuple[Member, ...] = ()
        self.view_id = b""
        self._known: dict[Member, Member] = {}
        self._known_sorted: tuple[Member, ...] = ()
        self._suggested: tuple[Member, ...] = ()
        self._suggested_id = b""
        self._answering = False
        self._started = False
        self._next_id = UniqueIds().next

    @property
    def coordinator(self) -> Member | None:
        """The first of the view, None before the first election."""
        return self.view[0] if self.view else None

    @property
    def is_coordinator(self) -> bool:
        """True when this node is the coordinator."""
        return bool(self.view) and self.view[0] == self.local_member

    @property
    def is_highest(self) -> bool:
        """True when this node comes first among the members that it knows, whatever the view says."""
        known = self._known_sorted
        return not known or absolute_order(self.local_member) <= absolute_order(known[0])

    def view_change(self, view: tuple[Member, ...]) -> None:
        """Called when a view is installed; subclasses and instances may replace this."""
        log.info("Accepted View of %d members, coordinator %s", len(view), view[0])

    # Members.

    @property
    def members(self) -> Sequence[Member]:
        """The members in absolute order."""
        return self._known_sorted

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member."""
        return (super().get_member(member) or self._known[member]) if member in self._known else None

    def member_added(self, member: Member) -> None:
        """Tell the layers above, and start an election."""
        self._learn(member)
        if self._started:
            self.start_election(False)

    def _learn(self, member: Member) -> None:
        if member not in self._known and member != self.local_member:
            self._known[member] = member
            self._known_sorted = in_absolute_order(self._known.values())
            super().member_added(member)

    def member_disappeared(self, member: Member) -> None:
        """Tell the layers above. The coordinator, or the member after a lost coordinator, starts an election."""
        self._known.pop(member, None)
        self._known_sorted = in_absolute_order(self._known.values())
        super().member_disappeared(member)
        if self._started and (self.is_coordinator or self.is_highest):
            self._abandon()  # an election in which the lost member took part may never end
            self.start_election(True)

    def _fits(self, view: Iterable[Member]) -> bool:
        return set(view) == {*self._known, self.local_member}

    # Life.

    def start(self, level: int) -> None:
        """Start the layers below, then start an election.

        This node answers requests as soon as its receiver runs, because a Java member waits for an answer for ever.
        """
        self._answering = True
        super().start(level)
        if not self._started:
            self._started = True
            self.channel.running_reactor.call_soon(self._begin)

    def _begin(self) -> None:
        for member in super().members:
            self._learn(member)
        self.start_election(False)

    def stop(self, level: int) -> None:
        """Forget the view."""
        self._answering = self._started = False
        super().stop(level)
        self.view, self.view_id = (), b""
        self._known, self._known_sorted = {}, ()
        self._abandon()

    def heartbeat(self, now: float) -> None:
        """Start an election when the view does not fit any more."""
        super().heartbeat(now)
        if self._started and self.is_highest and not self._fits(self.view):
            log.debug("Heartbeat found inconsistency, restart election")
            self._abandon()
            self.start_election(True)

    # Electing.

    def start_election(self, force: bool) -> None:
        """Begin an election if none is running and it is this node's turn or ``force`` is set. Only in the runner."""
        local, others = self.local_member, self._known_sorted
        if not others:
            self._install((local,), self._next_id())
            return
        if self._suggested_id:
            if set(self._suggested) == set(self.view):
                self._abandon()
            return
        if self._fits(self.view):
            return
        leader = min(local, others[0], key=absolute_order)
        if leader == local or force:
            message = CoordinationMessage(
                leader, local, in_absolute_order([local, *others]), self._next_id(), COORD_REQUEST
            )
            self._suggested, self._suggested_id = message.view, message.unique_id
            self._send_to_next_in_line(message)

    def _abandon(self) -> None:
        self._suggested, self._suggested_id = (), b""

    def _send_to_next_in_line(self, message: CoordinationMessage) -> None:
        """Pass the request to the next member; if it cannot be reached, to the one after it, and so on round the
        ring.
        """
        view = message.view
        start = view.index(self.local_member) if self.local_member in view else -1
        ring = [*view[start + 1 :], *view[: max(start, 0)]]
        self._try_ring(replace(message, leader=view[0]), ring)

    def _try_ring(self, message: CoordinationMessage, ring: list[Member]) -> None:
        if not ring:
            log.warning("Unable to send the election message to any member of the view")
            self._abandon()
            return
        target, rest = ring[0], ring[1:]

        def sent(delivery: Delivery) -> None:
            if delivery.faulty and self._answering:
                log.warning("Unable to send election message to:[%s]", target)
                self._try_ring(message, rest)

        try:
            self._send(message, [target]).add_done_callback(sent)
        except ChannelError as exc:
            log.warning("Unable to send election message to:[%s]: %s", target, exc)
            self._try_ring(message, rest)

    def _send(self, message: CoordinationMessage, to: Sequence[Member]) -> Delivery:
        now_ms = time.time_ns() // 1_000_000
        wire = ChannelMessage(message.encode(), SEND_OPTIONS_USE_ACK, now_ms, self._next_id(), self.local_member)
        delivery = Delivery(len(to), wire.unique_id)
        super().send_message(to, wire, delivery)
        return delivery

    # Receiving.

    def message_received(self, message: ChannelMessage) -> None:
        """Handle messages of elections, pass on all others.

        Raises:
            ProtocolError: a damaged message of an election.
        """
        if message.data.startswith(COORD_HEADER):
            self._process(CoordinationMessage.decode(message.data))
        elif not message.data.startswith(COORD_ALIVE):
            super().message_received(message)

    def _process(self, message: CoordinationMessage) -> None:
        if not self._answering:
            return
        unknown = [member for member in message.view if member not in self._known and member != self.local_member]
        if len(unknown) > _MAX_PROBES:
            raise ProtocolError(f"view with {len(unknown)} unknown members, limit {_MAX_PROBES}")
        self._probe_all(unknown, lambda alive: self._merged(message, alive))

    def _probe_all(self, members: Sequence[Member], then: Callable[[list[Member]], None]) -> None:
        """Call ``then`` with the members that accept a connection."""
        alive: list[Member] = []
        waiting = len(members)
        if not waiting:
            then(alive)

        def judge(member: Member, there: bool) -> None:
            nonlocal waiting
            waiting -= 1
            if there:
                alive.append(member)
            if waiting == 0 and self._answering:
                then(alive)

        for member in members:
            if member.is_leaving:
                judge(member, False)
            else:
                TcpProbe(self.channel, member, b"", _PROBE_SECONDS, None, _judge_of(judge, member))

    def _merged(self, message: CoordinationMessage, alive: Sequence[Member]) -> None:
        """Continue with the union of the message's members and those that this node knows."""
        for member in alive:
            self._learn(member)
        merged = in_absolute_order([self.local_member, *self._known])
        if message.kind == COORD_CONF:
            self._confirmed(message, merged)
        elif message.source == self.local_member:
            self._came_back(message, merged)
        elif message.leader != self.local_member:
            self._send_to_next_in_line(replace(message, view=merged))
        # Otherwise this node comes before the member that began: its own election is on its way, or the heartbeat
        # begins one.

    def _came_back(self, message: CoordinationMessage, merged: tuple[Member, ...]) -> None:
        if message.leader != self.local_member:
            self._abandon()
            self._send_to_next_in_line(replace(message, view=merged))
        elif message.view == merged:
            confirmation = replace(message, kind=COORD_CONF)
            others = [member for member in merged if member != self.local_member]
            if others:
                self._send(confirmation, others)
            self._confirmed(confirmation, merged)
        else:
            self._suggested, self._suggested_id = merged, message.unique_id
            self._send_to_next_in_line(replace(message, view=merged))

    def _confirmed(self, message: CoordinationMessage, merged: tuple[Member, ...]) -> None:
        if message.unique_id == self.view_id:
            return
        self._install(message.view, message.unique_id)
        if message.unique_id == self._suggested_id or (
            self._suggested and absolute_order(self._suggested[0]) < absolute_order(merged[0])
        ):
            self._abandon()
        known = self._known_sorted
        if not self._suggested_id and known and absolute_order(merged[0]) > absolute_order(known[0]):
            self.start_election(False)

    def _install(self, view: tuple[Member, ...], view_id: bytes) -> None:
        changed = view != self.view
        self.view, self.view_id = view, view_id
        if changed:
            self.view_change(view)


def _judge_of(judge: Callable[[Member, bool], None], member: Member) -> Callable[[bool], None]:
    """A callback that notes the verdict of one probe for its member."""
    return lambda there: judge(member, there)
