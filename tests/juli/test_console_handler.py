from __future__ import annotations

import io

import pytest

from catalina.attributes import AttributeRefused
from catalina.juli.console_handler import ConsoleHandler
from tests.juli.records import record


def test_records_go_to_standard_error_as_it_is_now(capsys: pytest.CaptureFixture[str]) -> None:
    handler = ConsoleHandler()
    handler.handle(record("hello"))
    assert capsys.readouterr() == ("", "hello\n")


def test_the_encoding_that_is_given_is_that_of_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(written, encoding="ascii", errors="backslashreplace"))
    handler = ConsoleHandler()
    handler.handle(record("a\u00e4"))
    handler.set_attribute("encoding", "ISO-8859-1")
    handler.handle(record("b\u00e4"))
    assert written.getvalue() == b"a\\xe4\nb\xe4\n"


def test_an_encoding_that_there_is_not_is_refused() -> None:
    with pytest.raises(AttributeRefused, match="a character encoding"):
        ConsoleHandler().set_attribute("encoding", "UTF-9")
