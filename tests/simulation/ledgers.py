"""Level 1: ledgers alone. Nodes that crash, restart, are cut off, and whose clocks are wrong; messages that are lost,
late, out of order, or come twice.

A run has a phase of trouble and a phase of quiet. After the quiet, these hold:

- all nodes that are there have the same records, field by field;
- a change that was acknowledged is there, or a later one of the same field, if any node lived on that had it (an end
  for idleness takes with it what only the side that ended the record knew);
- a record that was ended for good is nowhere, if any node lived on that had heard the end;
- an id that was replaced by another bare id leads nobody to a record, if any node lived on that had heard it.
"""

from __future__ import annotations

import dataclasses
import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catalina.tribes.io.java import EncodedValue
from catalina.tribes.ledger.commands import Ask, Command, Tell, TellEnded
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.reconciler import Message, Reconciler, Settled
from catalina.tribes.ledger.record import Record, bare_id
from catalina.tribes.ledger.version import Version, VersionClock, life_tag

#: Virtual seconds between two comparisons with some other node, and for which a message is on its way at most.
COMPARE_SECONDS = 5.0
DELAY_SECONDS = 2.0


class BrokenPromise(AssertionError):
    """A promise that the run has shown to be broken, with its seed."""


@dataclass
class Node:
    """One life of a node."""

    name: str
    life: int
    ledger: Ledger
    reconciler: Reconciler
    skew_us: int = 0
    #: Changes that this life knows by having made or received them: (key, field) -> versions; ends: key -> versions.
    up: bool = True


@dataclass
class Acknowledged:
    """A change, a new id or an end of which a client was told that it is done, and the lives that had it.

    Args:
        field: the field that was changed; of another kind of promise None.
        replaced: the bare id that leads nowhere any more.
    """

    key: str
    field: str | None
    version: Version
    holders: set[tuple[str, int]] = dataclasses.field(default_factory=set)
    replaced: str | None = None


