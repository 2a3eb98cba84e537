"""Printing goes to the application's log, and to nobody else's."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from catalina.tomcat.util.log.system_log_handler import captured
from tests.core.node import Node, web_xml


@pytest.fixture(autouse=True)
def real_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-ins stay for the life of a process; a test puts the real streams back."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


def test_lines_become_records_of_their_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with captured(logging.getLogger("app")):
        print("one\ntwo", end="")
        print(" more")
        print("wrong", file=sys.stderr)
        sys.stdout.writelines(["a\n", "b"])
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("INFO", "one"), ("INFO", "two more"), ("ERROR", "wrong"), ("INFO", "a"), ("INFO", "b")]


def test_other_threads_print_where_they_did(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with captured(logging.getLogger("app")):
        thread = threading.Thread(target=print, args=("elsewhere",))
        thread.start()
        thread.join()
        assert sys.stdout.encoding  # the rest is the real stream's
    print("afterwards")
    assert caplog.records == []
    assert capsys.readouterr().out == "elsewhere\nafterwards\n"


def test_an_application_with_swallow_output(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    inner = (
        "<servlet><servlet-name>s</servlet-name><servlet-class>printing:application</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    module = (
        "def application(environ, start_response):\n"
        "    print('printed')\n    start_response('200 OK', [])\n    return []\n"
    )
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": web_xml(inner), "WEB-INF/classes/printing.py": module}
    node.add("shop", files, swallow_output=True)
    with node:
        node.ask("/shop/")
    printed = [record for record in caplog.records if record.getMessage() == "printed"]
    assert [record.name for record in printed] == [
        "org.apache.catalina.core.ContainerBase.[Catalina].[localhost].[/shop]"
    ]
