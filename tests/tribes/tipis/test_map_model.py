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
from tests.tribes.tipis.maps import Box, Group

KEYS = st.sampled_from("abc")
NODES = st.integers(0, 5)


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
        assert owner.entry(key).nodes == (holders[0].local,)


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
    """Messages are lost, late, doubled and out of order between links; afterwards the group finds itself again."""

    @initialize()
    def begin_storm(self) -> None:
        self.made: set[str] = set()

    @rule(fault=st.sampled_from(["drop", "duplicate", "ack lost", "", ""]))
    def disturb(self, fault: str) -> None:
        self.group.network.faults.append(fault)

    @rule(which=st.integers(0, 20))
    def deliver_one(self, which: int) -> None:
        pairs = self.group.network.busy_links()
        if pairs:
            self.group.network.deliver(pairs[which % len(pairs)])

    @rule(number=NODES, key=KEYS, value=st.integers())
    def put(self, number: int, key: str, value: int) -> None:
        """A key is new, as a session's id is: two nodes never make the same one at the same time."""
        if key not in self.made:
            self.made.add(key)
            self.node(number).put(key, Box(n=value))

    @rule(number=NODES, key=KEYS, name=st.sampled_from("xy"), value=st.integers())
    def change(self, number: int, key: str, name: str, value: int) -> None:
        node = self.node(number)
        box = node.get(key)
        if box is not None:
            box.set(name, value)
            node.replicate(key)

    @rule(number=NODES, key=KEYS)
    def read(self, number: int, key: str) -> None:
        self.node(number).get(key)

    @rule(number=NODES, key=KEYS)
    def remove(self, number: int, key: str) -> None:
        self.node(number).remove(key)

    @invariant()
    def everything_has_its_owner_and_its_backup(self) -> None:
        """Not now: only when it has calmed down."""

    def teardown(self) -> None:
        if not hasattr(self, "group"):
            return
        group = self.group
        group.network.faults.clear()
        group.settle()
        group.network.heartbeat(3)
        keys = {
            key
            for channel, each in zip(group.channels, group.maps, strict=True)
            if channel.alive
            for key in each.keys()  # noqa: SIM118  # a map is no dict
        }
        for key in keys:
            # Requests for it reach every node: each gets it, unless it was lost with the node that had it alone.
            live = [each for channel, each in zip(group.channels, group.maps, strict=True) if channel.alive]
            found = []
            for each in [*live, *live[:1]]:
                found.append(each.get(key))
                group.settle()
            if found[0] is not None:
                assert all(box is not None and box.content == found[0].content for box in found)
                if len(live) > 1:
                    check_owners(group, key)


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
