from __future__ import annotations

import json

from catalina.juli.json_formatter import JsonFormatter
from tests.juli.records import failed, record


def test_a_record_is_an_object_with_the_keys_of_tomcat() -> None:
    text = JsonFormatter().format(record('one\ntwo "q" é'))
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "2023-11-14T22:13:20.123Z",
        "level": "INFO",
        "thread": "main",
        "class": "org.apache.catalina.startup.Catalina",
        "method": "start",
        "message": 'one\ntwo "q" é',
    }


def test_an_exception_is_a_list_of_lines() -> None:
    throwable = json.loads(JsonFormatter().format(failed()))["throwable"]
    assert throwable[-1] == "ValueError: why"
