"""Fakes that know what they stand for."""

from __future__ import annotations

from typing import Protocol

import pytest

from tests.support.stand_in import stand_in


class Named(Protocol):
    title: str

    @property
    def name(self) -> str: ...


class Made:
    def __init__(self) -> None:
        self.parts: list[str] = []


def test_a_stand_in_has_the_members_that_the_test_gives() -> None:
    fake = stand_in(Named, name="localhost", title="a host")
    assert (fake.name, fake.title) == ("localhost", "a host")
    assert stand_in(Made, parts=["a"]).parts == ["a"]


def test_a_member_that_the_class_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="Named has no nmae"):
        stand_in(Named, nmae="localhost")


def test_a_member_that_the_test_did_not_give_is_missing() -> None:
    with pytest.raises(AttributeError):
        stand_in(Named, title="a host").name  # noqa: B018  # the read is the test
