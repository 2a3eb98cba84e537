"""Some thousand requests, made from tables, to the real Tomcat and to ours: the outcomes are the same, but for what
docs/differences.md lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.access.twin_sites import tomcat_version
from tests.interop.differential.accepted import ACCEPTED, Accepted, Shapes
from tests.interop.differential.case import Case, Table
from tests.interop.differential.comparison import SESSION, shape
from tests.interop.differential.raw_client import Answer
from tests.interop.differential.servers import PROJECT
from tests.interop.differential.tables import (
    access_logs,
    ajp,
    by_hand,
    compression,
    constraints,
    filters,
    http_grammar,
    mapping,
    parameters,
    rewriting,
    static_files,
    valves,
    webdav,
)
from tests.interop.differential.twins import Twin, log_lines, running_twins, send
from tests.support.needs import need_java_tomcat

pytestmark = pytest.mark.interop

MODULES = (
    access_logs,
    ajp,
    by_hand,
    compression,
    constraints,
    filters,
    http_grammar,
    mapping,
    parameters,
    rewriting,
    static_files,
    valves,
    webdav,
)
TABLES: list[Table] = [table for module in MODULES for table in module.TABLES]
#: How many mismatches a failure shows.
SHOWN = 20


class Judge:
    """Sends each table to both servers once, and remembers what came of it."""

    def __init__(self, twins: tuple[Twin, Twin], version: tuple[int, ...]) -> None:
        self._twins = twins
        self.version = version
        #: Numbers of the accepted differences that some case has shown.
        self.seen: set[int] = set()
        self._mismatches: dict[str, list[str]] = {}

    def mismatches(self, table: Table) -> list[str]:
        """The cases whose outcomes differ and may not, with both outcomes."""
        if table.name not in self._mismatches:
            self._mismatches[table.name] = self._judge(table)
        return self._mismatches[table.name]

    def _judge(self, table: Table) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            java, ours = pool.map(lambda twin: send(twin, table.cases), self._twins)
        logs = [log_lines(twin, table) for twin in self._twins] if table.logs else [{}, {}]
        mismatches = []
        accepted: int | None = None
        last = b""
        for case, theirs, mine in zip(table.cases, java, ours, strict=True):
            left, right = (
                _outcome(table, case, twin, answers, log)
                for twin, answers, log in zip(self._twins, (theirs, mine), logs, strict=True)
            )
            before, accepted = accepted, None
            whole, last = replace(case, data=last + case.data) if case.looks else case, case.data
            if left == right:
                continue
            accepted = before if case.looks else None
            if accepted is None:
                accepted = _accepted(whole, table.name, right, left, self.version)
            if accepted is None:
                mismatches.append(f"{case}\n    tomcat {left}\n    ours   {right}")
            else:
                self.seen.add(accepted)
        return mismatches


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    jars = need_java_tomcat()
    with running_twins(tmp_path_factory.mktemp("twins"), TABLES, jars) as twins:
        yield Judge(twins, tomcat_version())


def _applies(entry: Accepted, table: str, version: tuple[int, ...]) -> bool:
    return table in entry.tables and not (entry.before and version >= entry.before)


def _accepted(case: Case, table: str, ours: Shapes, java: Shapes, version: tuple[int, ...]) -> int | None:
    """The number of the accepted difference that a mismatch is."""
    return next(
        (
            number
            for number, entry in enumerate(ACCEPTED)
            if _applies(entry, table, version) and entry.holds(case, ours, java)
        ),
        None,
    )


def _outcome(table: Table, case: Case, twin: Twin, answers: list[Answer], log: dict[str, list[str]]) -> Shapes:
    shapes = [shape(answer, table.compared, twin.ports, case.alone, table.statuses_only) for answer in answers]
    if log:
        number = re.search(rb"X-Number: (\w+)", case.data)
        assert number is not None
        lines = [SESSION.sub("SESSION", line) for line in log[number[1].decode()]]
        for port in twin.ports.values():
            lines = [line.replace(str(port), "PORT") for line in lines]
        shapes[0]["log"] = lines
    return shapes


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_outcomes_are_those_of_the_real_tomcat(judge: Judge, table: Table) -> None:
    mismatches = judge.mismatches(table)
    assert not mismatches, f"{len(mismatches)} of {len(table.cases)} cases\n" + "\n".join(mismatches[:SHOWN])


def test_every_accepted_difference_is_seen(judge: Judge) -> None:
    for table in TABLES:
        judge.mismatches(table)
    assert [
        entry.ours
        for number, entry in enumerate(ACCEPTED)
        if number not in judge.seen and any(_applies(entry, table.name, judge.version) for table in TABLES)
    ] == []


def test_the_document_lists_the_same_differences() -> None:
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|(.*test_tables\.py.*)\|$", _document(), re.MULTILINE)
    documented = {tuple(cell.strip() for cell in row[:3]) for row in rows}
    assert documented == {(entry.ours, entry.tomcat, entry.why) for entry in ACCEPTED}


def _document() -> str:
    return Path(PROJECT / "docs" / "differences.md").read_text("utf-8")


def test_there_are_at_least_5000_cases() -> None:
    assert sum(len(table.cases) for table in TABLES) >= 5000
