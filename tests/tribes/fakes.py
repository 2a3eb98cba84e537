"""A fake clock, a fake loop, and stacks of interceptors without a network."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from catalina.reactor import Timer
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member
from catalina.tribes.membership.membership_service_base import MembershipServiceBase


def a_member(number: int, **fields: Any) -> Member:
    """A member that differs from those of other numbers."""
    return Member(bytes([10, 0, 0, number]), 4000, unique_id=bytes([number]) * 16, **fields)


class FakeReactor:
    """Runs what is due when told; the caller is always the runner."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.in_runner = True
        self._soon: deque[Callable[[], None]] = deque()
        self._round_end: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()

    def now(self) -> float:
        return self.time

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._soon.append(callback)

    def at_round_end(self, callback: Callable[[], None]) -> None:
        self._round_end.append(callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.time + seconds, callback)
        self._timers.append((timer.deadline, next(self._count), timer))
        return timer

    def submit(self, task: Callable[[], None]) -> None:
        """Another thread would do it: it is done when the test says so."""
        self._soon.append(task)

    def event(self) -> threading.Event:
        return threading.Event()

    @contextlib.contextmanager
    def blocking(self) -> Iterator[None]:
        yield

    def register(self, sock: Any, events: int, callback: Callable[[int], None], *, first: bool = False) -> None: ...

    def modify(self, sock: Any, events: int) -> None: ...

    def unregister(self, sock: Any) -> None: ...

    def run(self) -> None:
        """Everything that is due at this time, in rounds: what a round asks for runs in the next one."""
        while self._run_timers() or self._soon or self._round_end:
            for _ in range(len(self._soon)):
                self._soon.popleft()()
            while self._round_end:
                self._round_end.popleft()()

    def _run_timers(self) -> bool:
        """Run what is due; True when there was something."""
        ran = False
        self._timers.sort()
        while self._timers and self._timers[0][0] <= self.time:
            timer = self._timers.pop(0)[2]
            if timer.callback is not None:
                timer.callback()
            self._timers.sort()
            ran = True
        return ran

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.time + seconds
        self.run()
        while True:
            self._timers = [entry for entry in self._timers if entry[2].callback is not None]
            self._timers.sort()
            if not self._timers or self._timers[0][0] > end:
                break
            self.time = max(self.time, self._timers[0][0])
            self.run()
        self.time = end
        self.run()


class FakeChannel:
    """The part of a channel that interceptors use."""

    def __init__(self, reactor: FakeReactor, name: str = "fake") -> None:
        self.running_reactor = self.reactor = reactor
        self.now = reactor.now
        self.name = name
        self.secure = False
        self.tls = None
        self.members: Sequence[Member] = ()
        self.membership_listeners: list[Any] = []
        self.membership_service = MembershipServiceBase()
        self.membership_service.set_local_member_properties(bytes([10, 0, 0, 1]), 4000, -1, -1)

    def adopt_unique_id(self, unique_id: bytes) -> None:
        self.membership_service.adopt_unique_id(unique_id)

    def add_membership_listener(self, listener: Any) -> None:
        self.membership_listeners.append(listener)

    def remove_membership_listener(self, listener: Any) -> None:
        self.membership_listeners.remove(listener)


class Bottom(ChannelInterceptorBase):
    """Stands for the network: keeps what was sent, fails for the members told."""

    def __init__(self, local: Member, members: Sequence[Member] = ()) -> None:
        super().__init__()
        self.local = local
        self.known = list(members)
        self.static: set[Member] = set()
        self.sent: list[tuple[tuple[Member, ...], ChannelMessage]] = []
        self.failing: dict[Member, BaseException] = {}
        self.unanswered: list[tuple[Delivery, tuple[Member, ...]]] | None = None
        self.levels: list[int] = []

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        self.sent.append((tuple(to), message))
        if self.unanswered is not None:
            self.unanswered.append((delivery, tuple(to)))
            return
        self.answer(delivery, to)

    def answer(self, delivery: Delivery, to: Sequence[Member]) -> None:
        for member in to:
            if member in self.failing:
                delivery.failed(member, self.failing[member])
            else:
                delivery.succeeded()

    def answer_all(self) -> None:
        """Acknowledge what waits, and what is sent because of that."""
        while self.unanswered:
            self.answer(*self.unanswered.pop(0))

    @property
    def members(self) -> Sequence[Member]:
        return tuple(self.known)

    def get_member(self, member: Member) -> Member | None:
        return next((known for known in self.known if known == member), None)

    def is_static(self, member: Member) -> bool:
        return member in self.static

    @property
    def local_member(self) -> Member:
        return self.local

    def start(self, level: int) -> None:
        self.levels.append(level)

    def stop(self, level: int) -> None:
        self.levels.append(-level)

    def heartbeat(self, now: float) -> None: ...


class Top(ChannelInterceptorBase):
    """Stands for the application: keeps what comes up."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: list[ChannelMessage] = []
        self.events: list[tuple[str, Member]] = []

    def message_received(self, message: ChannelMessage) -> None:
        self.delivered.append(message)

    def member_added(self, member: Member) -> None:
        self.events.append(("added", member))

    def member_disappeared(self, member: Member) -> None:
        self.events.append(("gone", member))

    def member_send_failed(self, member: Member, reason: BaseException) -> None: ...


LOCAL = a_member(1)
PEER = a_member(2)


class Stack:
    """Interceptors, the first uppermost, between an application and a network that are fakes."""

    def __init__(
        self, *layers: ChannelInterceptorBase, local: Member = LOCAL, members: Sequence[Member] = (PEER,)
    ) -> None:
        self.reactor = FakeReactor()
        self.channel = FakeChannel(self.reactor)
        self.top = Top()
        self.bottom = Bottom(local, members)
        self._ids = itertools.count(1)
        chain = (self.top, *layers, self.bottom)
        for layer in chain:
            layer.channel = self.channel  # type: ignore[assignment]
        for upper, lower in itertools.pairwise(chain):
            upper.next, lower.previous = lower, upper
        assert self.top.next is not None
        self.top.next.start(15)

    def message(
        self, data: bytes, options: int = 0, unique_id: bytes | None = None, sender: Member = PEER
    ) -> ChannelMessage:
        return ChannelMessage(data, options, 1_000, unique_id or next(self._ids).to_bytes(16, "big"), sender)

    def send(
        self, data: bytes, options: int = 0, to: Sequence[Member] = (PEER,), unique_id: bytes | None = None
    ) -> Delivery:
        message = self.message(data, options, unique_id, self.bottom.local)
        delivery = Delivery(len(to), message.unique_id)
        assert self.top.next is not None
        self.top.next.send_message(to, message, delivery)
        return delivery

    def send_together(self, *data: bytes, options: int = 0, to: Sequence[Member] = (PEER,)) -> Delivery:
        """All messages of a round at once."""
        messages = [self.message(each, options, sender=self.bottom.local) for each in data]
        delivery = Delivery(len(to), messages[0].unique_id)
        assert self.top.next is not None
        self.top.next.send_messages(to, messages, delivery)
        return delivery

    @property
    def sent(self) -> list[ChannelMessage]:
        return [message for _, message in self.bottom.sent]

    @property
    def delivered(self) -> list[bytes]:
        return [message.data for message in self.top.delivered]

    def receive(self, message: ChannelMessage) -> None:
        assert self.bottom.previous is not None
        self.bottom.previous.message_received(message)

    def heartbeat(self) -> None:
        assert self.top.next is not None
        self.top.next.heartbeat(self.reactor.time)
        self.reactor.run()
