"""``frameworkSessions``, with Flask. Django, which a process has one project of: ``tests/cluster``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.core.framework_sessions import adopt_sessions
from catalina.core.standard_context import StandardContext
from tests.contrib.client import Client
from tests.core.node import Node, web_xml
from tests.support.frameworks import need_frameworks

need_frameworks()

MODULE = """
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
    files["WEB-INF/classes/plainflask.py"] = MODULE + more
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
