"""Several members in one process: messages travel when the test says so, links break when it says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member
from tests.tribes.fakes import FakeReactor, Stack, a_member


class Network:
    """Stacks with one interceptor each, named by letters, at addresses in the order of the letters."""

    def __init__(self, make: Callable[[], ChannelInterceptorBase]) -> None:
        self._make = make
        self.reactor = FakeReactor()
        self.nodes: dict[str, Stack] = {}
        self.members: dict[str, Member] = {}
        self.on_the_way: list[tuple[Member, ChannelMessage, Delivery]] = []
        self.dead: set[Member] = set()

    def name_of(self, member: Member | None) -> str:
        return next((name for name, known in self.members.items() if known == member), "-")

    def layer(self, name: str) -> ChannelInterceptorBase:
        layer = self.nodes[name].top.next
        assert layer is not None
        return layer

    def join(self, name: str, sees: str = "") -> None:
        """A node comes up and sees others; they do not see it before they are told."""
        member = a_member(ord(name) - ord("A") + 1)
        self.members[name] = member
        self.dead.discard(member)
        others = [self.members[other] for other in sees]
        node = _Node(self, self._make(), member, others)
        self.nodes[name] = node

    def see(self, name: str, other: str) -> None:
        """``name`` learns of ``other``."""
        self.nodes[name].bottom.known.append(self.members[other])
        self.layer(name).member_added(self.members[other])

    def lose(self, name: str, other: str) -> None:
        """``name`` loses ``other``."""
        self.nodes[name].bottom.known.remove(self.members[other])
        self.layer(name).member_disappeared(self.members[other])

    def die(self, name: str) -> None:
        """Nothing comes from it or reaches it any more."""
        self.dead.add(self.members[name])
        del self.nodes[name]

    def post(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        self.on_the_way += [(member, message, delivery) for member in to]

    def deliver(self, at_most: int = 1000) -> None:
        """Let messages arrive, and what follows from them, until it is quiet."""
        self.reactor.run()
        for _ in range(at_most):
            if not self.on_the_way:
                return
            self._arrive(*self.on_the_way.pop(0))
            self.reactor.run()
        raise AssertionError("the members do not stop talking")

    def _arrive(self, to: Member, message: ChannelMessage, delivery: Delivery) -> None:
        name = self.name_of(to)
        if to in self.dead or name not in self.nodes:
            delivery.failed(to, ConnectionRefusedError("dead"))
            return
        self.nodes[name].receive(message)
        delivery.succeeded()


class _Node(Stack):
    def __init__(
        self, network: Network, layer: ChannelInterceptorBase, local: Member, others: Sequence[Member]
    ) -> None:
        super().__init__(layer, local=local, members=others)
        # The network's clock instead of its own: what was asked for during the start is repeated there.
        self.channel.running_reactor = self.channel.reactor = network.reactor
        self.channel.now = network.reactor.now
        self.bottom.send_message = network.post  # type: ignore[method-assign]
        waiting, self.reactor = self.reactor, network.reactor
        waiting.run()
