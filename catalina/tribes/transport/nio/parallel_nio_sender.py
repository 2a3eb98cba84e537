"""Senders for all members (Tomcat: tribes/transport/nio/ParallelNioSender.java).

Anybody who can reach a receiver can make this node answer an address of his choice, and can invent addresses without
end. So connections to strangers stand in a small table of their own: each is closed as soon as nothing waits on it, and
a full table refuses further strangers but no member.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from catalina.errors import ChannelError
from catalina.reactor import Reactor
from catalina.tribes.channel import Delivery
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.member import Member
from catalina.tribes.transport.abstract_sender import AbstractSender
from catalina.tribes.transport.nio.nio_sender import KeyedFrame, NioSender
from catalina.tribes.transport.nio.udp_sender import UdpSender

if TYPE_CHECKING:
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["ParallelNioSender", "SenderTables"]

_NO_ROUTE: tuple[Sequence[Member], tuple[NioSender, ...]] = ([], ())
#: Members that can be sent to at a time; no group has more.
MAX_MEMBERS = 1000
#: Strangers that can be answered at a time: nodes that are about to join; nobody else has a claim to an answer.
MAX_STRANGERS = 32
#: Seconds between two checks for strangers that have their answer.
LOOK_SECONDS = 1.0


class _Sender(Protocol):
    @property
    def is_idle(self) -> bool: ...

    def close(self) -> None: ...


S = TypeVar("S", bound=_Sender)


class SenderTables(Generic[S]):
    """One kind of sender for each member that is sent to.

    Args:
        make: makes the sender to a member.
        is_member: tells whether somebody belongs to the group now. Any thread.
        reactor: gives the loop; raises as long as there is none.
        changed: called under the lock when a sender is removed, because others may have remembered it.
    """

    def __init__(
        self,
        make: Callable[[Member], S],
        is_member: Callable[[Member], bool],
        reactor: Callable[[], Reactor],
        changed: Callable[[], None],
    ) -> None:
        self.lock = threading.Lock()  # several threads may send a member's first message
        self.members: dict[Member, S] = {}
        self.strangers: dict[Member, S] = {}
        self._make = make
        self._is_member = is_member
        self._reactor = reactor
        self._changed = changed

    def get(self, member: Member) -> S | None:
        """The sender to ``member``, None when there is none."""
        return self.members.get(member) or self.strangers.get(member)

    def find(self, member: Member) -> S:
        """The sender to ``member``, made when there is none; under the lock.

        Raises:
            ChannelError: the table that it belongs in is full.
        """
        found = self.members.get(member) or self.strangers.get(member)
        if found is not None:
            return found
        known = self._is_member(member)
        table, limit = (self.members, MAX_MEMBERS) if known else (self.strangers, MAX_STRANGERS)
        if len(table) >= limit:
            kind = "members" if known else "nodes that are no members"
            raise ChannelError(f"no connection to {member}: {len(table)} {kind} are sent to, limit {limit}")
        sender = table[member] = self._make(member)
        if not known:
            self._look_later(member, sender)
        return sender

    def welcome(self, member: Member) -> None:
        """A stranger has become a member; its connection moves to the members' table."""
        with self.lock:
            sender = self.strangers.pop(member, None)
            if sender is not None:
                self.members[member] = sender

    def forget(self, member: Member) -> None:
        """Close the connection to ``member``. Only in the runner."""
        with self.lock:
            gone = [self.members.pop(member, None), self.strangers.pop(member, None)]
            self._changed()
        for sender in gone:
            if sender is not None:
                sender.close()

    def close(self) -> None:
        """Close all connections. Only in the runner."""
        with self.lock:
            senders = [*self.members.values(), *self.strangers.values()]
            self.members, self.strangers = {}, {}
            self._changed()
        for sender in senders:
            sender.close()

    def _look_later(self, member: Member, sender: S) -> None:
        self._reactor().call_later(LOOK_SECONDS, partial(self._close_stranger, member, sender))

    def _close_stranger(self, member: Member, sender: S) -> None:
        with self.lock:
            if self.strangers.get(member) is not sender:
                return
            if not sender.is_idle:
                self._look_later(member, sender)
                return
            del self.strangers[member]
            self._changed()
        sender.close()


