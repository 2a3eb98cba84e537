"""How URLs are written for rules, and afterwards."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.valves.rewrite.escapes import encode_path, encode_rewritten_path, encode_rewritten_query, for_rules

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("path", "seen", "sent"),
    [("/a b", "/a b", "/a%20b"), ("/a%20b", "/a%2520b", "/a%2520b"), ("/a?b;c", "/a%3fb%3bc", "/a%3fb%3bc"),
     ("/\u00fc", "/\u00fc", "/%C3%BC"), ("/!$&'()*+,=:@~", "/!$&'()*+,=:@~", "/!$&'()*+,=:@~")],
)  # fmt: skip
def test_a_path_is_encoded_in_two_steps(path: str, seen: str, sent: str) -> None:
    assert for_rules(path) == seen
    assert encode_rewritten_path(seen) == sent


@given(TEXT)
def test_no_path_changes_its_meaning(text: str) -> None:
    assert unquote(encode_rewritten_path(for_rules(text))) == text
    assert unquote(encode_path(text)) == text


@pytest.mark.parametrize(
    ("query", "sent"), [("a=b&c=%20", "a=b&c=%20"), ("a b~/?", "a+b%7E%2F%3F"), ("\u00fc", "%C3%BC"), ("*-._", "*-._")]
)
def test_a_query_is_encoded_as_of_a_form(query: str, sent: str) -> None:
    assert encode_rewritten_query(query) == sent
