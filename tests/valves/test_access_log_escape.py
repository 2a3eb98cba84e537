"""Escaping in the access log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.valves.access_log_escape import escape, escape_quotes_doubled


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain/path?x=1", "plain/path?x=1"),
        (None, "-"),
        ("", "-"),
        ('a"b\\c', 'a\\"b\\\\c'),
        ("a\r\n\t\fb", "a\\r\\n\\t\\fb"),
        ("\x01\x7f\u00e9", "\\u0001\\u007f\\u00e9"),
        ("\U0001f600", "\\ud83d\\ude00"),
    ],
)
def test_what_could_break_the_line_is_escaped_as_tomcat_does(text, written):
    assert escape(text) == written


def test_the_extended_format_doubles_quotes():
    assert escape_quotes_doubled('say "hi"\n') == 'say ""hi""\\n'


@given(st.text())
def test_an_escaped_value_is_one_line_of_printable_ascii(text):
    written = escape(text)
    assert written.isascii()
    assert written.isprintable()
    assert '"' not in written.replace('\\"', "")