class ParallelNioSender(AbstractSender):
    """Makes a connection to each member that is sent to, and keeps it."""

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._tables = SenderTables(self._new_sender, self._is_member, self._get_reactor, self._forget_route)
        self._tls_tables = SenderTables(self._new_tls_sender, self._is_member, self._get_reactor, self._forget_route)
        self._udp_tables = SenderTables(self._new_udp_sender, self._is_member, self._get_reactor, self._forget_route)
        #: The members that the last message went to, and their connections: all plain, or all encrypted where the group
        #: encrypts everything. Written under the lock of the tables.
        self._route: tuple[Sequence[Member], tuple[NioSender, ...]] = _NO_ROUTE
        #: The TLS for connections to securePorts, and True when all connections use it. The transmitter sets both.
        self.tls: TribesSslContext | None = None
        self.secure = False
        self._reactor: Reactor | None = None
        self._on_failure: Callable[[Member, BaseException], None] = _nobody_listens
        #: Tells whether somebody is a member of the group now. The transmitter sets it.
        self.knows: Callable[[Member], bool] = _everybody

    def open(self, reactor: Reactor, on_failure: Callable[[Member, BaseException], None]) -> None:
        """Get ready to send; ``on_failure`` is called in the runner for each member that a message did not reach."""
        self._reactor = reactor
        self._on_failure = on_failure

    def close(self) -> None:
        """Close every connection; waiting messages fail."""
        reactor, self._reactor = self._reactor, None
        if reactor is not None:
            run_in_runner(reactor, self._close_all)

    def _close_all(self) -> None:
        for tables in self._all_tables:
            tables.close()

    @property
    def _all_tables(self) -> tuple[SenderTables[NioSender], SenderTables[NioSender], SenderTables[UdpSender]]:
        return self._tables, self._tls_tables, self._udp_tables

    def traffic(self) -> dict[Member, tuple[int, int]]:
        """The :attr:`NioSender.traffic` of each member that has been sent to over TCP: bytes queued, and bytes done."""
        found: dict[Member, tuple[int, int]] = {}
        for tables in (self._tables, self._tls_tables):
            for member, sender in list(tables.members.items()):
                given, done = found.get(member, (0, 0))
                more, more_done = sender.traffic
                found[member] = (given + more, done + more_done)
        return found

    def _is_member(self, member: Member) -> bool:
        return self.knows(member)

    def _forget_route(self) -> None:
        self._route = _NO_ROUTE

    def enqueue(self, to: Sequence[Member], frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery) -> None:
        """Queue frames, each with its key, to members over TCP, or over TLS where the group encrypts everything. Any
        thread.
        """
        known, senders = self._route
        if to is not known and to != known:
            senders = self._find_route(to)
        if len(frames) > 1:
            self._hand_over(senders, frames, wants_ack, delivery)
            return
        for sender in senders:
            sender.enqueue(frames, wants_ack, delivery)

    def enqueue_secure(
        self, to: Sequence[Member], frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery
    ) -> None:
        """Queue frames over TLS, to the members' securePort."""
        with self._tls_tables.lock:
            senders = tuple([self._tls_tables.find(member) for member in to])
        self._hand_over(senders, frames, wants_ack, delivery)

    @staticmethod
    def _hand_over(
        senders: tuple[NioSender, ...], frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery
    ) -> None:
        if len(frames) == 1:
            for sender in senders:
                sender.enqueue(frames, wants_ack, delivery)
            return
        together = [sender.pipelined for sender in senders]
        delivery.expect(together.count(False) * (len(frames) - 1))
        for sender, at_once in zip(senders, together, strict=True):
            for part in (frames,) if at_once else zip(frames):
                sender.enqueue(part, wants_ack, delivery)

    def _find_route(self, to: Sequence[Member]) -> tuple[NioSender, ...]:
        """The connections to the members; remembered, because successive messages go to the same members."""
        tables = self._tls_tables if self.secure else self._tables
        with tables.lock:
            senders = tuple([tables.find(member) for member in to])
            if isinstance(to, tuple):  # a list may be changed before the next message
                self._route = (to, senders)
        return senders

    def enqueue_datagrams(
        self, to: Sequence[Member], frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery
    ) -> None:
        """Queue frames to the UDP ports of members, a datagram for each. Any thread."""
        delivery.expect(len(to) * (len(frames) - 1))
        for member in to:
            with self._udp_tables.lock:
                sender = self._udp_tables.find(member)
            for frame, _ in frames:
                sender.enqueue(frame, wants_ack, delivery)

    def _get_reactor(self) -> Reactor:
        if self._reactor is None:
            raise ChannelError("Sender not connected")
        return self._reactor

    def _new_sender(self, member: Member) -> NioSender:
        sender = NioSender(member, self, self._get_reactor(), self._on_failure)
        sender.pipelined = keeps_order(member)
        return sender

    def _new_tls_sender(self, member: Member) -> NioSender:
        if self.tls is None:
            raise ChannelError("a secure message needs pskIdentity and pskKey of the channel")
        sender = NioSender(member, self, self._get_reactor(), self._on_failure, self.tls)
        sender.pipelined = keeps_order(member)
        return sender

    def _new_udp_sender(self, member: Member) -> UdpSender:
        return UdpSender(member, self, self._get_reactor())

    def welcome(self, member: Member) -> None:
        """The member has joined; a connection on which it was answered as a stranger stays."""
        for tables in self._all_tables:
            tables.welcome(member)

    def forget(self, member: Member) -> None:
        """The member has gone: close its connection. Only in the runner."""
        for tables in self._all_tables:
            tables.forget(member)

    def heartbeat(self, now: float) -> None:
        """Renew connections that are old enough. Only in the runner."""
        for sender in (*self._tables.members.values(), *self._tls_tables.members.values()):
            sender.renew_if_old(now)


#: Start of the payload that members of this software announce; and the start that members from 0.2 on announce.
ORDERED_PEER = b"catalina-python/1"
THIS_PEER = ORDERED_PEER + b".2"


def keeps_order(member: Member) -> bool:
    """True when the member runs this software, whose receiver processes a connection in order."""
    return member.payload.startswith(ORDERED_PEER)


def seals_envelopes(member: Member) -> bool:
    """True when the member's EncryptInterceptor protects the sender, the options and the id of a message, too."""
    return member.payload.startswith(THIS_PEER)


def _nobody_listens(member: Member, reason: BaseException) -> None:
    """Stands in until open(): nothing is sent before, so nothing can fail."""


def _everybody(_: Member) -> bool:
    """Stands in when the transport is used without a channel: there is no group, and the caller chooses the
    receivers.
    """
    return True
