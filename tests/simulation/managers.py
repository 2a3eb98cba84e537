"""Level 2: the real managers, cluster and valves on simulated clocks and a simulated network of messages.

A run has a schedule, made from its seed: requests of clients, and faults. After the trouble everything heals, and it is
quiet for some minutes. During all of it:

- who is served by a node that has a change which some client was told of is shown that change or a later one;
- a session is there for its clients on every node that has a change of it, unless it ended;
- a session that was ended for a client is nowhere where that is known, and a client never gets another one's session.

After the quiet, besides:

- all nodes have the same sessions, with BackupManager the same owner and backup, and these the same values;
- no change that a client was told of is lost while a node lives that had it, and no session;
- what ended is nowhere; nothing waits in any table or on any connection.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.delta_manager import DeltaManager
from tests.simulation.network import ACK_SECONDS, Network
from tests.simulation.nodes import Life, SimRequest
from tests.simulation.promises import NAMES, BrokenPromise, Story, Write, number_in
from tests.simulation.world import SimSurroundings, World

__all__ = ["Plan", "Run", "Step", "make_plan"]

#: Faults that can happen; a seed chooses some of them.
FAULTS = ("partition", "one way", "crash", "freeze", "slow", "reset", "jump", "skew", "reorder")
#: How clients work; a seed chooses some of them.
WORK = ("sticky", "roaming", "parallel")
OPERATIONS = ("set", "set", "set", "set mutable", "inside", "inside", "remove", "read", "read", "login", "end")

#: Those that lose no message.
LOSSLESS = {"jump", "skew", "reorder"}

QUIET_SECONDS = 60.0
PATIENCE_SECONDS = 10.0


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
    """

    seed: int
    manager: str
    options: int
    nodes: int
    faults: tuple[str, ...]
    work: tuple[str, ...]
    steps: tuple[Step, ...]
    jitter: float

    def __str__(self) -> str:
        lines = [
            f"{self.manager}, options {self.options}, {self.nodes} nodes, faults {list(self.faults)}, "
            f"work {list(self.work)}, {len(self.steps)} steps:"
        ]
        return "\n  ".join([*lines, *map(str, self.steps)])


def make_plan(seed: int, manager: str = "") -> Plan:
    """The plan of a seed."""
    dice = random.Random(f"plan {seed}")
    chosen = dice.choice(("DeltaManager", "DeltaManager", "BackupManager"))
    nodes = dice.randint(2, 5)
    faults = tuple(dice.sample(FAULTS, dice.randint(1, 5)))
    work = tuple(dice.sample(WORK, dice.randint(1, 3)))
    length = dice.uniform(40, 200)
    steps = [Step(4.0 + nodes, "nothing", ())]
    if "skew" in faults:
        steps += [Step(0.0, "jump", (n, dice.uniform(-3600, 3600))) for n in range(nodes) if dice.random() < 0.6]
    clients = dice.randint(2, 6)
    at = 5.0
    rate = dice.uniform(0.5, 6)
    while (at := at + dice.expovariate(rate)) < length + 40:
        client = dice.randrange(clients)
        steps.append(_request(dice, at, client, work, nodes))
        while dice.random() < 0.4:  # as soon as there is an answer
            at += dice.uniform(0.005, 0.3)
            steps.append(_request(dice, at, client, work, nodes))
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
        options = 6  # what is lost without an acknowledgement is known to nobody, until the entry is claimed again
    return Plan(seed, manager, options, nodes, faults, work, tuple(steps), jitter)


def _request(dice: random.Random, at: float, client: int, work: Sequence[str], nodes: int) -> Step:
    how = work[client % len(work)]
    if how == "parallel" and dice.random() < 0.5:
        return Step(at, "pair", (client, *_work(dice, nodes), *_work(dice, nodes)))
    return Step(at, "request", (client, how == "sticky", *_work(dice, nodes)))


def _work(dice: random.Random, nodes: int) -> tuple[str, str, int, float]:
    """An operation of a request, its attribute, the node, and how many seconds it takes."""
    seconds = round(dice.uniform(0.01, 2.0), 3) if dice.random() < 0.1 else 0.0
    return dice.choice(OPERATIONS), dice.choice(NAMES), dice.randrange(nodes), seconds


