"""Filters and names of LDAP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.realm.ldap_text import escape_filter, escape_name, format_message, split_patterns


@given(st.text())
def test_no_user_name_is_more_than_a_value_in_a_filter(text):
    escaped = escape_filter(text)
    assert not set("*()\0") & set(escaped)


def test_names_are_escaped_as_tomcat_does():
    assert escape_name('a,b+c"d\\e<f>g;h') == "a\\2Cb\\2Bc\\22d\\5Ce\\3Cf\\3Eg\\3Bh"
    assert escape_name(" a ") == "\\20a\\20"
    assert escape_name("#a#") == "\\23a#"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("uid={0},ou=people", "uid=bob,ou=people"),
        ("(&(uid={0})(x={1}))", "(&(uid=bob)(x=ann))"),
        ("it''s '{0}' {0}", "it's {0} bob"),
        ("{7}", "{7}"),
        ("{x", "{x"),
    ],
)
def test_patterns_are_javas_message_formats(pattern, text):
    assert format_message(pattern, ["bob", "ann"]) == text


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_pattern_gives_text(pattern, values):
    assert isinstance(format_message(pattern, values), str)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("uid={0},ou=a", ["uid={0},ou=a"]),
        ("(uid={0},ou=a)(cn={0},ou=b)", ["uid={0},ou=a", "cn={0},ou=b"]),
        ("(|(uid={0},ou=a)(uid={0},ou=b))", ["uid={0},ou=a", "uid={0},ou=b"]),
        ("", []),
    ],
)
def test_several_patterns_stand_in_parentheses(text, patterns):
    assert split_patterns(text) == patterns