@dataclass
class World:
    """One run.

    Args:
        seed: decides everything.
        nodes: how many there are.
        without: faults that the seed has chosen and this run leaves out.
    """

    seed: int
    nodes: int = 3
    without: frozenset[str] = frozenset()
    now: float = 1000.0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.lives: dict[str, Node] = {}
        self.acknowledged: list[Acknowledged] = []
        self.ended_as_idle: set[str] = set()
        self.ended: set[str] = set()
        self.ids: list[str] = []
        self._groups: dict[str, int] = {}
        self.faults = self.random.sample(
            ["loss", "duplicates", "reorder", "partition", "one_way", "crash", "skew", "jump"],
            self.random.randint(1, 6),
        )
        self.faults = [fault for fault in self.faults if fault not in self.without]
        self.counts: Counter[str] = Counter()
        self._one_way: set[tuple[str, str]] = set()
        self.trouble = True
        self.log: list[str] = []
        for number in range(self.nodes):
            self._boot(f"n{number}", 0)

    # -- time ------------------------------------------------------------------------------------------------------

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, call))

    def run_until(self, end: float) -> None:
        while self._events and self._events[0][0] <= end:
            self.now, _, call = heapq.heappop(self._events)
            call()
        self.now = end

    def _us(self, node: Node) -> int:
        return int((self.now + 1_700_000_000) * 1_000_000) + node.skew_us

    # -- nodes -----------------------------------------------------------------------------------------------------

    def _boot(self, name: str, life: int) -> None:
        skew = self.random.randint(-3_600_000_000, 3_600_000_000) if "skew" in self.faults else 0
        ledger = Ledger(VersionClock(life_tag(name.encode(), life)))
        node = self.lives[name] = Node(name, life, ledger, Reconciler(ledger), skew)
        self._groups.setdefault(name, 0)
        self.after(0.01, lambda: self._compare_with_all(node, is_starting=True))
        self.after(self.random.uniform(0, COMPARE_SECONDS), lambda: self._compare_often(node))

    def _is_current(self, node: Node) -> bool:
        return self.lives.get(node.name) is node and node.up

    def _reaches(self, one: Node, other: Node) -> bool:
        return (
            self._is_current(one)
            and self._is_current(other)
            and self._groups[one.name] == self._groups[other.name]
            and (one.name, other.name) not in self._one_way
        )

    def _compare_with_all(self, node: Node, is_starting: bool = False) -> None:
        if self._is_current(node):
            for other in list(self.lives.values()):
                if other is not node:
                    self._send_message(node, other, node.reconciler.begin(is_starting))

    def _compare_often(self, node: Node) -> None:
        if self._is_current(node):
            others = [other for other in self.lives.values() if other is not node]
            self._send_message(node, self.random.choice(others), node.reconciler.begin())
            self.after(COMPARE_SECONDS, lambda: self._compare_often(node))

    # -- network ---------------------------------------------------------------------------------------------------

    def _post(self, sender: Node, receiver: Node, call: Callable[[Node], None]) -> bool:
        """Deliver later; whether it will arrive."""
        if not self._reaches(sender, receiver) or (
            self.trouble and "loss" in self.faults and self.random.random() < 0.1
        ):
            return False
        copies = 2 if self.trouble and "duplicates" in self.faults and self.random.random() < 0.1 else 1
        for _ in range(copies):
            delay = self.random.uniform(0, DELAY_SECONDS) if "reorder" in self.faults else 0.01
            self.after(delay, lambda: call(receiver) if self._is_current(receiver) else None)
        return True

    def _send_message(self, sender: Node, receiver: Node, message: Message) -> None:
        if not isinstance(message, Settled):
            self._post(sender, receiver, lambda node: self._heard(node, sender, message))

    def _heard(self, node: Node, sender: Node, message: Message) -> None:
        reply = node.reconciler.heard(sender.name, message)
        for record in reply.records:
            self._tell(node, sender.name, record)
        for grave in reply.ended:
            self._run(node, [TellEnded(sender.name, grave)])
        for each in reply.messages:
            self._send_message(node, sender, each)

    def _tell(self, node: Node, to: Any, record: Record) -> None:
        snapshot = record.snapshot()
        self._post(
            node,
            self.lives[to],
            lambda other: self._run(other, other.ledger.heard_record(node.name, snapshot, self.now)),
        )

    def _run(self, node: Node, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Tell(to, record):
                    self._tell(node, to, record)
                case TellEnded(to, grave):
                    self._post(
                        node,
                        self.lives[str(to)],
                        partial(self._hear_grave, node.name, grave),
                    )
                case Ask(to, full_id):
                    self._post(
                        node,
                        self.lives[str(to)],
                        partial(self._hear_question, node.name, full_id),
                    )

    def _hear_grave(self, sender: str, grave: Grave, node: Node) -> None:
        self._run(node, node.ledger.heard_grave(sender, grave, self.now))

    def _hear_question(self, sender: str, full_id: str, node: Node) -> None:
        self._run(node, node.ledger.heard_question(sender, full_id))

    # -- clients ---------------------------------------------------------------------------------------------------

    def _tell_all(self, node: Node, acknowledged: Acknowledged | None, call: Callable[[Ledger], list[Command]]) -> None:
        """A change goes to everybody; it is acknowledged when all who can be reached have it."""
        if acknowledged is not None:
            acknowledged.holders.add((node.name, node.life))
        waiting = {other.name for other in self.lives.values() if other is not node and self._reaches(node, other)}

        def arrived(other: Node) -> None:
            self._run(other, call(other.ledger))
            if acknowledged is not None:
                if self._has(other, acknowledged):
                    acknowledged.holders.add((other.name, other.life))
                waiting.discard(other.name)
                done()

        def done() -> None:
            if not waiting and acknowledged is not None and acknowledged not in self.acknowledged:
                self.acknowledged.append(acknowledged)

        for other in list(self.lives.values()):
            if other is not node and not self._post(node, other, arrived):
                waiting.discard(other.name)
        done()

    @staticmethod
    def _has(node: Node, promise: Acknowledged) -> bool:
        """True when a node has taken a change or an end; one that has asked for the record first has not."""
        record = node.ledger.addressed(promise.key)
        if record is not None and promise.replaced is not None:
            return not record.leads_here(promise.replaced)
        if record is None or promise.field is None:
            return node.ledger.grave_of(promise.key) is not None
        return record.versions.get(promise.field, record.floor) >= promise.version

    def step(self) -> None:
        """One request of one client at one node."""
        node = self.random.choice([each for each in self.lives.values() if each.up])
        what = self.random.random()
        if what < 0.15 or not self.ids:
            self._create(node)
            return
        full_id = self.random.choice(self.ids[-30:])
        record = node.ledger.find(full_id)
        if record is None:
            return
        if what < 0.75:
            self._change(node, record)
        elif what < 0.85:
            version = node.ledger.use(record, self._us(node))
            used = record.id
            self._tell_all(node, None, lambda ledger: ledger.heard_use(node.name, used, version, self.now))
        elif what < 0.93:
            self._rename(node, record)
        else:
            self._end(node, record, is_idle=what > 0.97)

    def _create(self, node: Node) -> None:
        full_id = f"{self.random.getrandbits(64):016x}.{node.name}"
        record = node.ledger.create(full_id, self._us(node))
        self.ids.append(full_id)
        born = record.born
        self._tell_all(node, None, lambda ledger: ledger.heard_created(node.name, full_id, born, self.now))

    def _change(self, node: Node, record: Record) -> None:
        name = self.random.choice("abc")
        value = None if self.random.random() < 0.2 else EncodedValue(b"\x74" + self.random.randbytes(4), 1)
        version = node.ledger.change(record, [(name, value)], self._us(node))
        full_id = record.id
        self._tell_all(
            node,
            Acknowledged(record.key, name, version),
            lambda ledger: ledger.heard_changes(node.name, full_id, [(name, value)], version, self.now),
        )

    def _rename(self, node: Node, record: Record) -> None:
        old_id = record.id
        new_id = f"{bare_id(old_id)}.{node.name}"
        promise = None
        if self.random.random() < 0.5 or new_id == old_id:
            new_id = f"{self.random.getrandbits(64):016x}.{node.name}"
        version = node.ledger.rename(record, new_id, self._us(node))
        if bare_id(new_id) != bare_id(old_id):
            promise = Acknowledged(record.key, None, version, replaced=bare_id(old_id))
        self.ids.append(new_id)
        self._tell_all(node, promise, lambda ledger: ledger.heard_rename(node.name, old_id, new_id, version, self.now))

    def _end(self, node: Node, record: Record, is_idle: bool) -> None:
        (self.ended_as_idle if is_idle else self.ended).add(record.key)
        grave = node.ledger.end(record, self._us(node), self.now, is_idle)
        done = None if is_idle else Acknowledged(record.key, None, grave.version)
        self._tell_all(node, done, lambda ledger: ledger.heard_grave(node.name, grave, self.now))

    # -- trouble ---------------------------------------------------------------------------------------------------

    def _trouble(self) -> None:
        fault = self.random.choice(self.faults or ["none"])
        self.counts[fault] += 1
        match fault:
            case "partition":
                self._groups = {name: self.random.randint(0, 1) for name in self.lives}
            case "one_way":
                names = list(self.lives)
                self._one_way = {(self.random.choice(names), self.random.choice(names))}
            case "crash" if sum(node.up for node in self.lives.values()) > 1:
                node = self.random.choice([each for each in self.lives.values() if each.up])
                node.up = False
                self.after(self.random.uniform(0.1, 10), lambda: self._boot(node.name, node.life + 1))
            case "jump":
                self.random.choice(list(self.lives.values())).skew_us += self.random.choice((-1, 1)) * 3_600_000_000
        if self.random.random() < 0.5:
            self._heal()
        if self.trouble:
            self.after(self.random.uniform(0.5, 15), self._trouble)

    def _heal(self) -> None:
        self._groups = dict.fromkeys(self.lives, 0)
        self._one_way = set()
        for node in list(self.lives.values()):
            self._compare_with_all(node)

    def run(self, steps: int = 150) -> None:
        """Trouble with requests, then quiet; then everything is looked at.

        Raises:
            BrokenPromise: with the seed.
        """
        self.after(1.0, self._trouble)
        for _ in range(steps):
            self.run_until(self.now + self.random.expovariate(2.0))
            if any(node.up for node in self.lives.values()):
                self.step()
        self.trouble = False
        self._heal()
        self.run_until(self.now + 30)
        self._heal()
        self.run_until(self.now + 60)
        self.check()

    # -- promises --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        nodes = [node for node in self.lives.values() if node.up]
        first = self._contents(nodes[0])
        for node in nodes[1:]:
            contents = self._contents(node)
            if contents != first:
                different = sorted(set(first.items()) ^ set(contents.items()), key=repr)[:4]
                self._broken(f"{nodes[0].name} and {node.name} differ: {different}")
        alive = {(node.name, node.life) for node in nodes}
        for promise in self.acknowledged:
            if promise.holders & alive:
                self._check_promise(nodes[0], promise)

    def _contents(self, node: Node) -> dict[str, Any]:
        return {
            record.key: (
                record.id,
                record.born,
                tuple(sorted(record.names.items())),
                tuple(sorted(record.values.items())),
            )
            for record in node.ledger
        }

    def _check_promise(self, node: Node, promise: Acknowledged) -> None:
        record = node.ledger.addressed(promise.key)
        if promise.replaced is not None:
            if node.ledger.find(promise.replaced) is not None:
                self._broken(f"the replaced id {promise.replaced} still leads to {record} on {node.name}")
        elif promise.field is None:
            if record is not None and record.born < promise.version:
                self._broken(f"{record} was ended by {promise.version.hex()} and is there on {node.name}")
        elif promise.key in self.ended_as_idle:
            return
        elif record is None:
            if promise.key not in self.ended:
                self._broken(f"the record {promise.key} of an acknowledged change is gone on {node.name}")
        elif record.versions.get(promise.field, record.floor) < promise.version:
            self._broken(f"{record} lost an acknowledged change of {promise.field!r} on {node.name}")

    def _broken(self, what: str) -> None:
        raise BrokenPromise(f"seed {self.seed}, {self.nodes} nodes, faults {self.faults}: {what}")
