"""Waiting has an end, and no test sleeps in any other way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.waiting import assert_stays, wait_until

TESTS = Path(__file__).resolve().parent.parent


def test_a_condition_that_comes_true_gives_its_value() -> None:
    looks = iter([None, 0, "here"])
    assert wait_until(lambda: next(looks), "it is here", pause=0) == "here"


def test_a_condition_that_never_comes_true_is_named() -> None:
    with pytest.raises(AssertionError, match="waited 0 s in vain: the moon is here"):
        wait_until(lambda: False, "the moon is here", 0)


def test_what_stops_being_so_is_named() -> None:
    looks = iter([True, False])
    with pytest.raises(AssertionError, match="not for 60 s: it is quiet"):
        assert_stays(lambda: next(looks), "it is quiet", 60, pause=0)


def test_no_test_sleeps_but_by_these() -> None:
    found = [
        f"{path.relative_to(TESTS.parent)}:{node.lineno}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "waiting.py" and "time" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    ]
    assert found == [], "time.sleep: wait for a condition, or see tests/support/waiting.py"
