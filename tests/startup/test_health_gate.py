"""An application that has started is asked whether it can serve."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalina.attributes import AttributeRefused
from catalina.core.context_attributes import inner_path
from catalina.startup.health_gate import HealthGate
from tests.core.node import Node, web_xml

APPLICATION = """
import threading
ENOUGH = threading.Event()

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise RuntimeError("no database")
    if path == "/waits":
        ENOUGH.wait(60)
    if path == "/session":
        environ["catalina.session"]["n"] = 1
    if path == "/address":
        expected = ("/shop", "localhost", "127.0.0.1", "full=1")
        got = tuple(environ[name] for name in ("SCRIPT_NAME", "HTTP_HOST", "REMOTE_ADDR", "QUERY_STRING"))
        assert got == expected, got
    start_response("503 Busy" if path == "/busy" else "401 Unauthorized", [])
    return [b"x" * 100_000]
"""
SERVLET = web_xml(
    "<servlet><servlet-name>s</servlet-name><servlet-class>asked:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/health", ""),
        ("/address?full=1", ""),
        ("/session", ""),
        ("/busy", "healthPath [/busy] answers 503, expected a status below 500"),
        ("/waits", "healthPath [/waits] has not answered within healthTimeout, 200 ms"),
    ],
)
def test_an_answer_below_500_in_time_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str
) -> None:
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": SERVLET, "WEB-INF/classes/asked.py": APPLICATION}
    context = node.add("shop", files, health_path=path, health_timeout=200 if path == "/waits" else 30_000)
    with node:
        monkeypatch.setattr(node.service, "connectors", [node.connector])
        assert HealthGate(context).why_not() == why
        enough: threading.Event = context.loader.load("asked:ENOUGH")
        enough.set()
        assert context.manager is not None
        assert context.manager.active_sessions == 0, "a session that nobody has the id of is gone"
        monkeypatch.undo()


def test_an_exception_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": SERVLET, "WEB-INF/classes/asked.py": APPLICATION}
    context = node.add("shop", files, health_path="/raises")
    with node:
        monkeypatch.setattr(node.service, "connectors", [node.connector])
        assert HealthGate(context).why_not().startswith("healthPath [/raises] fails: RuntimeError: no database")
        monkeypatch.undo()
    assert "Traceback" in caplog.text


def test_a_path_lies_in_the_application() -> None:
    assert inner_path(" /health?full=1 ") == "/health?full=1"
    with pytest.raises(AttributeRefused, match="a path that begins with /"):
        inner_path("http://elsewhere/")
