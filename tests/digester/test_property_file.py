from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.digester.property_file import parse_properties, read_properties


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("a=b", "a", "b"),
        ("a:b", "a", "b"),
        ("a b", "a", "b"),
        ("  a  =  b c ", "a", "b c "),
        ("a", "a", ""),
        ("a==b", "a", "=b"),
        (r"a\=b=c", "a=b", "c"),
        (r"a\ b=c", "a b", "c"),
        (r"a=\u00e9\t\x", "a", "é\tx"),
        (r"path=C:\\tmp", "path", r"C:\tmp"),
        ("a=${b:-c}", "a", "${b:-c}"),
    ],
)
def test_a_line_is_a_key_and_a_value_as_java_reads_it(line: str, key: str, value: str) -> None:
    assert parse_properties(line) == {key: value}


def test_comments_and_blank_lines_are_left_out() -> None:
    assert parse_properties("# a=1\n! b=2\n\n   # c=3\nd=4") == {"d": "4"}


def test_a_backslash_at_the_end_continues_the_line_and_drops_the_indentation() -> None:
    assert parse_properties("a=1,\\\n   2,\\\r\n\t3\nb=4\\\\") == {"a": "1,2,3", "b": "4\\"}


def test_a_comment_sign_in_a_continuation_is_text() -> None:
    assert parse_properties("a=1\\\n#2") == {"a": "1#2"}


def test_the_last_of_two_equal_keys_wins() -> None:
    assert parse_properties("a=1\na=2") == {"a": "2"}


def test_a_file_is_utf_8_or_else_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "x.properties"
    path.write_bytes("a=é".encode())
    assert read_properties(path) == {"a": "é"}
    path.write_bytes("a=é".encode("iso-8859-1"))
    assert read_properties(path) == {"a": "é"}


@given(st.text(max_size=60))
def test_any_text_is_a_properties_file(text: str) -> None:
    assert all(isinstance(key, str) for key in parse_properties(text))
