"""The audit log."""

from __future__ import annotations

import logging

import pytest

from catalina.audit import Actor

ROBOT = Actor("robot", "127.0.0.1", "manager/text")


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.audit")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_line_says_who_from_where_by_which_door_what_and_the_outcome(lines):
    ROBOT.did("undeploy [/shop]", "OK - Undeployed")
    assert lines() == ["[robot] from [127.0.0.1] by [manager/text]: undeploy [/shop]: OK - Undeployed"]


def test_a_changed_value_is_told_old_and_new(lines):
    ROBOT.changed("set [Catalina:type=Engine] backgroundProcessorDelay", 10, None)
    assert lines()[0].endswith("backgroundProcessorDelay: [10] -> [None]")


def test_a_long_value_does_not_fill_the_log(lines):
    ROBOT.changed("set x", "a" * 10_000, "b")
    assert lines()[0].endswith(f"[{'a' * 300}... (10000 characters)] -> [b]")
