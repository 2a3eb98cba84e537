"""Faults that are put into the product on purpose are found: each by a seed that is known to find it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.farm import farm_steps
from tests.simulation.managers import Run, Step, make_plan
from tests.simulation.mutations import BELOW, MUTATIONS, OF_THE_FARM

#: The fault, a seed that finds it in less than two seconds, and what the run says. Behind it, of how many seeds from 0
#: to 79 found it: not all can, as a seed chooses faults, clients and how messages are sent.
FOUND = [
    ("arrival order", 3, "acknowledged change"),  # 20
    ("values in hands forgotten", 10, "after change"),  # 6
    ("missed messages ignored", 31, "differ"),  # 5
    ("no comparison on return", 28, "differ"),  # 1
    ("no comparison in the background", 699, "differ"),  # 0, and 2 of the first 700
    ("ends forgotten", 26, "acknowledged the end"),  # 55
    ("alias forgotten", 12, "not found"),  # 73
    ("replaced name lives", 102, "not found"),  # 1
    ("copy expires", 130, "not found"),  # 0, and 2 of the first 600
    ("clock behind", 10, "fell|acknowledged change|older than"),
    ("acknowledged before applied", 10, "acknowledged change"),  # 10 of the first 12
    ("half frames forgotten", 10, "expected b'"),  # 12 of the first 12
    ("not sent again", 10, "bytes of messages"),  # 4 of the first 12
    ("farm offers nothing", 10, "runs"),
    ("farm removals forgotten", 13, "runs"),
]


def test_every_fault_is_in_the_table() -> None:
    assert [name for name, _, _ in FOUND] == list(MUTATIONS)


@pytest.mark.parametrize(("name", "seed", "said"), FOUND, ids=[name for name, _, _ in FOUND])
def test_a_fault_that_is_put_in_is_found(monkeypatch: pytest.MonkeyPatch, name: str, seed: int, said: str) -> None:
    plan = replace(make_plan(seed, "DeltaManager"), wires=name in BELOW)
    if name in OF_THE_FARM:
        plan = farm_steps(plan, Step)
    Run(plan).run()
    MUTATIONS[name](monkeypatch)
    with pytest.raises(AssertionError, match=said):
        Run(plan).run()
