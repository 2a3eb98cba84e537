"""A network of messages: what a channel, its connections and its membership do, and what can happen to them.

A link is one connection from a node to another. It keeps its order; between links there is none. A cut link keeps what
is on it, as TCP does, until the cut ends or the connection is given up: a message that wants its acknowledgement fails
after the channel's time-out of 3 seconds, and so does what else is on the way to that node. A message that
nobody acknowledges is then lost without a word. A connection that is reset loses what is under way; what wants an
acknowledgement is sent once more, or fails. A node that stands still takes what comes when it goes on.

Heartbeats tell who is there. After dropTime without one, and after a failed message, a node is connected to: only where
that fails it is no member any more (TcpFailureDetector). Messages of nodes that are no members yet wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from catalina.errors import ChannelError
from catalina.tribes.channel import (
    SEND_OPTIONS_ASYNCHRONOUS,
    SEND_OPTIONS_BYTE_MESSAGE,
    SEND_OPTIONS_SYNCHRONIZED_ACK,
    SEND_OPTIONS_USE_ACK,
    ChannelMessage,
    Delivery,
    as_faults,
)
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import ORDERED_PEER
from tests.support.fake_channel import FakeChannelBase

if TYPE_CHECKING:
    from tests.simulation.nodes import Life
    from tests.simulation.world import World

__all__ = ["Network", "SimChannel"]

BEAT_SECONDS = 0.5
DROP_SECONDS = 3.0
ACK_SECONDS = 3.0
STRANGER_SECONDS = 10.0


class Frame:
    """One write of a sender: some messages, acknowledged together."""

    __slots__ = ("at", "delivery", "epoch", "is_sync", "messages", "tries", "wants_ack")

    def __init__(self, messages: Sequence[bytes], options: int, delivery: Delivery) -> None:
        self.messages = messages
        self.delivery = delivery
        self.wants_ack = bool(options & SEND_OPTIONS_USE_ACK)
        self.is_sync = bool(options & SEND_OPTIONS_SYNCHRONIZED_ACK)
        self.epoch = 0
        self.tries = 0
        self.at = 0.0


class Link:
    """The connection from one life of a node to one of another."""

    def __init__(self, network: Network, sender: Life, receiver: Life) -> None:
        self.network = network
        self.sender = sender
        self.receiver = receiver
        self.epoch = 0
        #: Sent and not acknowledged, or, where nobody acknowledges, not arrived.
        self.under_way: list[Frame] = []
        self.stuck: list[Callable[[], None]] = []
        self._last = 0.0
        self._resets_until = 0.0

    @property
    def is_open(self) -> bool:
        return self.network.is_open(self.sender, self.receiver)

    @property
    def oldest(self) -> float:
        """Since when something is on its way."""
        return min((frame.at for frame in self.under_way), default=self.network.world.now)

    def send(self, frame: Frame) -> None:
        world = self.network.world
        frame.epoch, frame.at = self.epoch, world.now
        if not self.receiver.alive:
            error = ConnectionRefusedError("nobody listens there")
            self.sender.later(0.002 if self.is_open else ACK_SECONDS, lambda: self._fail(frame, error))
            return
        self.under_way.append(frame)
        if frame.wants_ack:
            error_late = TimeoutError("no acknowledgement")
            self.sender.later(ACK_SECONDS, lambda: self._fail(frame, error_late) if frame in self.under_way else None)
        else:
            self.sender.reactor.call_soon(frame.delivery.succeeded)
        self._last = max(self._last + 1e-6, world.now + self.network.delay(self.sender, self.receiver))
        world.after(self._last - world.now, lambda: self._arrive(frame))
        if world.now < self._resets_until and world.random.random() < 0.3:
            self.sender.later((self._last - world.now) * 2 * world.random.random(), self.reset)

    def _arrive(self, frame: Frame) -> None:
        if frame.epoch != self.epoch or not self.receiver.alive:
            return
        if self.stuck or not self.is_open:
            self.stuck.append(lambda: self._arrive(frame))
            return
        if not frame.wants_ack:
            self.under_way.remove(frame)
        elif not frame.is_sync:
            self.receiver.run(lambda: self._acknowledge(frame), is_input=True)
        self.receiver.run(lambda: self._take(frame), is_input=True)

    def _take(self, frame: Frame) -> None:
        for data in frame.messages:
            self.receiver.channel.take(data, self.sender)
        if frame.wants_ack and frame.is_sync:
            self._acknowledge(frame)

    def _acknowledge(self, frame: Frame) -> None:
        seconds = self.network.delay(self.receiver, self.sender)
        self.network.world.after(seconds, lambda: self._acknowledged(frame))

    def _acknowledged(self, frame: Frame) -> None:
        if frame.epoch != self.epoch:
            return
        if not self.network.is_open(self.receiver, self.sender):
            self.stuck.append(lambda: self._acknowledged(frame))
            return
        self.sender.run(lambda: self._succeed(frame), is_input=True)

    def _succeed(self, frame: Frame) -> None:
        if frame in self.under_way:
            self.under_way.remove(frame)
            frame.delivery.succeeded()

    def _fail(self, frame: Frame, error: BaseException) -> None:
        if frame in self.under_way:
            self.under_way.remove(frame)
        frame.delivery.failed(self.receiver.member, error)
        self.close(error)
        self.network.look_at(self.sender, self.receiver)

    def close(self, error: BaseException) -> None:
        """Give the connection up."""
        self.epoch += 1
        failed, self.under_way = self.under_way, []
        self.stuck.clear()
        for frame in failed:
            if frame.wants_ack:
                frame.delivery.failed(self.receiver.member, error)

    def reset_often(self, seconds: float) -> None:
        """The connection breaks again and again while messages, or their acknowledgements, are on their way."""
        self._resets_until = self.network.world.now + seconds

    def reset(self) -> None:
        """The connection breaks, and another is made: what may have arrived is sent once more."""
        self.epoch += 1
        broken, self.under_way = self.under_way, []
        self.stuck.clear()
        for frame in broken:
            frame.tries += 1
            if frame.wants_ack and frame.tries == 1 and self.network.world.random.random() < 0.7:
                self.send(frame)
            elif frame.wants_ack:
                frame.delivery.failed(self.receiver.member, ConnectionResetError("reset"))

    def heal(self) -> None:
        """A cut has ended: what is on the way goes on, in its order."""
        stuck, self.stuck = self.stuck, []
        for number, arrive in enumerate(stuck):
            self.network.world.after(0.001 + number * 1e-6, arrive)
        self._last = max(self._last, self.network.world.now + 0.001 + len(stuck) * 1e-6)


class Network:
    """All nodes, and who reaches whom."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lives: dict[str, Life] = {}
        self.cuts: set[tuple[str, str]] = set()
        self.slow: set[str] = set()
        #: Nodes that behave as Java's, and what makes their channels.
        self.java: set[str] = set()
        self.java_channel: Callable[[Life, int], SimChannel] = SimChannel
        self.jitter = 0.004
        self._links: dict[tuple[Life, Life], Link] = {}
        self._heard: dict[tuple[Life, Life], float] = {}
        world.after(0, self._beat)

    def make_channel(self, life: Life, number: int) -> Any:
        """The channel of a node."""
        return self.java_channel(life, number) if life.name in self.java else SimChannel(life, number)

    def reset_often(self, one: Life, other: Life, seconds: float) -> None:
        """The connection from one to another breaks again and again while something is on its way."""
        self.link(one, other).reset_often(seconds)

    def is_open(self, one: Life, other: Life) -> bool:
        return (one.name, other.name) not in self.cuts

    def delay(self, one: Life, other: Life) -> float:
        seconds = 0.0005 + self.world.random.random() * self.jitter
        if one.name in self.slow or other.name in self.slow:
            seconds += self.world.random.random() * 2
        return seconds

    def link(self, sender: Life, receiver: Life) -> Link:
        found = self._links.get((sender, receiver))
        if found is None:
            found = self._links[sender, receiver] = Link(self, sender, receiver)
        return found

    @property
    def links(self) -> list[Link]:
        return list(self._links.values())

    def cut(self, pairs: set[tuple[str, str]]) -> None:
        self.cuts |= pairs

    def heal(self, pairs: set[tuple[str, str]]) -> None:
        self.cuts -= pairs
        for link in self.links:
            if (link.sender.name, link.receiver.name) in pairs or (link.receiver.name, link.sender.name) in pairs:
                link.heal()

    def forget(self, life: Life) -> None:
        """A process has ended: its connections are reset."""
        for key in [key for key in self._links if life in key]:
            sender, receiver = key
            link = self._links.pop(key)
            if receiver is life and self.is_open(sender, receiver):
                sender.reactor.call_soon(partial(link.close, ConnectionResetError("the process has ended")))
                self.look_at(sender, receiver)
            elif receiver is life:
                for frame in link.under_way:
                    error = TimeoutError("no acknowledgement")
                    sender.later(ACK_SECONDS, partial(frame.delivery.failed, life.member, error))

    # -- membership ------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        lives = list(self.lives.values())
        now = self.world.now
        for one in lives:
            for other in lives:
                if other is not one and other.alive and not other.frozen and self.is_open(other, one):
                    self._heard[one, other] = now
            if one.alive and not one.frozen:
                self._look_around(one, lives)
        self.world.after(BEAT_SECONDS, self._beat)

    def _look_around(self, one: Life, lives: Sequence[Life]) -> None:
        now = self.world.now
        for other in lives:
            if other is not one and other not in one.channel.present and now - self._heard.get((one, other), 0) < 1:
                for known in list(one.channel.present):
                    if known.name == other.name:
                        one.reactor.call_soon(lambda known=known: one.channel.lose(known))  # type: ignore[misc]
                one.reactor.call_soon(lambda other=other: one.channel.see(other))  # type: ignore[misc]
        for known in list(one.channel.present):
            if now - self._heard.get((one, known), 0) > DROP_SECONDS:
                self.look_at(one, known)

    def look_at(self, one: Life, other: Life) -> None:
        """Let a member go that cannot be connected to."""
        if not (other.alive and self.is_open(one, other) and self.is_open(other, one)):
            one.reactor.call_soon(lambda: one.channel.lose(other))


