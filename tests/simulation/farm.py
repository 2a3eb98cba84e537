"""The farm in a simulated cluster: each node has a FarmWarDeployer, and an operator lays archives and takes them away.

The sender, the inbox, the introductions, the state and their files are the real ones. Simulated are the applications
(an archive that says "broken" does not start), and the notice of a change in watchDir. A disk outlives its node's
crashes; a node that nobody lays archives on may come back with an empty one.

After the quiet all nodes have the same archives, and run them; each archive is the one that was laid last, or is gone
if it was taken away; nothing is under way. When clocks are wrong, the last one may count as an older one: then the
nodes have the same.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.core.standard_host import StandardHost
from catalina.deploy.archive import read_archive
from catalina.deploy.settling import Settling
from catalina.ha.deploy.farm_directory import FarmDirectory
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer, WarWatcher
from catalina.ha.deploy.file_message_factory import FarmFile, sha256_of
from catalina.lifecycle import LifecycleState
from catalina.util.context_name import ContextName
from tests.simulation.nodes import Life
from tests.simulation.world import EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.managers import Plan, Run, Step
    from tests.simulation.world import World

__all__ = ["Farm", "farm_steps"]

NAMES = ("shop.war", "blog.zip", "shop##2.war")
#: Seconds between two ticks of a host.
TICK_SECONDS = 10.0
#: Bytes of the largest archive: three pieces.
MAX_BYTES = 300_000
#: Faults after which stamps need not have the order of the operator's deeds.
WRONG_CLOCKS = {"jump", "skew"}


def farm_steps(plan: Plan, make_step: type[Step]) -> Plan:
    """The plan with an operator of the farm, who works on the first node, and on the second one if there are three."""
    dice = random.Random(f"farm {plan.seed}")
    end = max(step.at for step in plan.steps) - 40.0
    steps, at = [], 8.0
    #: On simulated sockets a large piece takes longer than its time-out where everything is slow.
    largest = 10_000 if plan.wires and {"reorder", "slow"} & set(plan.faults) else MAX_BYTES
    while (at := at + dice.expovariate(1 / 12)) < end:
        what = dice.choice(("put", "put", "put", "put broken", "take away"))
        name = dice.randrange(len(NAMES))
        steps.append(make_step(at, "farm", (what, name, name % 2 if plan.nodes > 2 else 0, dice.randrange(largest))))
    merged = sorted((*plan.steps, *steps), key=lambda step: step.at)
    return replace(plan, farm=True, steps=tuple(merged))


@dataclass
class Disk:
    """The directories of one node.

    Args:
        laid: the time, in milliseconds of the node's wall clock, at which each archive came to watchDir.
    """

    root: Path
    laid: dict[str, int] = field(default_factory=dict)

    @property
    def watched(self) -> Path:
        return self.root / "watched"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    def make(self) -> None:
        for each in (self.watched, self.run, self.temp):
            each.mkdir(parents=True, exist_ok=True)

    def wipe(self) -> None:
        """Everything of the farm is lost."""
        shutil.rmtree(self.root)
        self.laid.clear()
        self.make()


class _Host(StandardHost):
    """A host that is there as soon as its node serves."""

    def __init__(self, life: Life) -> None:
        self.life = life
        super().__init__(name="localhost")

    @property
    def state(self) -> LifecycleState:
        return LifecycleState.STARTED if self.life.serves else LifecycleState.STARTING_PREP

    @state.setter
    def state(self, value: LifecycleState) -> None: ...


class _Site:
    """The cluster of a node as its deployer sees it."""

    def __init__(self, life: Life) -> None:
        self.container = _Host(life)
        self.channel = life.channel
        self._cluster = life.cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)


class _Directory(FarmDirectory):
    """Runs whatever does not say that it is broken."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.is_app_base = True
        self.running = {read_archive(str(file)).name.name: file.name for file in sorted(path.iterdir())}

    def install(self, source: str, file: FarmFile, context: ContextName, keep_source: bool) -> bool:
        with zipfile.ZipFile(source) as archive:
            if b"broken" in archive.read("wsgi.py"):
                return False
        (shutil.copyfile if keep_source else os.replace)(source, self.place(file.name))
        self.running[context.name] = file.name
        return True

    def remove(self, context: str) -> None:
        name = self.running.pop(context, None)
        if name is not None:
            os.unlink(self.place(name))

    def why_not(self, context: str) -> str:
        return "it is broken"

    def has(self, file: FarmFile) -> bool:
        path = self.place(file.name)
        return os.path.isfile(path) and sha256_of(path) == file.sha256 and self.running.get(file.context) == file.name

    def contents(self) -> dict[str, str]:
        """The archives that run, with their digests."""
        return {name: sha256_of(self.place(name)).hex()[:8] for name in self.running.values()}


