from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.digester.substitution import MappingSource, Substitution

PROPERTIES = {"port": "8080", "a": "1", "nested": "${a}2", "loop": "${loop}", "x:-y": "whole", "catalina.base": "/srv"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $ text", "plain $ text"),
        ("${port}", "8080"),
        ("a${port}b${a}", "a8080b1"),
        ("${unknown}", "${unknown}"),
        ("${unknown:-9}", "9"),
        ("${unknown:-}", ""),
        ("${port:-9}", "8080"),
        ("${nested}", "12"),
        ("${unknown:-${port}}", "${port}"[:0] + "8080"),
        ("${loop}", "${loop}"),
        ("${x:-y}", "whole"),
        ("${port", "${port"),
        ("$${port}", "$8080"),
        ("${catalina.base}/conf", "/srv/conf"),
    ],
)
def test_references_are_replaced_as_tomcat_does(text: str, expected: str) -> None:
    assert Substitution([MappingSource(PROPERTIES)])(text) == expected


def test_the_first_source_that_knows_a_name_wins() -> None:
    substitution = Substitution([MappingSource({"b": "first"}), MappingSource({"a": "second", "b": "second"})])
    assert substitution("${a} ${b}") == "second first"


@given(st.text(alphabet="${}:-ab ", max_size=40))
def test_any_text_ends_after_a_bounded_number_of_rounds(text: str) -> None:
    assert isinstance(Substitution([MappingSource({"a": "${b}${a}"[:4], "b": "${a"})])(text), str)
