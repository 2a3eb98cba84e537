"""Some thousand requests, made from tables, to the real Tomcat and to ours: the outcomes are the same, but for what
docs/differences.md lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.differential.accepted import ACCEPTED, Accepted
from tests.interop.differential.case import Case, Table
from tests.interop.differential.comparison import shape
from tests.interop.differential.servers import PROJECT
from tests.interop.differential.tables import http_grammar, parameters, static_files
from tests.interop.differential.twins import Twin, java_version, running_twins, send
from tests.support.needs import need_java_tomcat

pytestmark = pytest.mark.interop

TABLES: list[Table] = [table for module in (static_files, http_grammar, parameters) for table in module.TABLES]
#: How many mismatches a failure shows.
SHOWN = 400


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    jars = need_java_tomcat()
    with running_twins(tmp_path_factory.mktemp("twins"), TABLES, jars) as running:
        yield running


@pytest.fixture(scope="module")
def seen() -> set[int]:
    """The accepted differences that some case has shown."""
    return set()


@pytest.fixture(scope="module")
def version() -> tuple[int, ...]:
    return java_version(need_java_tomcat())


def _applies(entry: Accepted, table: str, version: tuple[int, ...]) -> bool:
    return table in entry.tables and not (entry.before and version >= entry.before)


def _shown(case: Case, java: object, ours: object) -> str:
    return f"{case}\n    tomcat {java}\n    ours   {ours}"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_outcomes_are_those_of_the_real_tomcat(
    twins: tuple[Twin, Twin], table: Table, seen: set[int], version: tuple[int, ...]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        java, ours = pool.map(lambda twin: send(twin, table.cases), twins)
    mismatches = []
    for case, theirs, mine in zip(table.cases, java, ours, strict=True):
        left, right = ([shape(answer, table.compared) for answer in answers] for answers in (theirs, mine))
        if left == right:
            continue
        found = next(
            (
                number
                for number, entry in enumerate(ACCEPTED)
                if _applies(entry, table.name, version) and entry.holds(case, right, left)
            ),
            None,
        )
        if found is None:
            mismatches.append(_shown(case, left, right))
        else:
            seen.add(found)
    assert not mismatches, f"{len(mismatches)} of {len(table.cases)} cases\n" + "\n".join(mismatches[:SHOWN])


def test_every_accepted_difference_is_seen(seen: set[int], version: tuple[int, ...]) -> None:
    ran = {table.name for table in TABLES}
    assert [
        entry.ours
        for number, entry in enumerate(ACCEPTED)
        if number not in seen and any(_applies(entry, table, version) for table in ran)
    ] == []


def test_the_document_lists_the_same_differences() -> None:
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|(.*test_tables\.py.*)\|$", _document(), re.MULTILINE)
    documented = {tuple(cell.strip() for cell in row[:3]) for row in rows}
    assert documented == {(entry.ours, entry.tomcat, entry.why) for entry in ACCEPTED}


def _document() -> str:
    return Path(PROJECT / "docs" / "differences.md").read_text("utf-8")


def test_there_are_at_least_5000_cases() -> None:
    assert sum(len(table.cases) for table in TABLES) >= 5000
