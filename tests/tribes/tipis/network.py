"""Channels of several nodes in one process: what is sent lies on a link until a test delivers it.

Each link keeps its order, as one connection does; between links there is none. Faults are set on links: a message can
be lost (its sender learns it), arrive although its acknowledgement is lost, arrive twice, once more much later, or only
much later when its sender has long given it up. Two nodes can be cut off from each other, as both or as one sees it.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery, ObjectBytes
from catalina.tribes.member import Member
from tests.support.fake_channel import FakeChannelBase

FAULTS = ("drop", "ack lost", "duplicate", "again later", "late")


class FakeTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeReactor:
    """The loop of all nodes; who waits in it lets everything arrive, and time pass."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self.network.timers, (self.network.now + seconds, next(self.network.count), timer))
        return timer

    def event(self) -> threading.Event:
        return threading.Event()

    def submit(self, task: Callable[[], None]) -> None:
        """Another thread would do it."""
        task()

    @contextlib.contextmanager
    def blocking(self) -> Iterator[None]:
        if self.network.asking is not None:
            self.network.run_until_answered()
            yield
            return
        self.network.settle()
        self.network.pass_all_time()
        yield


class FakeChannel(FakeChannelBase):
    """One node."""

    def __init__(self, network: Network, number: int, generation: int = 0) -> None:
        super().__init__()
        self.network = network
        self.local_member = Member(
            bytes((10, 0, 0, number)), 4000, unique_id=bytes([number, generation]) + bytes(14), alive_ms=1000 - number
        )
        self.members: tuple[Member, ...] = ()
        self.alive = True
        self.stopped = False

    @property
    def running_reactor(self) -> Any:
        return self.network.reactor

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery:
        assert isinstance(message, ObjectBytes)
        if self.stopped:
            raise ChannelError("the channel is not started")
        delivery = Delivery(len(to))
        if not self.alive:
            return delivery  # a process that is gone says nothing, and learns nothing of it
        wire = ChannelMessage(bytes(message), options, 0, bytes(16), self.local_member)
        for member in to:
            self.network.link(self.local_member, member).append((wire, delivery))
        return delivery

    def post_all(self, to: Sequence[Member], messages: Sequence[tuple[bytes, object]], options: int) -> Delivery:
        """As if each were posted; one that fails fails all."""
        whole = Delivery(len(to) * len(messages))
        for message, _ in messages:
            each = self.post(to, ObjectBytes(message), options)
            each.add_done_callback(lambda done: self._report(whole, done, to))
        return whole

    @staticmethod
    def _report(whole: Delivery, done: Delivery, to: Sequence[Member]) -> None:
        whole.faulty.update(done.faulty)
        for _ in to:
            whole.succeeded()


