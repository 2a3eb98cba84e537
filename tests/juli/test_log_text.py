"""No message forges a line of the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.juli.jdk_logger_formatter import JdkLoggerFormatter
from catalina.juli.json_formatter import JsonFormatter
from catalina.juli.log_text import escaped, message_of
from catalina.juli.one_line_formatter import OneLineFormatter
from catalina.juli.simple_formatter import SimpleFormatter
from catalina.juli.systemd_formatter import SystemdFormatter
from catalina.juli.verbatim_formatter import VerbatimFormatter
from tests.juli.records import record

FORGED = (
    "/shop\r\n01-Jan-2026 00:00:00.000 SEVERE [main] org.apache.catalina.realm.X.y admin logged in\x1b[2J\u2028\x9b"
)
FORMATTERS = (OneLineFormatter, SimpleFormatter, JdkLoggerFormatter, SystemdFormatter, VerbatimFormatter, JsonFormatter)


def a_record(message: str, *arguments: object, **fields: Any) -> logging.LogRecord:
    made = record(message, **fields)
    made.args = arguments
    return made


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_what_a_peer_has_chosen_makes_no_line_and_moves_no_cursor(formatter):
    once = formatter().format(a_record("Context manager doesn't exist:[%s]", "/shop"))
    text = formatter().format(a_record("Context manager doesn't exist:[%s]", FORGED))
    assert len(text.splitlines()) == len(once.splitlines())
    assert not any(char in text for char in "\r\x1b\x9b\u2028")
    assert "admin logged in" in text


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_the_name_of_a_logger_and_of_a_thread_are_written_like_that_too(formatter):
    text = formatter().format(a_record("x", name=f"Catalina.{FORGED}", threadName=FORGED))
    assert len(text.splitlines()) <= 2
    assert "\x1b" not in text


def test_control_characters_are_written_as_escapes():
    assert escaped("a\r\nb\x00c\x1bd\x7fe\x9bf\u2028g\ud800") == "a\\r\\nb\\x00c\\x1bd\\x7fe\\x9bf\\u2028g\\ud800"
    assert escaped("tab\there, caf\u00e9, \u65e5\u672c") == "tab\there, caf\u00e9, \u65e5\u672c"


def test_line_ends_of_the_template_stay_and_those_of_its_arguments_do_not():
    made = a_record("Report[\n\tMessages: %d\n\tfrom: %s]", 7, "a\nb")
    assert message_of(made) == "Report[\n\tMessages: 7\n\tfrom: a\\nb]"


def test_a_text_without_arguments_is_one_line():
    assert message_of(a_record("all\nin one")) == "all\\nin one"


def test_a_stack_keeps_its_lines():
    made = a_record("Thread [%s] is stuck\n%s", "t", '  File "x.py"\n    wait()\n\x1b', keeps_lines=True)
    assert message_of(made) == 'Thread [t] is stuck\n  File "x.py"\n    wait()\n\\x1b'


def test_the_words_of_an_exception_move_no_cursor():
    try:
        raise ValueError("bad\x1b[2J\rname")
    except ValueError as error:
        made = record("boom", exc_info=(ValueError, error, error.__traceback__))
    lines = OneLineFormatter().format(made).split("\n")
    assert lines[-1] == "\tValueError: bad\\x1b[2J\\rname"


@given(st.text())
def test_json_says_what_was_said(text):
    line = JsonFormatter().format(a_record("%s", text))
    assert len(line.splitlines()) == 1
    assert line.encode()
    assert json.loads(line)["message"].encode(errors="surrogatepass") == text.encode(errors="surrogatepass")


@given(st.text(), st.text())
def test_any_text_gives_one_line_that_can_be_encoded(first, second):
    text = message_of(a_record("[%s] and [%s]", first, second))
    assert len(text.splitlines()) == 1
    assert text.encode()