def _fault(dice: random.Random, at: float, kind: str, nodes: int) -> Step:
    seconds = dice.choice((0.3, 2.0, 8.0, 40.0)) * dice.uniform(0.5, 1.5)
    one, other = dice.sample(range(nodes), 2)
    match kind:
        case "partition":
            return Step(at, kind, (tuple(dice.randint(0, 1) for _ in range(nodes)), seconds))
        case "one way" | "reset":
            return Step(at, kind, (one, other, seconds))
        case "jump":
            return Step(at, kind, (one, dice.choice((-1, 1)) * dice.choice((1.0, 60.0, 3600.0))))
    return Step(at, kind, (one, seconds))


class _Client:
    """A browser.

    Args:
        busy: requests that are under way.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.cookie: str | None = None
        self.story: Story | None = None
        self.home = number
        self.busy = 0


class _Faults(logging.Handler):
    """Remembers exceptions that were only logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(logging.Formatter().format(record))


class Run:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.world = World(plan.seed)
        self.network = Network(self.world)
        self.network.jitter = plan.jitter
        self.skews = [0.0] * plan.nodes
        self.generations = [0] * plan.nodes
        self.clients: dict[int, _Client] = {}
        self.stories: list[Story] = []
        self.by_bare_id: dict[str, Story] = {}
        self.counts: Counter[str] = Counter()
        self._written = 0
        self._freezes: Counter[Life] = Counter()
        self._end = 0.0

    # -- nodes -----------------------------------------------------------------------------------------------------

    def _template(self, surroundings: SimSurroundings) -> ClusterManagerBase:
        if self.plan.manager == "DeltaManager":
            return DeltaManager(surroundings=surroundings)
        return BackupManager(surroundings=surroundings, map_send_options=self.plan.options)

    def _boot(self, number: int) -> None:
        self.generations[number] += 1
        Life(
            self.network,
            f"n{number}",
            self.generations[number],
            self._template,
            self.plan.options,
            lambda: self.skews[number],
            self.plan.seed,
        )

    def _life(self, number: int) -> Life | None:
        life = self.network.lives.get(f"n{number % self.plan.nodes}")
        return life if life is not None and life.alive else None

    @property
    def alive(self) -> list[Life]:
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
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        try:
            self._run()
        finally:
            logger.removeHandler(faults)
            logger.setLevel(level)
            logger.propagate = propagates
        if faults.found:
            raise BrokenPromise(f"an exception was logged: {faults.found[0]}")

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
        self.world.run_until(began + last - 40.0)
        self._heal()
        self.world.run_until(began + last)
        if not set(self.plan.faults) - LOSSLESS and self.plan.manager == "DeltaManager":
            self.world.run_until(self.world.now + 8.0)  # all has arrived: nothing is left to comparisons
            self._check_same(self.alive)
        self.world.run_until(self.world.now + QUIET_SECONDS * self.plan.nodes + 60.0)
        self._check_all()

    def _do(self, step: Step) -> None:
        if step.kind == "request":
            client, is_sticky, *what = step.values
            self._send_request(self._client(client), is_sticky, *what)
        elif step.kind == "pair":
            client, *what = step.values
            self._send_pair(self._client(client), *what)
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

    def _reset(self, one: int, other: int, _: float) -> None:
        first, second = self._life(one), self._life(other)
        if first is not None and second is not None:
            first.reactor.call_soon(self.network.link(first, second).reset)

    def _crash(self, number: int, seconds: float) -> None:
        life = self._life(number)
        if life is None or len(self.alive) < 2:
            return
        life.kill()
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
        life = self._life(number)
        if life is not None and not life.frozen:
            life.frozen = True
            self.world.after(seconds, life.thaw)

    def _slow(self, number: int, seconds: float) -> None:
        name = f"n{number}"
        self.network.slow.add(name)
        self.world.after(seconds, lambda: self.network.slow.discard(name))

    def _jump(self, number: int, seconds: float) -> None:
        self.skews[number] += seconds

    def _heal(self) -> None:
        self.network.heal(set(self.network.cuts))
        self.network.slow.clear()

    # -- clients ---------------------------------------------------------------------------------------------------

    def _client(self, number: int) -> _Client:
        return self.clients.setdefault(number, _Client(number))

    def _serving(self, first: int) -> Life | None:
        for number in range(self.plan.nodes):
            life = self._life(first + number)
            if life is not None and life.serves:
                return life
        return None

    def _send_request(
        self, client: _Client, is_sticky: bool, operation: str, name: str, where: int, seconds: float
    ) -> None:
        life = self._serving(client.home if is_sticky else where)
        if life is not None and not client.busy:
            client.home = int(life.name[1:])
            _Request(self, client, life, operation, name, seconds)

    def _send_pair(self, client: _Client, *what: Any) -> None:
        if client.busy:
            return
        for operation, name, where, seconds in (what[:4], what[4:]):
            life = self._serving(where)
            if life is not None:
                _Request(self, client, life, operation, name, seconds)

    # -- promises --------------------------------------------------------------------------------------------------

    def next_number(self) -> int:
        self._written += 1
        return self._written

    def broken(self, what: str) -> None:
        raise BrokenPromise(f"at {self.world.now - 1000:.3f} s: {what}")

    def _check_all(self) -> None:
        lives = self.alive
        if len(lives) != self.plan.nodes or not all(life.serves for life in lives):
            self.broken(f"only {[life for life in lives if life.serves]} serve")
        self._check_same(lives)
        for story in self.stories:
            self._check_story(story, lives)
        for life in lives:
            if left := life.left_over():
                self.broken(f"{life} has not come to rest: {left}")
        for link in self.network.links:
            if link.oldest < self.world.now - ACK_SECONDS - 1:
                self.broken(f"something waits between {link.sender} and {link.receiver}")
        busy = [client.number for client in self.clients.values() if client.busy]
        if busy:
            self.broken(f"clients {busy} never got an answer")

    def _check_same(self, lives: Sequence[Life]) -> None:
        first = lives[0].contents()
        for life in lives[1:]:
            contents = life.contents()
            if contents != first:
                different = sorted(set(first.items()) ^ set(contents.items()), key=repr)[:4]
                self.broken(f"{lives[0]} and {life} differ: {different}")
        if self.plan.manager == "BackupManager":
            by_host = {life.member.host: life for life in lives}
            for key, (primary, nodes, _) in first.items():
                values = [by_host[host].values(key) for host in (primary.host, *nodes)]
                if any(value != values[0] for value in values):
                    self.broken(f"owner {primary} and backup {nodes} of {key} differ: {values}")

    def _check_story(self, story: Story, lives: Sequence[Life]) -> None:
        at = {life: story.numbers_at(life) for life in lives}
        there = [life for life, numbers in at.items() if numbers is not None]
        if story.ended:
            back = bool(story.end_holders & set(lives)) and bool(there)
            if back:
                self.broken(f"{story} was ended and is there on {there}")
            return
        if self.world.now - story.last_used > story.interval:
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


