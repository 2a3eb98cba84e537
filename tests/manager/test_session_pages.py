"""The values of a session on its page."""

from __future__ import annotations

import pytest

from catalina.manager.session_pages import described, sessions_query
from catalina.session.standard_session import UNDECODED
from catalina.util.context_name import ContextName


class Nosy:
    def __repr__(self) -> str:
        raise AssertionError("the application's code ran")


class Shy(str):
    __slots__ = ()

    def __repr__(self) -> str:
        raise AssertionError("the application's code ran")


@pytest.mark.parametrize("value", [Nosy(), [Nosy()], {"a": {1: Nosy()}}, Shy("x"), {Shy("x"): 1}])
def test_no_code_of_an_application_runs_for_a_look(value):
    kind, text = described("n", value)
    assert text == ""
    assert kind


def test_values_of_the_interpreters_own_kinds_are_shown_in_part():
    assert described("n", 3) == ("int", "3")
    assert len(described("n", "x" * 10_000)[1]) < 300
    assert len(described("n", list(range(10_000)))[1]) < 300


def test_what_is_bytes_stays_so():
    assert described("n", UNDECODED) == ("", "(still as it came; no request has read it yet)")


def test_an_application_is_named_in_a_query():
    assert sessions_query(ContextName("/a b", "1&2")) == "path=/a%20b&version=1%262"
    assert sessions_query(ContextName("")) == "path=/"