class Network:
    """Nodes, links and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = itertools.count()
        self.timers: list[tuple[float, int, FakeTimer]] = []
        self.reactor = FakeReactor(self)
        self.channels: dict[Member, FakeChannel] = {}
        self.links: dict[tuple[Member, Member], deque[tuple[ChannelMessage, Delivery]]] = {}
        #: The faults of the next messages.
        self.faults: deque[str] = deque()
        #: Late messages: the receiver, and the message.
        self.late: list[tuple[Member, ChannelMessage]] = []
        #: Members that are not run: what is sent to them fails, and comes to nothing.
        self.hold: set[Member] = set()
        #: Pairs, in both orders, of which neither reaches the other.
        self.cuts: set[tuple[Member, Member]] = set()
        #: The map that is waited in: time stops when it has its answer. None: when all is quiet.
        self.asking: Any = None
        self.random = random.Random(0)
        #: How many of the messages beside those of ``faults`` have one.
        self.fault_rate = 0.0
        self.sent: list[tuple[Member, Member, bytes]] = []

    def clock(self) -> float:
        return self.now

    def add(self, number: int, generation: int = 0) -> FakeChannel:
        channel = FakeChannel(self, number, generation)
        self.channels[channel.local_member] = channel
        self._membership()
        for other in self._alive():
            if other is not channel:
                for listener in list(other.membership):
                    listener.member_added(channel.local_member)
        return channel

    def kill(self, channel: FakeChannel) -> None:
        """The process is gone: what it had sent and was not delivered is lost, its peers notice."""
        channel.alive = False
        del self.channels[channel.local_member]
        self._membership()
        for (sender, to), link in list(self.links.items()):
            if channel.local_member in (sender, to):
                while link:
                    _, delivery = link.popleft()
                    if sender in self.channels:
                        delivery.failed(to, ConnectionError("gone"))
        for other in self._alive():
            for listener in list(other.membership):
                listener.member_disappeared(channel.local_member)

    def _alive(self) -> list[FakeChannel]:
        return list(self.channels.values())

    def _membership(self) -> None:
        for channel in self._alive():
            others = [
                other.local_member
                for other in self._alive()
                if other is not channel and (channel.local_member, other.local_member) not in self.cuts
            ]
            channel.members = tuple(sorted(others, key=lambda member: -member.alive_ms))

    def link(self, sender: Member, to: Member) -> deque[tuple[ChannelMessage, Delivery]]:
        return self.links.setdefault((sender, to), deque())

    def busy_links(self) -> list[tuple[Member, Member]]:
        return [pair for pair, link in self.links.items() if link]

    def _next_fault(self) -> str:
        if self.faults:
            return self.faults.popleft()
        return self.random.choice(FAULTS) if self.random.random() < self.fault_rate else ""

    def deliver(self, pair: tuple[Member, Member]) -> None:
        """The oldest message of one link arrives, or what the next fault makes of it."""
        message, delivery = self.links[pair].popleft()
        sender, to = pair
        target = self.channels.get(to)
        fault = "drop" if to in self.hold else self._next_fault()
        self.sent.append((sender, to, message.data))
        if target is None or pair in self.cuts:
            if sender in self.channels:
                delivery.failed(to, ConnectionError("nobody there"))
            return
        if fault in ("late", "again later"):
            self.late.append((to, message))
        if fault not in ("drop", "late"):
            target.receive(message, message.address)
        if fault == "duplicate":
            target.receive(message, message.address)
        if sender not in self.channels:
            return
        if fault in ("drop", "ack lost", "late"):
            delivery.failed(to, TimeoutError(fault))
        else:
            delivery.succeeded()

    def deliver_late(self, which: int) -> None:
        """One of the messages that were held back arrives."""
        to, message = self.late.pop(which)
        if to in self.channels:
            self.channels[to].receive(message, message.address)

    def cut(self, one: FakeChannel, other: FakeChannel) -> None:
        """Two nodes no longer reach each other, and their channels say so."""
        pair = (one.local_member, other.local_member)
        self.cuts.update((pair, pair[::-1]))
        self._membership()
        for channel, gone in ((one, pair[1]), (other, pair[0])):
            for listener in list(channel.membership):
                listener.member_disappeared(gone)

    def heal(self) -> None:
        """All nodes reach each other."""
        cuts = sorted(self.cuts, key=str)
        self.cuts.clear()
        self._membership()
        for sender, to in cuts:
            if sender in self.channels and to in self.channels:
                for listener in list(self.channels[sender].membership):
                    listener.member_added(to)

    def run_until_answered(self) -> None:
        """Messages arrive in any order between links, until the last request of the map that waits has its answers."""
        collectors = self.asking.rpc._collectors
        request = next(reversed(collectors), None)
        while request in collectors:
            pairs = self.busy_links()
            if pairs:
                self.deliver(self.random.choice(pairs))
            else:
                self.pass_time()

    def settle(self) -> None:
        """Everything arrives, also what is sent meanwhile."""
        for _ in range(100_000):
            pairs = self.busy_links()
            if not pairs:
                return
            self.deliver(pairs[0])
        raise AssertionError("the nodes never stop talking")

    def pass_time(self) -> bool:
        """Go to the next timer and run it; whether there was one."""
        while self.timers:
            when, _, timer = heapq.heappop(self.timers)
            if timer.callback is None:
                continue
            self.now = max(self.now, when)
            timer.callback()
            return True
        return False

    def pass_all_time(self) -> None:
        """Run all timers, and what follows from them; of those that are set again and again, a minute's."""
        end = self.now + 60.0
        while self.timers and self.timers[0][0] < end and self.pass_time():
            self.settle()

    def heartbeat(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            for channel in self._alive():
                channel.heartbeat()
            self.settle()
            self.pass_all_time()
            self.now += 1.0
