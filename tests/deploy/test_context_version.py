"""The order of versions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from catalina.deploy.context_version import newest_last

TEXTS = [f"{release}{rest}" for release in ("1.9", "1.10", "2") for rest in ("", "rc1", "a2.dev1", ".post3", "+local")]


def order(*versions: str, wheels: bool) -> list[str]:
    return newest_last((version, wheels, version) for version in versions)


@given(st.permutations(TEXTS))
def test_versions_of_wheels_are_ordered_as_pep_440_does(texts):
    assert order(*texts, wheels=True) == sorted(texts, key=Version)


def test_other_versions_are_compared_as_texts_as_tomcat_does():
    assert order("9", "10", wheels=False) == ["10", "9"]


@pytest.mark.parametrize("texts", list(itertools.permutations(["", "0.1", "0.2"])))
def test_without_a_version_is_oldest(texts):
    assert order(*texts, wheels=True) == ["", "0.1", "0.2"]


def test_beside_a_version_that_is_none_all_are_texts():
    mixed = [("9", True, "9"), ("10", True, "10"), ("blue", False, "blue")]
    assert newest_last(mixed) == ["10", "9", "blue"]
