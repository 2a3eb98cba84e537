"""Servlets: made once, by name, unavailable when they cannot be."""

from __future__ import annotations

import html
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_wrapper import adapt_asgi, adopt_sessions, is_asgi
from catalina.errors import DeploymentError
from catalina.loader.webapp_loader import WebappLoader
from tests.contrib.client import Client
from tests.core.node import Node, web_xml
from tests.support.frameworks import need_frameworks
from tests.support.stand_in import stand_in

MODULE = """
from catalina.webapp import UnavailableError
made = []
closed = []

class Servlet:
    def __init__(self, greeting="hello"):
        made.append(greeting)
        self.greeting = greeting
    def start_servlet(self, config, context): self.name = config.name
    def close_servlet(self): closed.append(self.name)
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [f"{self.greeting} {environ['catalina.servlet'].init_parameters}".encode()]

class Busy:
    def __init__(self): raise_busy()
def raise_busy(): raise UnavailableError("later", 30)
def make(greeting): return Servlet(greeting + "!")
number = 7
"""
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
need_frameworks()

ASGI_MODULE = """
import flask
from flask import session
from flask.sessions import SecureCookieSessionInterface

app = flask.Flask("plain")
app.secret_key = "test"

@app.get("/count")
def count():
    session["n"] = session.get("n", 0) + 1
    session["said"] = ("info", flask.Markup("<b>x</b>") if hasattr(flask, "Markup") else markup("<b>x</b>"))
    return f"{session['n']} {session['said'][1].__html__()}"

from markupsafe import Markup as markup

class Own(SecureCookieSessionInterface):
    pass
"""

SAID = "Flask's sessions are the container's; an application that sets a session_interface of its own keeps that"


@pytest.fixture
def context(tmp_path: Path) -> StandardContext:
    servlets = "".join(
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>served:{target}</servlet-class>{extra}</servlet>"
        f"<servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>/{name}</url-pattern></servlet-mapping>"
        for name, target, extra in (
            ("plain", "Servlet", ""),
            (
                "greeting",
                "Servlet",
                "<init-param><param-name>greeting</param-name><param-value>hi</param-value></init-param>",
            ),
            (
                "factory",
                "make()",
                "<init-param><param-name>greeting</param-name><param-value>hi</param-value></init-param>",
            ),
            ("number", "number", ""),
            ("missing", "Missing", ""),
            ("off", "Servlet", "<enabled>false</enabled>"),
        )
    )
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": web_xml(servlets), "WEB-INF/classes/served.py": MODULE}
    context = node.add("shop", files)
    context.node = node  # type: ignore[attr-defined]  # for the tests
    return context


