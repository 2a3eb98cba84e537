"""Level 2: the real managers, cluster and valves on simulated clocks and a simulated network of messages.

A run has a schedule, made from its seed: requests of clients, and faults. After the trouble everything heals, and it is
quiet for some minutes. During all of it:

- who is served by a node that has a change which some client was told of is shown that change or a later one;
- a session is there for its clients on every node that has a change of it, unless it ended;
- a session that was ended for a client is nowhere where that is known, and a client never gets another one's session;
- an id that a login has replaced leads nowhere where that is known;
- when an answer leaves that waited for acknowledgements, who was to acknowledge has what it says (DeltaManager, 6);
- no node's version of anything falls.

After the quiet, besides:

- all nodes have the same sessions, with BackupManager the same owner and backup, and these the same values;
- no change that a client was told of is lost while a node lives that had it, and no session;
- an ended session is nowhere; nothing waits in any table or on any connection;
- a session that was used is there, and one that nobody used for long is gone, where sessions have short intervals.

Where every loss is known to somebody, half of the runs have no comparisons in the background: what they would mend
later has to come right without them.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from tests.simulation.clients import Client, Request
from tests.simulation.farm import Farm
from tests.simulation.java_peers import JavaChannel
from tests.simulation.machines import check_machine
from tests.simulation.network import ACK_SECONDS, Network
from tests.simulation.nodes import Life, SimDeltaManager, SimRequest
from tests.simulation.promises import NAMES, BrokenPromise, Story
from tests.simulation.wires import WireNetwork
from tests.simulation.world import SimSurroundings, World

__all__ = ["Plan", "Run", "Step", "make_plan"]

#: Faults that can happen; a seed chooses some of them.
FAULTS = ("partition", "one way", "crash", "freeze", "slow", "reset", "jump", "skew", "reorder")
#: How clients work; a seed chooses some of them. Wandering: on one node for some time, then on the next.
WORK = ("sticky", "roaming", "parallel", "wandering")
OPERATIONS = ("set", "set", "set", "set mutable", "inside", "inside", "remove", "read", "read", "login", "end")

#: Sessions that outlive most faults.
LONG_SESSIONS = (*[each for each in OPERATIONS if each != "end"] * 10, "end")

#: Those that lose no message.
LOSSLESS = {"jump", "skew", "reorder"}

QUIET_SECONDS = 60.0
WANDER_SECONDS = 37.0
#: Seconds between two looks at all records.
LOOK_SECONDS = 1.0
#: With idle sessions a change is known to a copy, and a use of a session only a tenth of its interval later.
KNOWN_USE = 0.8


@dataclass(frozen=True)
class Step:
    """One thing that happens at a time, with what it needs."""

    at: float
    kind: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.at:8.3f} {self.kind} {' '.join(map(str, self.values))}"


@dataclass(frozen=True)
class Plan:
    """All that a run needs; equal plans run alike.

    Args:
        manager: ``DeltaManager`` or ``BackupManager``.
        options: how the manager's messages are sent.
        interval: seconds after which an unused session ends; 0: half an hour, which no run takes.
        background: whether members compare now and then without a reason.
        wires: level 3: the real channel over simulated sockets (``wires.py``).
        java: the first node behaves as a Java one; promises are for the others.
        farm: the nodes have a farm (``farm.py``).
    """

    seed: int
    manager: str
    options: int
    nodes: int
    faults: tuple[str, ...]
    work: tuple[str, ...]
    steps: tuple[Step, ...]
    jitter: float
    interval: int = 0
    background: bool = True
    wires: bool = False
    java: bool = False
    farm: bool = False

    def __str__(self) -> str:
        lines = [
            f"{self.manager}, options {self.options}, {self.nodes} nodes, faults {list(self.faults)}, "
            f"work {list(self.work)}, interval {self.interval}, background {self.background}, {len(self.steps)} steps:"
        ]
        return "\n  ".join([*lines, *map(str, self.steps)])


def make_plan(seed: int, manager: str = "") -> Plan:
    """The plan of a seed."""
    dice = random.Random(f"plan {seed}")
    chosen = dice.choice(("DeltaManager", "DeltaManager", "BackupManager"))
    nodes = dice.randint(2, 5)
    faults = tuple(dice.sample(FAULTS, dice.choice((1, 1, 2, 2, 3, 4, 5))))
    work = tuple(dice.sample(WORK, dice.randint(1, 3)))
    length = dice.uniform(40, 200)
    steps = [Step(4.0 + nodes, "nothing", ())]
    if "skew" in faults:
        steps += [Step(0.0, "jump", (n, dice.uniform(-3600, 3600))) for n in range(nodes) if dice.random() < 0.6]
    clients = dice.randint(2, 6)
    #: A client that leaves early leaves a session behind that no later change repairs.
    leaves = [dice.choice((length + 40, dice.uniform(10, length))) for _ in range(clients)]
    operations = dice.choice((OPERATIONS, LONG_SESSIONS, LONG_SESSIONS))
    at = 5.0
    rate = dice.uniform(0.5, 6)
    while (at := at + dice.expovariate(rate)) < length + 40:
        client = dice.randrange(clients)
        if at > leaves[client]:
            continue
        steps.append(_request(dice, at, client, work, nodes, operations))
        while dice.random() < 0.4:  # as soon as there is an answer
            at += dice.uniform(0.005, 0.3)
            steps.append(_request(dice, at, client, work, nodes, operations))
    at = 6.0
    often = dice.uniform(3, 20)
    active = [fault for fault in faults if fault not in ("skew", "reorder")]
    while active and (at := at + dice.expovariate(1 / often)) < length:
        steps.append(_fault(dice, at, dice.choice(active), nodes))
    steps.append(Step(length + 40.0, "nothing", ()))
    steps.sort(key=lambda step: step.at)
    jitter = dice.choice((0.6, 1.2)) if "reorder" in faults else 0.004
    options = dice.choice((6, 6, 6, 2, 8))
    manager = manager or chosen
    if manager == "BackupManager" and options == 8:
        options = 6  # nobody knows of a message lost without an acknowledgement, until the entry is claimed again
    more = random.Random(f"more {seed}")
    interval = more.choice((0, 0, 20, 40)) if manager == "DeltaManager" else 0
    background = options == 8 or more.random() < 0.5
    steps += _intruders(more, length, clients, nodes)
    steps.sort(key=lambda step: step.at)
    return Plan(
        seed, manager, options, nodes, faults, work, tuple(steps), jitter, interval, background
    )  # fmt: skip


def _intruders(dice: random.Random, length: float, clients: int, nodes: int) -> list[Step]:
    """Somebody comes with an id that a login has replaced."""
    steps = []
    at = 8.0
    while (at := at + dice.expovariate(0.2)) < length:
        steps.append(Step(at, "intruder", (dice.randrange(clients), dice.randrange(nodes))))
    return steps


def _request(
    dice: random.Random, at: float, client: int, work: Sequence[str], nodes: int, operations: Sequence[str]
) -> Step:
    how = work[client % len(work)]
    if how == "parallel" and dice.random() < 0.5:
        return Step(at, "pair", (client, *_work(dice, nodes, operations), *_work(dice, nodes, operations)))
    what = _work(dice, nodes, operations)
    if how == "wandering":
        what = (*what[:2], (client + int(at / WANDER_SECONDS)) % nodes, what[3])
    return Step(at, "request", (client, how == "sticky", *what))


def _work(dice: random.Random, nodes: int, operations: Sequence[str]) -> tuple[str, str, int, float]:
    """An operation of a request, its attribute, the node, and how many seconds it takes."""
    seconds = round(dice.uniform(0.01, 2.0), 3) if dice.random() < 0.1 else 0.0
    return dice.choice(operations), dice.choice(NAMES), dice.randrange(nodes), seconds


def _fault(dice: random.Random, at: float, kind: str, nodes: int) -> Step:
    seconds = dice.choice((0.3, 2.0, 8.0, 40.0, 60.0)) * dice.uniform(0.5, 1.5)
    one, other = dice.sample(range(nodes), 2)
    match kind:
        case "partition":
            return Step(at, kind, (tuple(dice.randint(0, 1) for _ in range(nodes)), seconds))
        case "one way" | "reset":
            return Step(at, kind, (one, other, seconds))
        case "jump":
            return Step(at, kind, (one, dice.choice((-1, 1)) * dice.choice((1.0, 60.0, 3600.0))))
    return Step(at, kind, (one, seconds))


class _Faults(logging.Handler):
    """Remembers exceptions that were only logged, and bytes of peers that were not understood."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "expected b'" in record.getMessage():
            self.found.append(logging.Formatter().format(record))


