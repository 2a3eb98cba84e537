"""Seeds of both levels of the simulation; each run has faults and work of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from catalina.ha.session.comparisons import Comparisons
from tests.simulation.managers import Plan, Run, Step, make_plan
from tests.simulation.promises import BrokenPromise
from tests.simulation.shrinking import shrink

ROOT = Path(__file__).parents[2]

#: Seeds of level 2 that have failed, by manager.
FAILED: dict[str, list[int]] = {
    "DeltaManager": [5, 9, 21, 27, 77, 30068, 6000038, 6000069, 6000318, 7700124],
    "BackupManager": [2, 6, 12, 464, 472, 20012, 20023, 20024, 20032, 20140],
}


def simulate(*arguments: str) -> str:
    """The command, in a process of its own: the order of sets belongs to a seed."""
    command = [sys.executable, "-m", "tests.simulation", "--no-shrink", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ledgers_agree_and_lose_nothing() -> None:
    assert "level 1: 200 seeds" in simulate("--level", "1", "--seeds", "200")


def test_delta_managers_agree_and_lose_nothing() -> None:
    assert "level 2: 40 seeds" in simulate("--manager", "DeltaManager", "--seeds", "40")


def test_backup_managers_agree_and_lose_nothing() -> None:
    seeds = [str(seed) for seed in range(12)]
    output = simulate("--manager", "BackupManager", "--only", *seeds)
    assert f"level 2: {len(seeds)} seeds" in output


@pytest.mark.parametrize("manager", ["DeltaManager", "BackupManager"])
def test_over_the_real_channel_and_its_sockets_they_agree_and_lose_nothing(manager: str) -> None:
    assert "level 3: 6 seeds" in simulate("--level", "3", "--manager", manager, "--seeds", "6")


@pytest.mark.parametrize(("level", "seeds"), [("2", ("0", "4", "10", "13")), ("3", ("205", "212"))])
def test_farms_have_the_archives_that_were_laid_last(level: str, seeds: tuple[str, ...]) -> None:
    output = simulate("--farm", "--level", level, "--manager", "DeltaManager", "--only", *seeds)
    assert f"level {level}: {len(seeds)} seeds" in output
    assert "farm: put" in output


@pytest.mark.parametrize("manager", list(FAILED))
def test_what_has_failed_once_does_not_fail_again(manager: str) -> None:
    assert f"level 2: {len(FAILED[manager])} seeds" in simulate(
        "--manager", manager, "--only", *map(str, FAILED[manager])
    )


def test_a_plan_runs_alike_each_time() -> None:
    plan = make_plan(7, "DeltaManager")
    runs = [Run(plan), Run(plan)]
    for run in runs:
        run.run()
    assert runs[0].counts == runs[1].counts
    assert runs[0].world.steps == runs[1].world.steps


# -- it finds what is broken


CUT = Plan(
    0,
    "DeltaManager",
    6,
    2,
    ("partition",),
    ("roaming",),
    (
        Step(5.0, "nothing", ()),
        Step(6.0, "request", (1, False, "set", "a", 0, 0.0)),
        Step(7.0, "partition", ((0, 1), 20.0)),
        Step(15.0, "request", (1, False, "set", "a", 0, 0.0)),
        Step(16.0, "request", (1, False, "read", "a", 0, 0.0)),
        Step(80.0, "nothing", ()),
    ),
    0.004,
)


def test_nodes_that_do_not_compare_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    Run(CUT).run()
    monkeypatch.setattr(Comparisons, "begin", lambda *_, **__: None)
    with pytest.raises(BrokenPromise, match="differ"):
        Run(CUT).run()


def test_a_plan_that_fails_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Comparisons, "begin", lambda *_, **__: None)

    def fails(plan: Plan) -> bool:
        try:
            Run(plan).run()
        except BrokenPromise:
            return True
        return False

    more = tuple(Step(20.0 + number, "request", (2, False, "read", "b", 1, 0.0)) for number in range(6))
    steps = tuple(sorted((*CUT.steps, *more), key=lambda step: step.at))
    smaller = shrink(replace(CUT, steps=steps), fails)
    assert fails(smaller)
    assert len(smaller.steps) <= len(CUT.steps)


# -- with a node that behaves as Java's


def test_nodes_of_ours_agree_beside_a_java_node_and_lose_nothing() -> None:
    seeds = ["0", "2", "4", "7", "23"]
    output = simulate("--java", "--manager", "DeltaManager", "--only", *seeds)
    assert f"level 2: {len(seeds)} seeds" in output


@pytest.mark.parametrize(("seed", "said"), [(25, "older than"), (190, "was ended and is there")])
def test_what_a_java_node_has_not_heard_of_it_takes_back(seed: int, said: str) -> None:
    """It tells what it has without saying how old each part is, and compares nothing: a limit, in docs/faults.md."""
    with pytest.raises(BrokenPromise, match=said):
        Run(replace(make_plan(seed, "DeltaManager"), java=True)).run()