class _Request:
    """One request of a client, from its browser to a node and back."""

    def __init__(self, run: Run, client: _Client, life: Life, operation: str, name: str, seconds: float) -> None:
        self.run, self.client, self.life, self.operation, self.name = run, client, life, operation, name
        self.seconds = seconds
        self.write: Write | None = None
        self.story: Story | None = None
        self.cookie = client.cookie
        self.asked_for = client.story
        self.ends = self.is_done = False
        self.new_cookie: str | None = None
        client.busy += 1
        run.counts["requests"] += 1
        run.world.after(0.001, lambda: life.run(self._arrived, is_input=False))
        run.world.after(PATIENCE_SECONDS, self._give_up)

    def _arrived(self) -> None:
        self.life.serve(self.cookie, self._application, self._answered)

    def _application(self, request: SimRequest) -> None:
        session = request.get_session(False)
        if session is None:
            self._check_missing()
            session = request.get_session(True)
        found = self.run.by_bare_id.get(session.id.partition(".")[0])
        if found is None:
            found = Story(float(session.max_inactive_interval))
            self.run.stories.append(found)
            self.run.counts["sessions"] += 1
        elif found is not self.asked_for:
            self.run.broken(f"{self.cookie} leads to another session on {self.life}: {session.id}")
        self.story = story = found
        self._know_id(story, session.id)
        self._note_use(story)
        self._check_shown(story, session)
        if self.seconds:
            with self.life.reactor.blocking():  # a slow application: the loop goes on without it
                self.life.reactor.event().wait(self.seconds)
        if session.is_valid:
            self._operate(story, session, request)

    def _know_id(self, story: Story, session_id: str) -> None:
        story.ids[session_id] = None
        self.run.by_bare_id[session_id.partition(".")[0]] = story
        self.new_cookie = session_id

    def _note_use(self, story: Story) -> None:
        story.last_used = self.run.world.now

    def _check_missing(self) -> None:
        story = self.asked_for
        if self.cookie is None or story is None or story.ended:
            return
        if self.cookie.partition(".")[0] in story.replaced or self.run.world.now - story.last_used >= story.interval:
            return
        self.run.counts["sessions not found"] += 1
        if self.run.plan.manager == "BackupManager" or self.life not in story.known_by[self.cookie.partition(".")[0]]:
            return  # its two holders may be out of reach
        for write in story.promised([self.life]):
            self.run.broken(f"{story} is not found on {self.life}, which had change {write.number} of {write.name!r}")

    def _check_shown(self, story: Story, session: Any) -> None:
        if self.life in story.end_holders:
            self.run.broken(f"{story} was ended, and {self.life}, which knew, has it again")
        self.held = {name: session.get_attribute(name) for name in NAMES}
        self.shown = shown = {name: number_in(value) for name, value in self.held.items()}
        if self.run.plan.manager == "BackupManager":
            return  # what it had may be with two others now, out of reach, and an old copy is all there is here
        for write in story.promised([self.life]):
            if not story.holds(shown, write):
                self.run.broken(
                    f"{story} on {self.life} shows {shown}, older than its change {write.number} of {write.name!r}"
                )

    def _operate(self, story: Story, session: Any, request: SimRequest) -> None:
        if session.is_new and self.operation == "end":
            return
        match self.operation:
            case "set" | "set mutable" | "inside":
                number = self._note_write(story, is_removal=False)
                self._set(session, f"<{number}>")
            case "remove":
                if self.shown[self.name] is not None:
                    self._note_write(story, is_removal=True)
                    session.remove_attribute(self.name)
            case "login":
                story.replaced.add(session.id.partition(".")[0])
                self._know_id(story, request.change_session_id())
            case "end":
                story.ended = self.ends = True
                session.invalidate()
                self.new_cookie = None

    def _set(self, session: Any, text: str) -> None:
        held = self.held[self.name]
        if self.operation == "inside" and isinstance(held, dict):
            held["n"] = text
        elif self.operation == "set":
            session.set_attribute(self.name, text)
        else:
            session.set_attribute(self.name, {"n": text})

    def _note_write(self, story: Story, is_removal: bool) -> int:
        parent = story.parent_of(self.name, self.shown[self.name], self.life)
        ancestors = frozenset() if parent is None else parent.ancestors | {parent.number}
        write = Write(self.run.next_number(), self.name, ancestors, is_removal)
        self.write = story.writes[self.name][write.number] = write
        self.life.reactor.at_round_end(lambda: self._note_version(story, write))
        return write.number

    def _note_version(self, story: Story, write: Write) -> None:
        """The change of the request is committed now."""
        session = self.life.session(reversed(story.ids))
        numbers = story.numbers_at(self.life) or {}
        if session is None:
            return
        if numbers[write.name] == (None if write.is_removal else write.number):
            write.version = session.record.versions.get(write.name)
        elif story.is_older(numbers[write.name], write):
            self.run.broken(f"{story} on {self.life} has {numbers} after change {write.number} of {write.name!r}")

    def _answered(self, _: bool) -> None:
        self.run.world.after(0.001, self._finish)

    def _finish(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        self.client.busy -= 1
        story = self.story
        if story is None:
            return
        self.client.cookie = self.new_cookie
        self.client.story = None if self.new_cookie is None else story
        serving = [life for life in self.run.alive if life.serves]
        if self.write is not None:
            self.write.is_promised = True
            self.write.holders = {life for life in serving if story.is_at(life, self.write)}
        if self.ends:
            story.end_holders = {self.life, *(life for life in serving if life.knows_end(story.ids))}
        elif self.new_cookie is not None:
            bare = self.new_cookie.partition(".")[0]
            known = {life for life in serving if life.session([self.new_cookie]) is not None}
            story.known_by.setdefault(bare, set()).update(known)

    def _give_up(self) -> None:
        """No answer: what the request has done is not known, and the next node is tried."""
        if not self.is_done:
            self.is_done = True
            self.client.busy -= 1
            self.client.home += 1
            self.run.counts["requests without an answer"] += 1


def run_plan(plan: Plan, look: Callable[[Run], None] | None = None) -> Run:
    """Run it.

    Raises:
        BrokenPromise: something does not hold.
    """
    run = Run(plan)
    run.run()
    if look is not None:
        look(run)
    return run