class Run:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.world = World(plan.seed)
        self.network = WireNetwork(self.world) if plan.wires else Network(self.world)
        self.network.jitter = plan.jitter
        if plan.java:
            self.network.java, self.network.java_channel = {"n0"}, JavaChannel
        self.skews = [0.0] * plan.nodes
        self.generations = [0] * plan.nodes
        self.clients: dict[int, Client] = {}
        self.stories: list[Story] = []
        self.by_bare_id: dict[str, Story] = {}
        self.counts: Counter[str] = Counter()
        self._written = 0
        #: The versions of each record of each node when it was last looked at.
        self._seen: dict[Any, dict[Any, bytes]] = {}
        self._end = 0.0
        self.farm = Farm(self) if plan.farm else None

    # -- nodes -----------------------------------------------------------------------------------------------------

    def _template(self, surroundings: SimSurroundings) -> ClusterManagerBase:
        if self.plan.manager == "DeltaManager":
            manager = SimDeltaManager(surroundings=surroundings)
            if self.plan.interval:
                manager.give(max_inactive_interval=self.plan.interval)
            return manager
        return BackupManager(surroundings=surroundings, map_send_options=self.plan.options)

    def _boot(self, number: int) -> None:
        self.generations[number] += 1
        life = Life(
            self.network,
            f"n{number}",
            self.generations[number],
            self._template,
            self.plan.options,
            lambda: self.skews[number],
            self.plan.seed,
            self.plan.background or self.plan.java,
        )
        if isinstance(life.manager, SimDeltaManager):
            life.manager.idle_ended = partial(self._idle_ended, life)
        if self.farm is not None:
            self.farm.boot(life, number)

    def _idle_ended(self, life: Life, session_id: str) -> None:
        """A node that ends a session for idleness gives up the changes that nobody else has heard of, as if it died."""
        story = self.by_bare_id.get(session_id.partition(".")[0])
        for writes in () if story is None else story.writes.values():
            for write in writes.values():
                write.holders.discard(life)

    def life(self, number: int) -> Life | None:
        life = self.network.lives.get(f"n{number % self.plan.nodes}")
        return life if life is not None and life.alive else None

    @property
    def alive(self) -> list[Life]:
        """Those that live and are held to the promises."""
        return [life for life in self.all_alive if not life.is_java]

    @property
    def all_alive(self) -> list[Life]:
        return [life for life in self.network.lives.values() if life.alive]

    # -- the run ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Trouble, quiet, and a look at everything.

        Raises:
            BrokenPromise: something does not hold.
        """
        logger = logging.getLogger("org.apache.catalina")
        faults = _Faults()
        level, propagates = logger.level, logger.propagate
        logger.addHandler(faults)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        try:
            self._run()
        finally:
            if self.farm is not None:
                self.farm.close()
            logger.removeHandler(faults)
            logger.setLevel(level)
            logger.propagate = propagates
        if faults.found:
            raise BrokenPromise(f"it was logged: {faults.found[0]}")

    def _run(self) -> None:
        began = self.world.now
        for step in self.plan.steps:
            if step.at == 0.0:
                self._do(step)
        for number in range(self.plan.nodes):
            self.world.after(number * 0.7, lambda number=number: self._boot(number))  # type: ignore[misc]
        for step in self.plan.steps:
            if step.at > 0.0:
                self.world.after(step.at, lambda step=step: self._do(step))  # type: ignore[misc]
        last = max((step.at for step in self.plan.steps), default=0.0)
        self.world.after(LOOK_SECONDS, self._look)
        self._end = began + max(last, self._last_start + 8.0) + self._quiet_seconds
        if self.plan.interval:
            self.world.after(last - 40.0, self._keep_in_use)
        self.world.run_until(began + last - 40.0)
        self._heal()
        self.world.run_until(began + last)
        if not set(self.plan.faults) - LOSSLESS and self.plan.manager == "DeltaManager" and not self.plan.java:
            self.world.run_until(self.world.now + 8.0)  # all has arrived: nothing is left to comparisons
            self._check_same(self.alive)
        self.world.run_until(self._end + 8.0)
        self._check_all()

    @property
    def _last_start(self) -> float:
        """When the last node that a crash ends is there again."""
        crashes = [step.at + step.values[1] for step in self.plan.steps if step.kind == "crash"]
        return max(crashes, default=0.0)

    @property
    def _quiet_seconds(self) -> float:
        """Until all is as it should be: with comparisons in the background the turn of each member comes once."""
        background = self.plan.background or self.plan.java or self.plan.farm
        return QUIET_SECONDS * (self.plan.nodes + 1) if background else QUIET_SECONDS

    def _look(self) -> None:
        """No version of a record falls, on any node."""
        seen: dict[Any, dict[Any, bytes]] = {}
        for life in self.alive:
            for record in life.records():
                versions, before = record.versions, self._seen.get(record)
                if before == versions:
                    seen[record] = before
                    continue
                for name, version in () if before is None else before.items():
                    if versions.get(name, record.floor) < version:
                        self.broken(f"the version of {name!r} of {record} on {life} fell")
                seen[record] = versions.copy()
        self._seen = seen
        self.world.after(LOOK_SECONDS, self._look)

    def _keep_in_use(self) -> None:
        """Some clients go on, others leave: their sessions end for being idle."""
        if self.world.now > self._end - 5.0:
            return
        for client in self.clients.values():
            life = self._serving(client.home)
            if life is not None and not client.busy and client.cookie is not None and client.number % 3:
                Request(self, client, life, "read", NAMES[0], 0.0)
        self.world.after(self.plan.interval / 3, self._keep_in_use)

    def _do(self, step: Step) -> None:
        if step.kind == "request":
            client, is_sticky, *what = step.values
            self._send_request(self._client(client), is_sticky, *what)
        elif step.kind == "pair":
            client, *what = step.values
            self._send_pair(self._client(client), *what)
        elif step.kind == "farm":
            if self.farm is not None:
                self.farm.do(*step.values)
        elif step.kind != "nothing":
            getattr(self, "_" + step.kind.replace(" ", "_"))(*step.values)
            self.counts[step.kind] += 1

    # -- faults ----------------------------------------------------------------------------------------------------

    def _cut(self, pairs: set[tuple[str, str]], seconds: float) -> None:
        self.network.cut(pairs)
        self.world.after(seconds, lambda: self.network.heal(pairs))

    def _partition(self, sides: Sequence[int], seconds: float) -> None:
        numbers = range(self.plan.nodes)
        self._cut({(f"n{a}", f"n{b}") for a in numbers for b in numbers if sides[a] != sides[b]}, seconds)

    def _one_way(self, one: int, other: int, seconds: float) -> None:
        self._cut({(f"n{one}", f"n{other}")}, seconds)

    def _reset(self, one: int, other: int, seconds: float) -> None:
        first, second = self.life(one), self.life(other)
        if first is not None and second is not None:
            self.network.reset_often(first, second, seconds)

    def _crash(self, number: int, seconds: float) -> None:
        life = self.life(number)
        if life is None or len(self.all_alive) < 2:
            return
        life.kill()
        if self.farm is not None:
            self.farm.killed(life)
        self.world.after(seconds, lambda: self._boot(number))
        if self.plan.manager == "BackupManager":
            self._look_who_holds()

    def _look_who_holds(self) -> None:
        """A value that went to another holder is not where it was: who has it when others die counts."""
        for story in self.stories:
            at = {life: story.numbers_at(life) for life in self.alive}
            for writes in story.writes.values():
                for write in writes.values():
                    if write.is_promised:
                        write.holders = {life for life in self.alive if story.holds(at[life], write)}

    def _freeze(self, number: int, seconds: float) -> None:
        life = self.life(number)
        if life is not None and not life.frozen:
            life.frozen = True
            self.world.after(seconds, life.thaw)

    def _slow(self, number: int, seconds: float) -> None:
        name = f"n{number}"
        self.network.slow.add(name)
        self.world.after(seconds, lambda: self.network.slow.discard(name))

    def _jump(self, number: int, seconds: float) -> None:
        if not (self.plan.java and number == 0 and self.world.now > 1001):  # nobody can tell a Java clock that was set
            self.skews[number] += seconds  # back from messages that are late

    def _heal(self) -> None:
        self.network.heal(set(self.network.cuts))
        self.network.slow.clear()

    # -- clients ---------------------------------------------------------------------------------------------------

    def _client(self, number: int) -> Client:
        return self.clients.setdefault(number, Client(number))

    def _serving(self, first: int) -> Life | None:
        for number in range(self.plan.nodes):
            life = self.life(first + number)
            if life is not None and life.serves:
                return life
        return None

    def _send_request(
        self, client: Client, is_sticky: bool, operation: str, name: str, where: int, seconds: float
    ) -> None:
        life = self._serving(client.home if is_sticky else where)
        if life is not None and not client.busy:
            client.home = int(life.name[1:])
            Request(self, client, life, operation, name, seconds)

    def _send_pair(self, client: Client, *what: Any) -> None:
        if client.busy:
            return
        for operation, name, where, seconds in (what[:4], what[4:]):
            life = self._serving(where)
            if life is not None:
                Request(self, client, life, operation, name, seconds)

    def _intruder(self, number: int, where: int) -> None:
        """Somebody has an id that was replaced: from before a login, say."""
        story, life = self._client(number).story, self._serving(where)
        if story is None or life is None or not story.replaced_at:
            return
        bare = sorted(story.replaced_at)[-1]
        knew = life in story.replaced_at[bare]

        def look(request: SimRequest) -> None:
            session = request.get_session(False)
            if session is not None and knew and self.by_bare_id.get(session.id.partition(".")[0]) is story:
                self.broken(f"{bare}, which was replaced, leads to {story} on {life}, which knew")

        life.run(lambda: life.serve(f"{bare}.n0", look, lambda _: None))

    # -- promises --------------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        self._written += 1
        return self._written

    def broken(self, what: str) -> None:
        raise BrokenPromise(f"at {self.world.now - 1000:.3f} s: {what}")

    def _check_all(self) -> None:
        lives = self.alive
        if len(self.all_alive) != self.plan.nodes or not all(life.serves for life in lives):
            self.broken(f"only {[life for life in lives if life.serves]} serve")
        self._check_same(lives)
        if self.farm is not None:
            self.farm.check(lives)
        for story in self.stories:
            self._check_story(story, lives)
        for life in lives:
            if left := life.left_over():
                self.broken(f"{life} has not come to rest: {left}")
            if fault := check_machine(life.manager):
                self.broken(f"{life}: {fault}")
        for link in self.network.links:
            if link.oldest < self.world.now - ACK_SECONDS - 1:
                self.broken(f"something waits between {link.sender} and {link.receiver}")
        busy = [client.number for client in self.clients.values() if client.busy]
        if busy:
            self.broken(f"clients {busy} never got an answer")

    def _check_same(self, lives: Sequence[Life]) -> None:
        first = self._contents(lives[0])
        for life in lives[1:]:
            contents = self._contents(life)
            if contents != first:
                different = sorted(set(first.items()) ^ set(contents.items()), key=repr)[:4]
                self.broken(f"{lives[0]} and {life} differ: {different}")
        if self.plan.manager == "BackupManager":
            by_host = {life.member.host: life for life in lives}
            for key, (primary, nodes, _) in first.items():
                values = [by_host[host].values(key) for host in (primary.host, *nodes)]
                if any(value != values[0] for value in values):
                    self.broken(f"owner {primary} and backup {nodes} of {key} differ: {values}")

    def _contents(self, life: Life) -> dict[str, Any]:
        """The content of a node, without what is about to end for being idle: nodes see that at different times."""
        contents = life.contents()
        if not self.plan.interval:
            return contents
        idle = {key for key in contents if (story := self.by_bare_id.get(key)) is not None and self.is_idle(story)}
        return {key: value for key, value in contents.items() if key not in idle}

    def is_idle(self, story: Story) -> bool:
        """True when it may end; a use is known to all others only after a tenth of its interval."""
        return self.world.now - story.last_used > story.interval * KNOWN_USE

    def _check_story(self, story: Story, lives: Sequence[Life]) -> None:
        at = {life: story.numbers_at(life) for life in lives}
        there = [life for life, numbers in at.items() if numbers is not None]
        if story.ended:
            back = bool(story.end_holders & set(lives)) and bool(there)
            if back:
                self.broken(f"{story} was ended and is there on {there}")
            return
        idle = self.world.now - story.last_used
        if idle > 3 * story.interval + 30 and there:  # a copy lives twice as long, and looks each ten seconds
            self.broken(f"{story} was not used for {idle:.0f} s and is there on {there}")
        if story.was_idle or self.is_idle(story):
            return
        for write in story.promised(lives):
            if not there:
                self.broken(f"{story} is gone, though {write.holders} had change {write.number} of {write.name!r}")
            for life in there:
                if not story.holds(at[life], write):
                    self.broken(
                        f"{story} on {life} has {at[life]}, older than change {write.number} of {write.name!r}, "
                        f"which {write.holders} had"
                    )
