"""Texts with references in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.valves.rewrite.rewrite_map import make_map
from catalina.valves.rewrite.substitution import Found, Substitution
from tests.valves.exchange import make_request

MAPS = {"up": make_map("int:toupper", [])}


def expand(text: str, escape: bool = False) -> str:
    request, _ = make_request("/x", query="q=1")
    found = Found(request, re.fullmatch(r"/(\w+)/(.*)", "/a/b?c"), re.fullmatch(r"(\d+)(x)?", "12"))
    return Substitution(text, MAPS, escape).expand(found)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("", ""),
        ("/$1/x", "/a/x"),
        ("$0", "/a/b?c"),
        ("$9", ""),
        ("%1|%2|%3", "12||"),
        ("%{REQUEST_METHOD}", "GET"),
        ("${up:$1b}", "AB"),
        ("${up:%{QUERY_STRING}|x}", "Q=1"),
        (r"\$1 \% \\", "$1 % \\"),
        ("100% $x $", "100% $x $"),
        ("a?b", "a?b"),
    ],
)
def test_references_are_replaced(text: str, expanded: str) -> None:
    assert expand(text) == expanded


def test_back_references_can_be_escaped() -> None:
    assert expand("$2", escape=True) == "b%3Fc"


@pytest.mark.parametrize("text", ["%{OPEN", "${up:x", "${none:x}", "${up}"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match=r"brace|RewriteMap"):
        Substitution(text, MAPS)


def test_a_default_stands_in_for_a_missing_key() -> None:
    nothing = type("Nothing", (), {"lookup": lambda self, key: None})()
    request, _ = make_request("/x")
    found = Found(request, re.fullmatch("(.*)", "key"))
    assert Substitution("${n:k|$1!}", {"n": nothing}).expand(found) == "key!"
    assert Substitution("${n:k}", {"n": nothing}).expand(found) == ""


@given(st.text(max_size=30))
def test_any_text_expands_or_is_refused(text: str) -> None:
    try:
        substitution = Substitution(text, MAPS)
    except ValueError:
        return
    request, _ = make_request("/x")
    assert isinstance(substitution.expand(Found(request)), str)