class _Watcher(WarWatcher):
    """Archives are laid in one step."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.settling = Settling()
        self.unsettled = False
        self._seen: dict[str, int] = {}

    def look(self) -> list[str]:
        changed = [name for name, at in self.disk.laid.items() if self._seen.get(name) != at]
        self._seen = dict(self.disk.laid)
        return changed

    def is_gone(self, name: str) -> bool:
        return name not in self.disk.laid


class _Deployer(FarmWarDeployer):
    """The deployer of a node."""

    def __init__(self, life: Life, disk: Disk) -> None:
        super().__init__(life.surroundings, watch_enabled=True)
        self.disk = disk
        self.cluster = _Site(life)  # type: ignore[assignment]  # asks no more of it

    def _make_directories(self, base: str) -> None:
        self.directory = _Directory(self.disk.run)
        self._temp, self._watch = str(self.disk.temp), str(self.disk.watched)

    def _tell_what_the_values_mean(self) -> None: ...

    def _start_watching(self) -> None:
        self._wars = _Watcher(self.disk)

    def _changed_ms(self, path: str) -> int:
        return self.disk.laid[os.path.basename(path)]

    def runs(self, name: str, digest: str | None) -> bool:
        """True when exactly this archive runs; None: none of this name."""
        return self.is_started and self.directory.contents().get(name) == digest  # type: ignore[attr-defined]

    def left_over(self) -> list[str]:
        """The things that should be empty when all is quiet, and are not. A transfer that broke off is kept for
        maxValidTime.
        """
        waiting = {"to install": self._installer.waiting, "to send": self.sender._worker.waiting}
        return [f"{count} {what}" for what, count in waiting.items() if count] + list(map(str, self.sender.transfers))


class Farm:
    """The farm of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._directory = tempfile.TemporaryDirectory(prefix="farm-")
        self._disks: dict[int, Disk] = {}
        self._deployers: dict[Life, _Deployer] = {}
        self._empty = random.Random(f"disks {run.plan.seed}")
        #: The digest that each archive should have; None for one that was taken away. Not known after a lost disk.
        self._wanted: dict[str, str | None] = {}
        self._count = 0

    @property
    def _world(self) -> World:
        return self._run.world

    def close(self) -> None:
        """Remove all files."""
        for deployer in self._deployers.values():
            deployer.inbox.discard_all()
        self._directory.cleanup()

    def _disk(self, number: int) -> Disk:
        if number not in self._disks:
            self._disks[number] = disk = Disk(Path(self._directory.name) / f"n{number}")
            disk.make()
        return self._disks[number]

    def boot(self, life: Life, number: int) -> None:
        """A node starts; one that nobody lays archives on may have lost its disk."""
        disk = self._disk(number)
        if life.generation > 1 and number > 1 and self._empty.random() < 0.3:
            disk.wipe()
        deployer = self._deployers[life] = _Deployer(life, disk)
        life.thread(deployer.start)
        self._tick(life, deployer)

    def _tick(self, life: Life, deployer: _Deployer) -> None:
        life.later(TICK_SECONDS, lambda: life.thread(lambda: self._tick(life, deployer)))
        deployer.background_process()

    def killed(self, life: Life) -> None:
        """The kernel closes the files of a dead process."""
        deployer = self._deployers.pop(life)
        if deployer.is_started:
            deployer.inbox.discard_all()

    def do(self, what: str, which: int, number: int, size: int) -> None:
        """The operator lays an archive into a watched directory, or takes it away."""
        name, disk, life = NAMES[which], self._disk(number), self._run.life(number)
        deployer = None if life is None else self._deployers.get(life)
        if what == "take away":
            if name not in disk.laid:
                return
            disk.laid.pop(name)
            (disk.watched / name).unlink()
            self._wanted[name] = None
        else:
            if what == "put broken" and (deployer is None or not deployer.runs(name, self._wanted.get(name))):
                return  # it may never be known what a broken one has replaced
            self._lay(disk, name, self._run.skews[number], size, is_broken=what == "put broken")
        self._run.counts[f"farm: {what}"] += 1
        if life is not None and deployer is not None:
            life.run(deployer.look)

    def _lay(self, disk: Disk, name: str, skew: float, size: int, is_broken: bool) -> None:
        self._count += 1
        path = disk.watched / name
        source = f"number = {self._count}\n" + "broken\n" * is_broken
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("wsgi.py"), source)
            archive.writestr(zipfile.ZipInfo("data"), random.Random(self._count).randbytes(size))
        disk.laid[name] = int((EPOCH + self._world.now + skew) * 1000)
        if not is_broken:
            self._wanted[name] = sha256_of(str(path)).hex()[:8]

    def check(self, lives: Sequence[Life]) -> None:
        """All nodes have the same, which is what the operator wants."""
        deployers = {life: self._deployers[life] for life in lives}
        for life, deployer in deployers.items():
            known = {file.name: file.sha256.hex()[:8] for file in deployer.state.files}
            runs = deployer.directory.contents()  # type: ignore[attr-defined]
            if known != runs:
                self._run.broken(f"the farm of {life} knows {known} and runs {runs}")
            if left := deployer.left_over():
                self._run.broken(f"the farm of {life} has not come to rest: {left}")
        contents = {life: deployer.directory.contents() for life, deployer in deployers.items()}  # type: ignore[attr-defined]
        wanted = {name: digest for name, digest in self._wanted.items() if digest is not None}
        for life, runs in contents.items():
            if runs != (contents[lives[0]] if WRONG_CLOCKS & set(self._run.plan.faults) else wanted):
                self._run.broken(f"{life} runs {runs}, {lives[0]} {contents[lives[0]]}; wanted {wanted}")
