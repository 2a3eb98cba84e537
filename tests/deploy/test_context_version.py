"""The order of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from catalina.deploy.context_version import version_key

numbers = st.integers(0, 10**6)
optional = st.one_of(st.none(), numbers)


@st.composite
def versions(draw: st.DrawFn) -> str:
    text = f"{draw(st.integers(0, 2))}!" + ".".join(str(draw(numbers)) for _ in range(draw(st.integers(1, 4))))
    pre = draw(st.sampled_from(["", "a", "b", "rc"]))
    if pre:
        text += f"{pre}{draw(numbers)}"
    for mark, value in ((".post", draw(optional)), (".dev", draw(optional))):
        text += "" if value is None else f"{mark}{value}"
    local = draw(st.sampled_from(["", "+x", "+1", "+1.x", "+x.1", "+2"]))
    return text + local


@given(versions(), versions())
def test_keys_of_wheels_sort_as_their_versions_do(one, two):
    a, b = version_key(one, True), version_key(two, True)
    assert (a < b, a == b) == (Version(one) < Version(two), Version(one) == Version(two))


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), ("1.0rc1", "1.0"), ("1.0.dev1", "1.0a1"), ("1.0a1.dev1", "1.0a1"), ("1.0", "1.0.post1")],
)
def test_pep_440_orders_wheels(older, newer):
    assert version_key(older, True) < version_key(newer, True)


def test_other_versions_are_compared_as_texts_as_tomcat_does():
    assert version_key("9", False) > version_key("10", False)


def test_a_wheel_is_newer_than_what_is_none():
    assert version_key("0.1", True) > version_key("99", False)