def test_a_servlet_is_made_with_the_first_request_and_once(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        made = context.loader.load("served:made")
        assert (made, context.wrappers["plain"].is_loaded) == ([], False)
        for _ in range(3):
            assert node.ask("/shop/plain").body == b"hello {}"
        assert made == ["hello"]
        closed = context.loader.load("served:closed")
    assert closed == ["plain"]


def test_init_parameters_reach_classes_and_factories(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert node.ask("/shop/greeting").body == b"hi {'greeting': 'hi'}"
        assert node.ask("/shop/factory").body == b"hi! {'greeting': 'hi'}"


@pytest.mark.parametrize("name", ["missing", "number"])
def test_what_cannot_be_a_servlet_is_said_once_then_it_is_404(context: StandardContext, name: str) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        with pytest.raises(DeploymentError):
            context.wrappers[name].load()
        assert context.wrappers[name].retry_after is None
        assert node.ask(f"/shop/{name}").status == 404


def test_the_first_request_for_a_servlet_that_cannot_be_made_is_a_500(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        first = node.ask("/shop/missing")
    assert first.status == 500
    assert b"Error instantiating servlet class [served:Missing]" in first.body


def test_a_disabled_servlet_is_404(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert node.ask("/shop/off").status == 404


def test_a_servlet_that_is_busy_says_when_to_come_back(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        wrapper = context.wrappers["plain"]
        wrapper.unavailable(29.5)
        answer = node.ask("/shop/plain")
        assert (answer.status, answer.get("Retry-After")) == (503, "30")
        wrapper.unavailable(0)
        assert node.ask("/shop/plain").status == 200


def test_its_mappings_are_those_of_the_context(context: StandardContext) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        assert context.wrappers["plain"].mappings == ("/plain",)
        assert context.wrappers["plain"].servlet_class == "served:Servlet"


ASYNCHRONOUS = """
class Fast:
    async def __call__(self, scope, receive, send): ...

async def function(scope, receive, send): ...

instance = Fast()
"""


@pytest.mark.parametrize("target", ["function", "instance", "Fast"])
def test_an_asgi_application_is_named_at_once_and_in_each_answer(tmp_path, caplog, target):
    servlet = (
        f"<servlet><servlet-name>fast</servlet-name><servlet-class>fast:{target}</servlet-class>"
        "<load-on-startup>1</load-on-startup></servlet>"
        "<servlet-mapping><servlet-name>fast</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    sentence = f"fast:{target} is an ASGI application, and WSGI is spoken here; wrap it: a2wsgi.ASGIMiddleware(app)"
    sentence += ', or asgi="wrap" on its Context'
    with Node(tmp_path) as node:
        node.add("app", {"WEB-INF/web.xml": web_xml(servlet), "WEB-INF/classes/fast.py": ASYNCHRONOUS})
        (warning,) = [record for record in caplog.records if "ASGI" in record.getMessage()]
        assert warning.levelname == "WARNING"
        assert warning.getMessage() == f"[fast:{target}] answers each request with 500: {sentence}"
        answer = node.ask("/app/")
        assert answer.status == 500
        assert sentence in html.unescape(answer.body.decode())


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
        adapt_asgi(print, "fast:app", True, stand_in(WebappLoader, load=load), logging.getLogger("x"))


def test_what_is_called_decides() -> None:
    async def fast(scope: Any, receive: Any, send: Any) -> None: ...

    def plain(environ: Any, start_response: Any) -> Any: ...

    assert is_asgi(fast)
    assert not is_asgi(plain)


def servlet(distributable: bool = True) -> str:
    return web_xml(
        f"{'<distributable/>' if distributable else ''}<servlet><servlet-name>s</servlet-name><servlet-class>"
        "plainflask:app</servlet-class></servlet><servlet-mapping><servlet-name>s</servlet-name>"
        "<url-pattern>/*</url-pattern></servlet-mapping>"
    )


@pytest.fixture(autouse=True)
def flask_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from flask import Flask

    monkeypatch.setattr(Flask, "session_interface", Flask.session_interface)


def serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, more: str = "", distributable: bool = True, **attributes: str
) -> Iterator[tuple[Client, list[str]]]:
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": servlet(distributable)}
    files["WEB-INF/classes/plainflask.py"] = ASGI_MODULE + more
    node.add("shop", files, **attributes)
    with node, caplog.at_level(logging.INFO):
        client = Client(node)
        client.get("/count")
        yield client, [text for text in caplog.messages if "frameworkSessions" in text]


def test_a_distributable_flask_application_as_it_is_gets_the_containers_sessions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for client, said in serve(tmp_path, caplog):
        assert said == [f'[/shop] frameworkSessions="auto": {SAID}']
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["JSESSIONID"]
        assert client.get("/count") == "2 <b>x</b>"


@pytest.mark.parametrize(("distributable", "mode"), [(True, "off"), (False, "auto")])
def test_without_it_nothing_is_touched(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, distributable: bool, mode: str
) -> None:
    for client, said in serve(tmp_path, caplog, distributable=distributable, framework_sessions=mode):
        assert said == []
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["session"]


def test_the_operator_says_it_for_all_applications_in_conf_context_xml(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "context.xml").write_text('<Context frameworkSessions="off"/>')
    for client, said in serve(tmp_path, caplog):
        assert said == []
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["session"]


WRAPPED = """
class Middleware:
    def __init__(self, app):
        self.app = app
    def __call__(self, environ, start_response):
        return self.app(environ, start_response)
app.wsgi_app = Middleware(app.wsgi_app)
app = Middleware(app)
"""


@pytest.mark.parametrize("wrapped", ["", WRAPPED])
def test_what_an_application_has_chosen_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture, wrapped: str) -> None:
    for client, said in serve(tmp_path, caplog, "\napp.session_interface = Own()\n" + wrapped):
        assert said == [
            '[/shop] frameworkSessions="auto": the Flask application [plain] keeps its own session interface [Own]'
        ]
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["session"]


CHOSEN = """
from catalina.contrib.flask import CatalinaSessionInterface
app.session_interface = CatalinaSessionInterface()
"""


def test_of_an_application_that_has_chosen_ours_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for client, said in serve(tmp_path, caplog, CHOSEN):
        assert said == []
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["JSESSIONID"]


def test_a_class_that_somebody_has_changed_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client, said in serve(tmp_path, caplog, "\nflask.Flask.session_interface = Own()\n"):
        assert said == ['[/shop] frameworkSessions="auto": Flask\'s class has the session interface [Own], which stays']
        assert [cookie.partition("=")[0] for cookie in client.set_cookies] == ["session"]


def test_an_application_without_a_framework_loads_no_adapter(caplog: pytest.LogCaptureFixture) -> None:
    context = StandardContext()
    context.distributable = True
    adopt_sessions(context, lambda environ, start_response: [])
    assert caplog.messages == []


BROKEN = {
    "WEB-INF/web.xml": servlet(),
    "WEB-INF/classes/plainflask.py": "import flask.app\ndef app(environ, start_response):\n"
    "    start_response('200 OK', [])\n    return [b'runs']\n",
    "WEB-INF/classes/flask/__init__.py": "",
    "WEB-INF/classes/flask/app.py": "",
}


def test_a_framework_that_the_adapter_does_not_know_runs_as_it_did(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    node.add("shop", dict(BROKEN))
    with node, caplog.at_level(logging.WARNING):
        assert node.ask("/shop/").body == b"runs"
    assert any("the sessions stay as they are" in text for text in caplog.messages)


def test_a_framework_that_fails_when_it_is_asked_runs_as_it_did(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    own = {**BROKEN, "WEB-INF/classes/flask/__init__.py": FAILS, "WEB-INF/classes/flask/sessions.py": SESSIONS}
    node.add("shop", own)
    with node, caplog.at_level(logging.WARNING):
        assert node.ask("/shop/").body == b"runs"
    said = [text for text in caplog.messages if "the sessions stay as they are" in text]
    assert len(said) == 1
    assert "RuntimeError: not to be asked" in said[0]


#: A framework of another kind under Flask's name.
FAILS = """
class Asked(type):
    @property
    def session_interface(cls):
        raise RuntimeError("not to be asked")

class Flask(metaclass=Asked):
    pass
"""
SESSIONS = "class SessionInterface: pass\nclass SessionMixin: pass\nclass SecureCookieSessionInterface: pass\n"
