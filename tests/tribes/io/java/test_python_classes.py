from __future__ import annotations

import collections
import datetime
import gc
import io
import random
import sys
import threading
import types
import weakref

import pytest

from catalina.tribes.io.java.python_classes import (
    BUILTIN_CLASSES,
    ClassMissingError,
    base_of,
    class_reference,
    find_class,
    only_builtin,
)
from tests.tribes.io.java import values
from tests.tribes.io.java.values import Cart, Colour, Money, Name, Point, Slotted, Stack


class Reduces:
    def __reduce__(self) -> str:
        return "Reduces"


class Restores:
    def __setstate__(self, state: object) -> None:
        raise AssertionError("ran")


class Finalized:
    def __del__(self) -> None:
        """Runs wherever a copy of the object ends."""


class Local(threading.local):
    pass


@pytest.mark.parametrize(
    ("cls", "base"),
    [
        (Cart, object),
        (Money, object),
        (Slotted, object),
        (Point, tuple),
        (Name, str),
        (Stack, list),
        (collections.Counter, dict),
        (collections.OrderedDict, collections.OrderedDict),
    ],
)
def test_an_instance_is_a_builtin_underneath(cls: type, base: type) -> None:
    assert base_of(cls) == (base, "")


@pytest.mark.parametrize(
    ("cls", "why"),
    [
        (io.StringIO, "StringIO"),
        (type("Text", (io.StringIO,), {}), "StringIO"),
        (datetime.datetime, "datetime"),
        (ValueError, "ValueError"),
        (types.FunctionType, "function"),
        (types.GeneratorType, "generator"),
        (type(threading.Lock()), "lock"),
        (random.Random, "__reduce__"),
        (Reduces, "__reduce__"),
        (Restores, "__setstate__"),
        (Local, "cannot see"),
        (Finalized, "__del__"),
    ],
)
def test_what_cannot_be_taken_apart_says_why(cls: type, why: str) -> None:
    base, reason = base_of(cls)
    assert base is None
    assert why in reason


def test_a_class_of_a_removed_application_is_not_kept_alive() -> None:
    cls = type("Gone", (), {})
    base_of(cls)
    watch = weakref.ref(cls)
    del cls
    gc.collect()
    assert watch() is None


def test_a_class_is_named_only_when_the_name_leads_back_to_it() -> None:
    class Local:
        pass

    assert class_reference(Cart) == f"{values.__name__}:Cart"
    assert class_reference(Local) is None
    assert class_reference(type("Cart", (), {"__module__": values.__name__})) is None
    assert class_reference(type("Anything", (), {"__module__": "__main__"})) is None


def test_the_filter_is_asked_with_the_dotted_name() -> None:
    asked = []

    def allow(name: str) -> bool:
        asked.append(name)
        return True

    assert find_class(f"{values.__name__}:Colour", allow) is Colour
    assert asked == [f"{values.__name__}.Colour"]


def test_nothing_is_imported_because_a_message_names_it() -> None:
    sys.modules.pop("this", None)
    assert find_class("this:Zen", only_builtin) is None
    with pytest.raises(ClassMissingError, match=r"\[this\] is not loaded"):
        find_class("this:Zen", lambda dotted: True)
    assert "this" not in sys.modules


def test_a_module_that_loads_itself_when_it_is_touched_is_not_touched() -> None:
    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    sys.modules["lazy_module_of_a_test"] = Lazy("lazy_module_of_a_test")
    try:
        with pytest.raises(ClassMissingError):
            find_class("lazy_module_of_a_test:Cart", lambda dotted: True)
    finally:
        del sys.modules["lazy_module_of_a_test"]


def test_classes_of_the_builtin_list_need_no_filter() -> None:
    assert find_class("collections:Counter", only_builtin) is collections.Counter
    assert all(base_of(cls)[0] is not None for cls in BUILTIN_CLASSES.values())


@pytest.mark.parametrize(
    "name",
    [
        "tests.tribes.io.java.values:collections.deque",
        "tests.tribes.io.java.values:NamedTuple",
        "tests.tribes.io.java.values:datetime.datetime",
        "tests.tribes.io.java.values:uuid.UUID",
    ],
)
def test_what_a_module_has_imported_is_not_the_application_s(name: str) -> None:
    with pytest.raises(ClassMissingError):
        find_class(name, lambda dotted: True)


@pytest.mark.parametrize(
    "name",
    [
        "tests.tribes.io.java.values:allow_here",
        "tests.tribes.io.java.values:Nothing",
        "tests.tribes.io.java.values:Colour.RED",
        "tests.tribes.io.java.values:Colour.RED.value",
        "no_such_module:Cart",
    ],
)
def test_what_is_no_class_is_missing(name: str) -> None:
    with pytest.raises(ClassMissingError):
        find_class(name, lambda dotted: True)


@pytest.mark.parametrize("name", ["no module at all", ":", "", "module:", ":Class"])
def test_what_is_no_name_is_not_found(name: str) -> None:
    assert find_class(name, lambda dotted: True) is None
