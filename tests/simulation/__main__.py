"""``python -m tests.simulation --level 2 --seeds 1000 --start 0 --minutes 60``"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from tests.simulation import ledgers
from tests.simulation.farm import farm_steps
from tests.simulation.managers import Plan, Run, Step, make_plan
from tests.simulation.shrinking import shrink


@dataclass
class Report:
    """The sum of the runs."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    findings: int = 0


def main() -> int:
    """Run seeds; 1 when something was found."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a run
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
                  {**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Clusters in virtual time.")
    parser.add_argument(
        "--level",
        type=int,
        choices=(1, 2, 3),
        default=2,
        help="1: ledgers alone; 2: managers over messages; 3: over the real channel and sockets",
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--manager", choices=("DeltaManager", "BackupManager"), default="", help="level 2: only this")
    parser.add_argument("--java", action="store_true", help="level 2, DeltaManager: the first node behaves as Java's")
    parser.add_argument("--farm", action="store_true", help="level 2 and 3: every node has a farm, too")
    parser.add_argument("--only", type=int, nargs="*", help="just these seeds")
    parser.add_argument("--no-shrink", action="store_true", help="print a finding as it is")
    arguments = parser.parse_args()
    began = time.monotonic()
    report = Report()
    for seed in arguments.only or range(arguments.start, arguments.start + arguments.seeds):
        if time.monotonic() - began > arguments.minutes * 60:
            break
        if arguments.level == 1:
            _run_ledgers(seed, report, not arguments.no_shrink)
        else:
            plan = replace(make_plan(seed, arguments.manager), wires=arguments.level == 3, java=arguments.java)
            _run_managers(farm_steps(plan, Step) if arguments.farm else plan, report, not arguments.no_shrink)
        report.seeds += 1
    minutes = (time.monotonic() - began) / 60
    print(f"level {arguments.level}: {report.seeds} seeds, {report.virtual_seconds / 3600:.1f} virtual hours in "
          f"{minutes:.1f} minutes ({report.virtual_seconds / 3600 / max(minutes, 1e-3):.1f} a minute), "
          f"{report.findings} findings")  # fmt: skip
    print("  " + ", ".join(f"{kind}: {count}" for kind, count in sorted(report.counts.items())))
    return 1 if report.findings else 0


def _fault_of(run: Callable[[], object]) -> str:
    """The fault that ended a run; empty: there was none."""
    try:
        run()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _run_managers(plan: Plan, report: Report, shrinks: bool) -> None:
    run = Run(plan)
    fault = _fault_of(run.run)
    report.virtual_seconds += run.world.now - 1000
    report.counts.update(run.counts)
    if fault:
        report.findings += 1
        if shrinks:
            plan = shrink(plan, lambda smaller: bool(_fault_of(Run(smaller).run)))
        print(f"FINDING seed {plan.seed}, commit {_commit()}: {fault}\n shrunk: {plan}\n {_fault_of(Run(plan).run)}",
              flush=True)  # fmt: skip


def _run_ledgers(seed: int, report: Report, shrinks: bool) -> None:
    world = ledgers.World(seed, nodes := 2 + seed % 4)
    fault = _fault_of(world.run)
    report.virtual_seconds += world.now - 1000
    report.counts.update(world.counts)
    if not fault:
        return
    report.findings += 1
    without, steps = frozenset[str](), 150
    for name in world.faults if shrinks else ():
        if _fault_of(ledgers.World(seed, nodes, without | {name}).run):
            without |= {name}
    while shrinks and steps > 1 and _fault_of(partial(ledgers.World(seed, nodes, without).run, steps * 3 // 4)):
        steps = steps * 3 // 4
    smaller = _fault_of(partial(ledgers.World(seed, nodes, without).run, steps))
    print(f"FINDING seed {seed}, commit {_commit()}: {fault}\n shrunk: {nodes} nodes, without {sorted(without)}, "
          f"{steps} steps: {smaller}", flush=True)  # fmt: skip


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
