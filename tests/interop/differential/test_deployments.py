"""Files laid, changed and removed below a running host: the real Tomcat and ours come to the same state, but for what
docs/differences.md lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.interop.differential.deployments import SCENARIOS, Scenario, act, hosts_xml, lay, states, wait_for_ticks
from tests.interop.differential.servers import PROJECT
from tests.interop.differential.twins import Twin, running_twins
from tests.support.needs import need_java_tomcat
from tests.support.waiting import comes_true

pytestmark = pytest.mark.interop


@dataclass(frozen=True)
class Accepted:
    """One difference: the row of docs/differences.md, and the scenarios in which it is seen."""

    ours: str
    tomcat: str
    why: str
    holds: Callable[[Scenario], bool]


def _is(*rows: str) -> Callable[[Scenario], bool]:
    """The scenarios of these names, ``dir+war, delete war``, with or without unpacking."""
    return lambda scenario: any(f"{'+'.join(scenario.initial)}, {scenario.action}" == row for row in rows)


ACCEPTED = [
    Accepted(
        "an archive that comes beside a directory of an operator takes over, and the directory is moved to "
        "`.catalina-kept-NAME-TIME`",
        "deletes the directory",
        "nothing that deployment did not bring is deleted",
        _is("dir, add war"),
    ),
    Accepted(
        "a directory beside an archive that was not made from it stays, and is deployed, when the archive is removed",
        "deletes the directory",
        "the same",
        _is("dir+war, delete war"),
    ),
    Accepted(
        "such a directory stays when the archive changes or a descriptor comes, and with unpackWARs it is what runs",
        "deletes the directory",
        "the same",
        _is("dir+war, change war", "dir+war, add xml", "dir+war, add xml-dir", "dir+xml, add war"),
    ),
    Accepted(
        "a descriptor of the operator stays when the directory or archive of its application is deleted; one that "
        "copyXML made, and nobody has edited, goes",
        "both are deleted",
        "the same",
        _is("war+xml, delete war", "dir+xml, delete dir"),
    ),
    Accepted(
        "an archive's unpacked directory stays while the archive does, even when a descriptor names another docBase",
        "deletes it",
        "the archive is in use again when the descriptor goes",
        _is("war, add xml-dir"),
    ),
]
Outcome = dict[Scenario, tuple[object, object]]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    jars = need_java_tomcat()
    with running_twins(tmp_path_factory.mktemp("deployed"), [], jars, hosts_xml(), lay) as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(twins: tuple[Twin, Twin]) -> tuple[Outcome, Outcome]:
    """At the start, and after the changes: Tomcat's state of each scenario, and ours."""
    first = _compared(twins)
    for twin in twins:
        act(twin.base)
    wait_for_ticks(twins, 3)
    return first, _compared(twins)


def _compared(twins: tuple[Twin, Twin]) -> Outcome:
    """The states as soon as they are equal, else those that they have come to."""
    found: Outcome = {}

    def are_as_expected() -> bool:
        java, ours = (states(twin) for twin in twins)
        found.update(zip(SCENARIOS, zip(java, ours, strict=True), strict=True))
        return all(left == right or _accepted(scenario) is not None for scenario, (left, right) in found.items())

    comes_true(are_as_expected, 10, 0.5)
    return found


def _accepted(scenario: Scenario) -> Accepted | None:
    return next((entry for entry in ACCEPTED if entry.holds(scenario)), None)


def _differing(outcome: Outcome) -> dict[Scenario, tuple[object, object]]:
    return {scenario: pair for scenario, pair in outcome.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("moment", ["at the start", "after the changes"])
def test_the_state_is_that_of_the_real_tomcat(outcomes: tuple[Outcome, Outcome], moment: str) -> None:
    differing = _differing(outcomes[moment != "at the start"])
    unexpected = [
        f"{scenario}\n    tomcat {java}\n    ours   {ours}"
        for scenario, (java, ours) in differing.items()
        if _accepted(scenario) is None
    ]
    assert not unexpected, f"{len(unexpected)} of {len(SCENARIOS)} scenarios\n" + "\n".join(unexpected[:60])


def test_every_accepted_difference_is_seen(outcomes: tuple[Outcome, Outcome]) -> None:
    differing = {*_differing(outcomes[0]), *_differing(outcomes[1])}
    seen = [entry.ours for entry in ACCEPTED if any(_accepted(scenario) is entry for scenario in differing)]
    assert seen == [entry.ours for entry in ACCEPTED]


def test_the_document_lists_the_same_differences() -> None:
    document = (PROJECT / "docs" / "differences.md").read_text("utf-8")
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|(.*differential/test_deployments\.py.*)\|$", document, re.MULTILINE)
    documented = {tuple(cell.strip() for cell in row[:3]) for row in rows}
    assert documented == {(entry.ours, entry.tomcat, entry.why) for entry in ACCEPTED}
