"""The maps against a model: what a dict says, and what must be true of owners and backups when all has calmed down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.support.narrowing import there
from tests.tribes.tipis.maps import Box, Group
from tests.tribes.tipis.network import FAULTS

KEYS = st.sampled_from("abc")
NODES = st.integers(0, 5)
#: Heartbeats after which the group has found itself: each is heard, asked what it owns, and lost owners are replaced.
TURNS = 5


def check_owners(group: Group, key: str) -> None:
    """One owner, on which all agree; with others there, somebody who holds the same value."""
    live = [each for channel, each in zip(group.channels, group.maps, strict=True) if channel.alive]
    entries = [each.entry(key) for each in live]
    assert all(entry is not None for entry in entries), f"{key} is not known everywhere: {entries}"
    owners = [each for each, entry in zip(live, entries, strict=True) if entry.is_primary]
    assert len(owners) == 1, f"{key} has {len(owners)} owners: {entries}"
    owner = owners[0]
    assert {entry.primary for entry in entries} == {owner.local}, f"{key}: no agreement on the owner: {entries}"
    value = owner.peek(key).content
    holders = [each for each, entry in zip(live, entries, strict=True) if entry.role in (Role.BACKUP, Role.COPY)]
    expected = len(live) - 1 if isinstance(owner, ReplicatedMap) else min(1, len(live) - 1)
    assert len(holders) == expected, f"{key} has {len(holders)} holders: {entries}"
    assert all(holder.peek(key).content == value for holder in holders)
    if holders and isinstance(owner, LazyReplicatedMap):
        assert there(owner.entry(key)).nodes == (holders[0].local,)


class Calm(RuleBasedStateMachine):
    """Every message arrives before the next thing happens: then the map is a dict, whoever dies."""

    kind: type[AbstractReplicatedMap] = LazyReplicatedMap

    @initialize(size=st.integers(1, 4))
    def begin(self, size: int) -> None:
        self.group = Group(size, self.kind)
        self.model: dict[str, dict[str, Any]] = {}

    def node(self, number: int) -> Any:
        live = [each for channel, each in zip(self.group.channels, self.group.maps, strict=True) if channel.alive]
        return live[number % len(live)]

    @rule(number=NODES, key=KEYS, value=st.integers())
    def put(self, number: int, key: str, value: int) -> None:
        self.node(number).put(key, Box(n=value))
        self.model[key] = {"n": value}
        self.group.settle()

    @rule(number=NODES, key=KEYS, name=st.sampled_from("xy"), value=st.integers())
    def change(self, number: int, key: str, name: str, value: int) -> None:
        node = self.node(number)
        box = node.get(key)
        assert (box is None) == (key not in self.model)
        if box is not None:
            box.set(name, value)
            node.replicate(key)
            self.model[key][name] = value
        self.group.settle()

    @rule(number=NODES, key=KEYS)
    def read(self, number: int, key: str) -> None:
        box = self.node(number).get(key)
        assert (None if box is None else box.content) == self.model.get(key)
        self.group.settle()

    @rule(number=NODES, key=KEYS)
    def remove(self, number: int, key: str) -> None:
        self.node(number).remove(key)
        self.model.pop(key, None)
        self.group.settle()

    @precondition(lambda self: sum(channel.alive for channel in self.group.channels) > 1)
    @rule(number=NODES)
    def kill(self, number: int) -> None:
        self.group.kill(self.group.maps.index(self.node(number)))

    @precondition(lambda self: sum(channel.alive for channel in self.group.channels) > 1)
    @rule(number=NODES)
    def leave(self, number: int) -> None:
        node = self.node(number)
        node.stop()
        self.group.settle()
        self.group.kill(self.group.maps.index(node))

    @precondition(lambda self: len(self.group.channels) < 9)
    @rule()
    def join(self) -> None:
        self.group.join()

    @rule()
    def beat(self) -> None:
        self.group.network.heartbeat()

    @invariant()
    def everything_has_its_owner_and_its_backup(self) -> None:
        if not hasattr(self, "group"):
            return
        for key in self.model:
            check_owners(self.group, key)
        for channel, each in zip(self.group.channels, self.group.maps, strict=True):
            if channel.alive:
                assert set(each.keys()) == set(self.model)


class CalmCopies(Calm):
    kind = ReplicatedMap


class Storm(Calm):
    """Everything that can go wrong between nodes goes wrong; when messages flow again, the group finds itself again.

    Messages are lost, late, doubled, and out of order between links; nodes die, come, come back under their address,
    start their map anew, lose sight of each other, both or one of them; their clocks differ; two put the same key.
    """

    @initialize(size=st.integers(2, 4), seed=st.integers(0, 2**32), fault_rate=st.sampled_from([0.0, 0.1, 0.4]))
    def begin(self, size: int, seed: int = 0, fault_rate: float = 0.0) -> None:
        self.group = Group(0, self.kind)
        self.group.skews = (0.0, 30.0, -30.0)
        self.group.network.random.seed(seed)
        for _ in range(size):
            self.group.join()
        self.group.network.fault_rate = fault_rate
        self.model = {}
        self.lost_nodes = 0
        self.removed: set[str] = set()

    def waiting_in(self, node: Any) -> Any:
        """While the node waits, wait for its answer, not for quiet."""
        self.group.network.asking = node
        return node

    @rule(fault=st.sampled_from(["", *FAULTS]))
    def disturb(self, fault: str) -> None:
        self.group.network.faults.append(fault)

    @rule(count=st.integers(1, 10))
    def deliver_some(self, count: int) -> None:
        network = self.group.network
        for _ in range(count):
            pairs = network.busy_links()
            if pairs:
                network.deliver(network.random.choice(pairs))

    @rule(which=st.integers(0, 20))
    def deliver_late(self, which: int) -> None:
        late = self.group.network.late
        if late:
            self.group.network.deliver_late(which % len(late))

    @rule(number=NODES, key=KEYS, value=st.integers())
    def put(self, number: int, key: str, value: int) -> None:
        self.node(number).put(key, Box(n=value))
        self.model[key] = {}

    @rule(number=NODES, other=NODES, key=KEYS, value=st.integers())
    def put_at_once(self, number: int, other: int, key: str, value: int) -> None:
        """Two nodes write one key, and neither knows of the other."""
        self.node(number).put(key, Box(n=value))
        self.node(other).put(key, Box(n=value + 1))
        self.model[key] = {}

    @rule(number=NODES, key=KEYS, name=st.sampled_from("xy"), value=st.integers())
    def change(self, number: int, key: str, name: str, value: int) -> None:
        node = self.waiting_in(self.node(number))
        box = node.get(key)
        if box is not None:
            box.set(name, value)
            node.replicate(key)

    @rule(number=NODES, other=NODES, key=KEYS, value=st.integers())
    def change_at_once(self, number: int, other: int, key: str, value: int) -> None:
        """Two requests of one session on two nodes: both read it, then both change it."""
        nodes = [self.node(number), self.node(other)]
        boxes = [self.waiting_in(node).get(key) for node in nodes]
        for node, box in zip(nodes, boxes, strict=True):
            if box is not None:
                box.set("x", value)
                node.replicate(key)
                value += 1

    @rule(number=NODES, key=KEYS)
    def read(self, number: int, key: str) -> None:
        self.waiting_in(self.node(number)).get(key)

    @rule(number=NODES, key=KEYS)
    def remove(self, number: int, key: str) -> None:
        self.node(number).remove(key)
        self.removed.add(key)

    @precondition(lambda self: sum(channel.alive for channel in self.group.channels) > 1)
    @rule(number=NODES)
    def kill(self, number: int) -> None:
        self.lost_nodes += 1
        self.group.network.kill(self.group.channels[self.group.maps.index(self.node(number))])

    @precondition(lambda self: sum(channel.alive for channel in self.group.channels) > 1)
    @rule(number=NODES)
    def leave(self, number: int) -> None:
        self.lost_nodes += 1
        node = self.node(number)
        node.stop()
        self.group.network.kill(self.group.channels[self.group.maps.index(node)])

    @precondition(lambda self: len(self.group.channels) < 9)
    @rule(again=st.booleans())
    def join(self, again: bool = False) -> None:
        """A node comes; or comes back under the address that it had."""
        number = (
            next((n for n, channel in enumerate(self.group.channels) if not channel.alive), None) if again else None
        )
        made = self.group.join(start=False, as_number=number)
        self.waiting_in(made).start()

    @rule(number=NODES)
    def restart_map(self, number: int) -> None:
        """The application is loaded anew on one node."""
        self.lost_nodes += 1
        node = self.node(number)
        place = self.group.maps.index(node)
        node.stop()
        self.group.maps[place] = made = self.group.make(self.group.channels[place], self.group.owners[place])
        self.waiting_in(made).start()

    @rule(number=NODES, other=NODES)
    def suspect(self, number: int, other: int) -> None:
        """One believes that another is gone, which is not so; the other does not know."""
        if self.node(number) is not self.node(other):
            self.node(number).member_disappeared(self.node(other).local)

    @rule(number=NODES, other=NODES)
    def cut(self, number: int, other: int) -> None:
        one, two = (self.group.channels[self.group.maps.index(self.node(n))] for n in (number, other))
        if one is not two:
            self.group.network.cut(one, two)

    @rule()
    def heal(self) -> None:
        self.group.network.heal()

    @rule(number=NODES)
    def beat(self, number: int) -> None:
        self.node(number).heartbeat()

    @invariant()
    def everything_has_its_owner_and_its_backup(self) -> None:
        """Not now: only when it has calmed down."""

    def teardown(self) -> None:
        if not hasattr(self, "removed"):
            return
        network = self.group.network
        network.asking = None
        network.settle()
        network.faults.clear()
        network.fault_rate = 0.0
        network.heal()
        while network.late:
            network.deliver_late(0)
        network.heartbeat(TURNS)
        live = [each for channel, each in zip(self.group.channels, self.group.maps, strict=True) if channel.alive]
        for key in {key for each in live for key in each.keys()}:  # noqa: SIM118  # a map is no dict
            check_owners(self.group, key)
        if not self.lost_nodes:
            assert set(self.model) - self.removed <= set(live[0].keys())
        assert not any(each.table.orphans or each.table.wanted or each.table.owed for each in live)


class StormCopies(Storm):
    kind = ReplicatedMap


#: Bounded in time: the same examples each run, and a failing one is reported as it was found.
BOUNDED = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)


@pytest.mark.parametrize("machine", [Calm, CalmCopies], ids=lambda machine: machine.__name__)
def test_with_everything_delivered_the_map_is_a_dict(machine: type[Calm]) -> None:
    run_state_machine_as_test(machine, settings=BOUNDED)


@pytest.mark.parametrize("machine", [Storm, StormCopies], ids=lambda machine: machine.__name__)
def test_after_losses_delays_and_doubles_every_entry_has_one_owner_again(machine: type[Storm]) -> None:
    run_state_machine_as_test(machine, settings=BOUNDED)
