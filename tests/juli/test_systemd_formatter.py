from __future__ import annotations

import logging

import pytest

from catalina.juli.systemd_formatter import SystemdFormatter
from tests.juli.records import failed, record


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOCATION_ID", "1")
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize(
    ("level", "priority"), [(logging.ERROR, "<2>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (10, "<7>")]
)
def test_for_the_journal_a_record_is_its_priority_and_message(level: int, priority: str) -> None:
    assert SystemdFormatter().format(record("m", level)) == f"{priority}m"


@pytest.mark.usefixtures("journal")
def test_every_line_of_a_stack_trace_has_the_priority() -> None:
    assert all(line.startswith("<2>") for line in SystemdFormatter().format(failed()).split("\n"))


def test_elsewhere_it_is_the_one_line_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    assert SystemdFormatter().format(record()).startswith("14-Nov-2023")
