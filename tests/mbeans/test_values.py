from __future__ import annotations

import re

import pytest

from catalina.mbeans.values import BeanAttributeError, as_text, converted, shown_value


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("int", "7", 7),
        ("int", -(2**31), -(2**31)),
        ("long", str(2**40), 2**40),
        ("boolean", "TRUE", True),
        ("boolean", "nonsense", False),
        ("double", "1.5", 1.5),
        ("java.lang.String", "text", "text"),
        ("java.lang.String", None, None),
        ("[Ljava.lang.String;", ["a"], ["a"]),
    ],
)
def test_an_argument_becomes_a_value_of_its_type(kind: str, given: object, value: object) -> None:
    assert converted(kind, given, "x") == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("int", str(2**31)),
        ("int", "1.0"),
        ("long", "9" * 30),
        ("double", "x"),
        ("java.util.List", "x"),
        ("byte", "128"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(kind: str, given: str) -> None:
    with pytest.raises(BeanAttributeError, match=f"expected a value of the type {re.escape(kind)}"):
        converted(kind, given, "x")


def test_what_no_door_knows_is_shown_by_its_text() -> None:
    assert shown_value(re.compile("a.*")) == "a.*"
    assert shown_value((1, True, None, 2.5)) == [1, True, None, "2.5"]
    assert shown_value(ValueError("x")) == "x"


def test_a_value_is_written_as_in_the_configuration() -> None:
    assert as_text(["a", "b"]) == "a,b"
    assert as_text(True) == "true"
