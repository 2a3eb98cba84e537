"""Level 3: the real channel under the managers: GroupChannel, its interceptors, sender, receiver and failure detector,
over sockets of ``sockets.py``. Only multicast is simulated: who announces itself is heard, unless the way is cut.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.member import Member
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from catalina.tribes.transport.nio.receiver_limits import LEAST_RATE, LOOK_SECONDS, PATIENCE_SECONDS
from tests.simulation.network import BEAT_SECONDS, DROP_SECONDS, Link, Network
from tests.simulation.sockets import RESEND_SECONDS, SimSocket

if TYPE_CHECKING:
    from tests.simulation.nodes import Life
    from tests.simulation.world import World

__all__ = ["WireChannel", "WireNetwork"]


class SimMembership(MembershipServiceBase):
    """Members are heard each half second, and missed after three."""

    def __init__(self, life: Life, number: int) -> None:
        super().__init__()
        self.life = life
        self._unique_id = bytes([number]) + life.generation.to_bytes(15, "big")
        self.heard: dict[Member, tuple[Member, float]] = {}
        self._sorted: tuple[Member, ...] = ()

    def _new_local_member(self, host: bytes, port: int) -> Member:
        return Member(host, port, unique_id=self._unique_id, payload=self._payload)

    @property
    def members(self) -> Sequence[Member]:
        return self._sorted

    def get_member(self, member: Member) -> Member | None:
        return self.heard.get(member, (None, 0.0))[0]

    def start(self, level: int) -> None: ...

    def stop(self, level: int) -> None: ...

    def hear(self, member: Member) -> None:
        """A heartbeat has come."""
        known = member in self.heard
        self.heard[member] = (member, self.life.world.now)
        self._sort()
        if not known:
            self.listener.member_added(member)

    def miss(self) -> None:
        """Drop who was not heard for long."""
        limit = self.life.world.now - DROP_SECONDS
        gone = [member for member, at in self.heard.values() if at < limit]
        for member in gone:
            del self.heard[member]
        self._sort()
        for member in gone:
            self.listener.member_disappeared(member)

    def _sort(self) -> None:
        self._sorted = tuple(sorted((member for member, _ in self.heard.values()), key=lambda each: -each.alive_ms))


class WireChannel(GroupChannel):
    """A GroupChannel in virtual time."""

    beats_itself = True

    def __init__(self, life: Life, number: int) -> None:
        super().__init__(life.reactor)  # type: ignore[arg-type]
        self.life = life
        self.network: Any = life.network
        life.reactor.make_socket = lambda: self.network.new_socket(life)
        self.now = life.reactor.now
        self.service = SimMembership(life, number)
        self.set_membership_service(self.service)
        self.set_channel_receiver(NioReceiver(address=f"10.0.0.{number}", port=4000, auto_bind=1))

    @property
    def present(self) -> dict[Life, Member]:
        """The members above all interceptors, by life."""
        lives = self.network.by_unique_id
        return {lives[member.unique_id]: member for member in self.members if member.unique_id in lives}

    def left_over(self) -> list[str]:
        """The things that should be empty when all is quiet, and are not."""
        coordinator, found = self.coordinator, []
        for to, sender in coordinator.sender.transport._tables.members.items():
            waiting = [each.deadline for each in (*sender._in_flight, *sender._writing, *sender._queue)]
            if min(waiting, default=self.now()) < self.now() or (sender.is_idle and sender.backlog):
                found.append(f"{sender.backlog} bytes of messages to {to}")
        receiver = coordinator.receiver
        assert isinstance(receiver, NioReceiver)
        assert receiver._limits is not None
        tasks = receiver._limits.tasks
        if len(tasks) > 3 * len(self.members):  # one to speak on, and perhaps a probe and an old one
            found.append(f"{len(tasks)} connections")
        for task in tasks:  # half a package of a peer that died behind a cut may wait so long for its rest
            waited = self.now() - task.half_since
            if task.half_bytes and waited > PATIENCE_SECONDS + task.half_bytes / LEAST_RATE + 2 * LOOK_SECONDS:
                found.append(f"half a package, for {waited:.0f} s")
        for layer in self.interceptors:
            if isinstance(layer, MessageDispatchInterceptor) and layer.current_size:
                found.append(f"{layer.current_size} bytes in the queue")
            if isinstance(layer, TcpFailureDetector) and len(layer._probing) > len(layer._remove_suspects):
                found.append(f"looks at {list(layer._probing)}")  # suspects are looked at for five minutes
        return found


class WireNetwork(Network):
    """Sockets and heartbeats between all nodes."""

    def __init__(self, world: World) -> None:
        self.listening: dict[tuple[str, int], SimSocket] = {}
        self.connections: list[tuple[SimSocket, SimSocket]] = []
        self.by_unique_id: dict[bytes, Life] = {}
        super().__init__(world)

    def make_channel(self, life: Life, number: int) -> WireChannel:
        return WireChannel(life, number)

    def new_socket(self, life: Life) -> SimSocket:
        return SimSocket(self, life)

    def address_of(self, life: Life) -> str:
        return f"10.0.0.{int(life.name[1:]) + 1}"

    def life_at(self, address: str) -> Life | None:
        return self.lives.get(f"n{int(address.rpartition('.')[2]) - 1}")

    def resend_delay(self, sock: SimSocket) -> float:
        return self.world.random.random() * RESEND_SECONDS

    def forget_connection(self, one: SimSocket, other: SimSocket) -> None:
        self.connections = [pair for pair in self.connections if pair not in ((one, other), (other, one))]

    def heal(self, pairs: set[tuple[str, str]]) -> None:
        self.cuts -= pairs

    @property
    def links(self) -> list[Link]:
        return []

    def reset_often(self, one: Life, other: Life, seconds: float) -> None:
        """Break connections between two nodes again and again."""
        if seconds <= 0 or not one.alive or not other.alive:
            return
        for first, second in list(self.connections):
            if {first.life, second.life} == {one, other}:
                first.broken(errno.ECONNRESET)
                second.broken(errno.ECONNRESET)
        pause = self.world.random.uniform(0.05, 2.0)
        self.world.after(pause, lambda: self.reset_often(one, other, seconds - pause))

    def forget(self, life: Life) -> None:
        for key, server in list(self.listening.items()):
            if server.life is life:
                del self.listening[key]
        for pair in list(self.connections):
            for sock in pair:
                if sock.life is life:
                    sock.reset()
        self.connections = [pair for pair in self.connections if life not in (pair[0].life, pair[1].life)]

    def _beat(self) -> None:
        lives = list(self.lives.values())
        for life in lives:
            self.by_unique_id.setdefault(life.channel.local_member.unique_id, life)
        for one in lives:
            for other in lives:
                if other is not one and other.alive and not other.frozen and self.is_open(other, one):
                    one.run(lambda one=one, other=other: self._hear(one, other), is_input=True)  # type: ignore[misc]
            if not one.frozen:
                one.run(one.channel.service.miss)
        self.world.after(BEAT_SECONDS, self._beat)

    def _hear(self, one: Life, other: Life) -> None:
        age_ms = int((self.world.now - other.born) * 1000)
        one.channel.service.hear(other.channel.local_member.with_alive(age_ms))
