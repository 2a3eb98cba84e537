from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.manager.jolokia.paths import join_path, special_value, split_escaped, split_path
from tests.support.work import assert_linear


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("read/a:b=c/x", ["read", "a:b=c", "x"]),
        ("read/d:n=a!/b/x", ["read", "d:n=a/b", "x"]),
        ("read/d:n=a!//x", ["read", "d:n=a/", "x"]),
        ('exec/a/!"x!!', ["exec", "a", '"x!']),
        ("a/*/b", ["a", None, "b"]),
        ("a//b/", ["a", "", "b"]),
        ("/", None),
        ("", None),
    ],
)
def test_parts_are_split_at_slashes_that_are_not_escaped(path, parts):
    assert split_path(path) == parts


@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda part: part != "*"), min_size=1, max_size=5))
def test_what_is_joined_is_split_again(parts):
    assert split_path(join_path(parts)) == parts


def test_values_that_a_path_cannot_have():
    assert special_value("[null]") is None
    assert special_value('""') == ""
    assert special_value("x") == "x"


def test_the_work_is_linear():
    assert_linear(lambda size: partial(split_escaped, "a!/b/" * size, "/", "!"), 1000)
