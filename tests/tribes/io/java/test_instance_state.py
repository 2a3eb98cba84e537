from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from catalina.tribes.io.java.instance_state import looked_up, put_state, state_of
from tests.tribes.io.java import values
from tests.tribes.io.java.values import Money, Slotted


class Guarded:
    """Whatever reads or writes an attribute in the usual way fails."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"__getattribute__({name!r}) ran")

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError(f"__setattr__({name!r}) ran")


class Pretending:
    """Its __dict__ is a property of its own, below the one that the interpreter made."""

    __slots__ = ("shown",)

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        raise AssertionError("the property ran")


class Account:
    @property
    def balance(self) -> int:
        raise AssertionError("the property ran")

    @balance.setter
    def balance(self, value: int) -> None:
        raise AssertionError("the setter ran")


def test_the_state_of_an_instance_is_read_without_its_code() -> None:
    value = Slotted()
    value.shown, value.more = 1, 2
    assert state_of(value) == {"more": 2, "shown": 1}
    assert state_of(values.strict(a=5)) == {"a": 5}


def test_what_guards_every_attribute_is_filled_and_read_all_the_same() -> None:
    value = object.__new__(Guarded)
    put_state(value, {"a": 1})
    assert state_of(value) == {"a": 1}


def test_a_property_is_neither_set_nor_read() -> None:
    account = object.__new__(Account)
    put_state(account, {"balance": 5})
    assert state_of(account) == {"balance": 5}


def test_a_dict_of_the_class_s_own_making_is_no_place() -> None:
    value = object.__new__(Pretending)
    put_state(value, {"shown": 1, "other": 2})
    assert state_of(value) == {"shown": 1}


def test_frozen_slots_are_filled() -> None:
    value = object.__new__(Money)
    put_state(value, {"amount": 1, "currency": "EUR", "gone": 2})
    assert (value.amount, value.currency) == (1, "EUR")


def test_a_name_is_looked_up_without_calling_what_stands_there() -> None:
    assert isinstance(looked_up(Account, "balance"), property)
    assert looked_up(Account, "nothing") is None


@pytest.mark.parametrize("body", [{}, {"__slots__": ("a",)}])
def test_a_class_whose_instances_were_read_can_go(body: dict[str, object]) -> None:
    kind = type("OfAReloadedApplication", (), dict(body))
    put_state(object.__new__(kind), {"a": 1})
    gone = weakref.ref(kind)
    del kind
    gc.collect()
    assert gone() is None
