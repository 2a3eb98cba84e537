from __future__ import annotations

import logging

import pytest

from catalina.juli.jdk_logger_formatter import JdkLoggerFormatter
from catalina.juli.levels import FINER, FINEST
from tests.juli.records import failed, record


def test_a_record_reads_as_tomcat_writes_it() -> None:
    expected = "1700000000123 I Catalina            Server startup in [12] milliseconds"
    assert JdkLoggerFormatter().format(record()) == expected


@pytest.mark.parametrize(
    ("level", "letter"),
    [
        (logging.ERROR, " E "),
        (logging.WARNING, " W "),
        (15, "   "),
        (logging.DEBUG, " D "),
        (FINER, " T "),
        (FINEST, "   "),
    ],
)
def test_the_level_is_a_letter(level: int, letter: str) -> None:
    assert JdkLoggerFormatter().format(record(level=level))[13:16] == letter


def test_a_stack_trace_follows_without_indentation() -> None:
    assert JdkLoggerFormatter().format(failed()).split("\n")[-1] == "ValueError: why"