class SimChannel(FakeChannelBase):
    """A channel of a node as SimpleTcpCluster and the maps use it."""

    beats_itself = False

    def __init__(self, life: Life, number: int) -> None:
        super().__init__()
        self.life = life
        self.network = life.network
        self.reactor = life.reactor
        self.local_member = Member(
            bytes((10, 0, 0, number)),
            4000,
            unique_id=bytes([number]) + life.generation.to_bytes(15, "big"),
            payload=ORDERED_PEER,
        )
        self.members: tuple[Member, ...] = ()
        self.present: dict[Life, Member] = {}
        self._lives: dict[Member, Life] = {}
        self._early: list[tuple[float, Life, bytes]] = []

    @property
    def running_reactor(self) -> Any:
        return self.reactor

    @property
    def has_members(self) -> bool:
        return bool(self.members)

    def left_over(self) -> list[str]:
        """Nothing waits in it."""
        return []

    def start(self, level: int = 15) -> None: ...

    def stop(self, level: int = 15) -> None: ...

    # -- sending ---------------------------------------------------------------------------------------------------

    def post(
        self, to: Sequence[Member], message: bytes, options: int, handler: Any = None, key: Any = None
    ) -> Delivery:
        return self.post_all(to, [(message, key)], options, handler)

    def send(self, to: Sequence[Member], message: bytes, options: int, handler: Any = None) -> bytes:
        delivery = self.post(to, message, options, handler)
        delivery.wait()
        delivery.raise_for_faults("sending failed") if delivery.faulty else None
        return b""

    def post_all(
        self, to: Sequence[Member], messages: Sequence[tuple[bytes, Any]], options: int, handler: Any = None
    ) -> Delivery:
        delivery = sent = Delivery(len(to), b"", self.reactor, handler)  # type: ignore[arg-type]
        if options & SEND_OPTIONS_ASYNCHRONOUS:
            delivery = Delivery(0)
            sent.add_done_callback(lambda done: self._report(done, handler))
        datas = [bytes(data) for data, _ in messages]
        for member in to:
            life = self._lives.get(member)
            if life is None:
                error = ConnectionRefusedError("nobody has this address")
                self.reactor.call_soon(lambda member=member, error=error: sent.failed(member, error))  # type: ignore[misc]
            else:
                self.network.link(self.life, life).send(Frame(datas, options, sent))
        return delivery

    @staticmethod
    def _report(done: Delivery, handler: Any) -> None:
        if done.faulty and handler is not None:
            handler.handle_error(ChannelError("sending failed", as_faults(done.faulty)), done.unique_id)

    # -- receiving -------------------------------------------------------------------------------------------------

    def take(self, data: bytes, sender: Life) -> None:
        self._lives.setdefault(sender.member, sender)
        if sender in self.present:
            self._deliver(data, sender)
        else:
            self._early.append((self.network.world.now, sender, data))

    def _deliver(self, data: bytes, sender: Life) -> None:
        options = SEND_OPTIONS_BYTE_MESSAGE if data.startswith(b"catalina-farm/") else 0
        self.receive(ChannelMessage(data, options, 0, bytes(16), sender.member), sender.member)

    def see(self, other: Life) -> None:
        if other in self.present or not other.alive:
            return
        member = self.as_member(other)
        self.present[other] = member
        self._lives[member] = other
        self._sort()
        for listener in list(self.membership):
            listener.member_added(member)
        early, self._early = self._early, []
        for at, sender, data in early:
            if sender is other and self.network.world.now - at < STRANGER_SECONDS:
                self._deliver(data, sender)
            elif sender is not other:
                self._early.append((at, sender, data))

    def as_member(self, other: Life) -> Member:
        """The other node as its heartbeats show it."""
        return other.member.with_alive(int((self.network.world.now - other.born) * 1000))

    def lose(self, other: Life) -> None:
        member = self.present.pop(other, None)
        if member is None:
            return
        self._sort()
        for listener in list(self.membership):
            listener.member_disappeared(member)
        self.network.link(self.life, other).close(ConnectionResetError("no member any more"))

    def _sort(self) -> None:
        lives = sorted(self.present, key=lambda life: life.born)
        self.members = tuple(self.present[life] for life in lives)
