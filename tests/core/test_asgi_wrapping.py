"""ASGI applications behind a2wsgi."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalina.core.asgi_wrapping import adapt_asgi, is_asgi
from catalina.errors import DeploymentError
from tests.core.node import Node, web_xml
from tests.support.frameworks import need_frameworks

need_frameworks()

FAST = """
async def app(scope, receive, send):
    session = scope["wsgi_environ"]["catalina.session"]
    session["n"] = session.get("n", 0) + 1
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"fast ", "more_body": True})
    await send({"type": "http.response.body", "body": str(session["n"]).encode()})
"""
SERVLET = (
    "<servlet><servlet-name>fast</servlet-name><servlet-class>fast:app</servlet-class>"
    "<load-on-startup>1</load-on-startup></servlet>"
    "<servlet-mapping><servlet-name>fast</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
)


def test_asgi_wrap_serves_it_with_its_session_and_leaves_no_loop_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = set(threading.enumerate())
    with Node(tmp_path) as node:
        context = node.add("app", {"WEB-INF/web.xml": web_xml(SERVLET), "WEB-INF/classes/fast.py": FAST}, asgi="wrap")
        answer = node.ask("/app/")
        assert (answer.status, answer.body) == (200, b"fast 1")
        assert "[fast:app] is an ASGI application; a2wsgi serves it" in caplog.text
        context.stop()
        assert [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("asgi-")] == []


def test_without_a2wsgi_it_is_said() -> None:
    def load(name: str) -> Any:
        raise DeploymentError(f"cannot load {name!r}")

    with pytest.raises(DeploymentError, match=r"asgi=\"wrap\" of 'fast:app' needs the package a2wsgi: cannot load"):
        adapt_asgi(print, "fast:app", True, SimpleNamespace(load=load), logging.getLogger("x"))  # type: ignore[arg-type]


def test_what_is_called_decides() -> None:
    async def fast(scope: Any, receive: Any, send: Any) -> None: ...

    def plain(environ: Any, start_response: Any) -> Any: ...

    assert is_asgi(fast)
    assert not is_asgi(plain)
