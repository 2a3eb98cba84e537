"""The common part of both text interfaces."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import CatalinaError
from catalina.manager.asked import Asked, Refused
from catalina.manager.text_servlet import TextServlet


def asked(command: str) -> Asked:
    return Asked({"REQUEST_METHOD": "GET", "PATH_INFO": command, "QUERY_STRING": "", "REMOTE_ADDR": "::1"}, "door")


def fails(error: BaseException) -> Any:
    def command(servlet, asked):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Refused("No way"), "FAIL - No way"),
        (CatalinaError("broken"), "FAIL - Encountered exception [broken]"),
        (OSError(28, "No space left on device"), "FAIL - Encountered exception [OSError: [Errno 28] No space left"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(error, line):
    lines, rest = TextServlet().answer({"/x": fails(error)}, asked("/x"))
    assert lines[0].startswith(line)
    assert rest == ""


def test_text_behind_the_lines_is_kept_as_it_is():
    assert TextServlet().answer({"/x": lambda servlet, asked: (["OK"], "a\r\nb")}, asked("/x")) == (["OK"], "a\r\nb")
