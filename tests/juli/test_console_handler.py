from __future__ import annotations

import pytest

from catalina.juli.console_handler import ConsoleHandler
from tests.juli.records import record


def test_records_go_to_standard_error_as_it_is_now(capsys: pytest.CaptureFixture[str]) -> None:
    handler = ConsoleHandler()
    handler.handle(record("hello"))
    assert capsys.readouterr() == ("", "hello\n")
