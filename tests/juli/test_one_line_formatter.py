from __future__ import annotations

import pytest

from catalina.juli.one_line_formatter import OneLineFormatter, source_method
from tests.juli.records import failed, record


def test_a_record_reads_as_tomcat_writes_it() -> None:
    assert OneLineFormatter().format(record()) == (
        "14-Nov-2023 22:13:20.123 INFO [main] org.apache.catalina.startup.Catalina.start "
        "Server startup in [12] milliseconds"
    )


def test_a_stack_trace_follows_indented_by_a_tab() -> None:
    first, *trace = OneLineFormatter().format(failed()).split("\n")
    assert first.endswith("SEVERE [main] org.apache.catalina.startup.Catalina.start boom")
    assert trace[0] == "\tTraceback (most recent call last):"
    assert trace[-1] == "\tValueError: why"


def test_another_thread_is_shown_by_its_name() -> None:
    assert "[catalina-exec-1]" in OneLineFormatter().format(record(threadName="catalina-exec-1"))


def test_the_time_has_the_pattern_that_was_set() -> None:
    formatter = OneLineFormatter()
    formatter.set_attribute("timeFormat", "yyyy")
    assert formatter.format(record()).startswith("2023 INFO ")


@pytest.mark.parametrize(
    ("function", "method"), [("start", "start"), ("_start", "start"), ("await_shutdown", "awaitShutdown"), ("_", "")]
)
def test_a_function_is_shown_as_a_java_method(function: str, method: str) -> None:
    assert source_method(function) == method
