from __future__ import annotations

from catalina.juli.simple_formatter import SimpleFormatter
from tests.juli.records import failed, record


def test_a_record_is_two_lines_as_a_jvm_prints_it() -> None:
    assert SimpleFormatter().format(record()) == (
        "Nov 14, 2023 10:13:20 PM org.apache.catalina.startup.Catalina start\nINFO: Server startup in [12] milliseconds"
    )


def test_a_stack_trace_follows() -> None:
    assert SimpleFormatter().format(failed()).split("\n")[-1] == "ValueError: why"
