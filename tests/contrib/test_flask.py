"""``flask.session``: in the container, and outside of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from catalina.errors import NotReplicableError
from tests.contrib.client import Client
from tests.core.node import Node, web_xml
from tests.support.frameworks import need_frameworks

need_frameworks()

import flask  # noqa: E402 -- the frameworks are on the path now

from catalina.contrib.flask import CatalinaSessionInterface  # noqa: E402
from tests.support.narrowing import there  # noqa: E402

MODULE = """
import flask
from catalina.contrib.flask import CatalinaSessionInterface
from flask import session, request
app = flask.Flask("shop")
app.session_interface = CatalinaSessionInterface()
app.testing = True

@app.get("/set/<name>/<value>")
def set_(name, value):
    session[name] = value
    return session.sid

@app.get("/show")
def show():
    return flask.jsonify(dict(session))

@app.get("/pop/<name>")
def pop(name):
    session.pop(name)
    return "gone"

@app.get("/container")
def container():
    request.environ["catalina.session"]["org.apache.catalina.mine"] = 1
    return "set"

@app.get("/permanent/<int:on>")
def permanent(on):
    session.permanent = bool(on)
    return str(request.environ["catalina.session"].max_inactive_interval)

@app.get("/interval")
def interval():
    return str(request.environ["catalina.session"].max_inactive_interval)

@app.get("/clear")
def clear():
    session.clear()
    return "cleared"

@app.get("/login")
def login():
    app.session_interface.regenerate(session)
    return session.sid or ""

@app.get("/bad")
def bad():
    session["bad"] = iter(())
    return "never"

@app.get("/none")
def none():
    return "nothing of a session"
"""

SERVLET = (
    "<distributable/><servlet><servlet-name>s</servlet-name><servlet-class>flaskshop:app</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
)


def files(more: str = "", settings: str = "") -> dict[str, str | bytes]:
    return {"WEB-INF/web.xml": web_xml(SERVLET + more), "WEB-INF/classes/flaskshop.py": MODULE + settings}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    node = Node(tmp_path)
    node.add("shop", files())
    with node:
        yield Client(node)


def test_keys_are_attributes_and_the_containers_cookie_is_the_only_one(client: Client) -> None:
    sid = client.get("/set/cart/tea")
    assert client.set_cookies == [f"JSESSIONID={sid}; Path=/shop; HttpOnly"]
    assert client.get("/show") == '{"cart":"tea"}\n'
    assert client.set_cookies == []
    assert client.answer.get("Vary") == "Cookie"
    client.get("/none")
    assert client.answer.get("Vary") is None


def test_what_the_container_keeps_is_neither_listed_nor_cleared(client: Client) -> None:
    client.get("/container")
    client.get("/set/a/1")
    assert client.get("/show") == '{"a":"1"}\n'
    cookie = client.cookie
    client.get("/clear")
    assert client.cookie == cookie
    assert client.set_cookies == []


def test_an_emptied_session_is_ended_and_its_cookie_deleted(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/pop/a")
    assert client.set_cookies[0].startswith("JSESSIONID=; Max-Age=0;")
    client.cookie = old
    assert client.get("/show") == "{}\n"
    assert client.get("/set/a/2") != old


def test_regenerate_changes_the_id_and_keeps_the_keys(client: Client) -> None:
    old = client.get("/set/a/1")
    new = client.get("/login")
    assert client.cookie == new != old
    assert client.get("/show") == '{"a":"1"}\n'
    client.cookie = old
    assert client.get("/show") == "{}\n"
    client.cookie = ""
    assert client.get("/login") == ""


def test_permanent_is_the_interval_of_the_session_and_the_age_of_the_cookie(client: Client) -> None:
    client.get("/set/a/1")
    assert client.get("/interval") == "1800"
    client.get("/permanent/1")
    assert "; Max-Age=2678400; Expires=" in client.set_cookies[0]
    assert client.get("/interval") == str(31 * 24 * 3600)
    assert client.get("/show") == '{"_permanent":true,"a":"1"}\n'
    assert "; Max-Age=2678400; Expires=" in client.set_cookies[0]  # SESSION_REFRESH_EACH_REQUEST
    client.get("/permanent/0")
    assert "Max-Age" not in client.set_cookies[0]
    assert client.get("/interval") == "1800"


def test_a_value_that_cannot_travel_is_refused_where_it_is_set(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/bad")
    assert client.answer.status == 500
    assert any("NotReplicableError" in (record.exc_text or "") for record in caplog.records)


SETTINGS = "\napp.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE='Lax', SESSION_COOKIE_NAME='own')\n"


@pytest.mark.parametrize(
    ("more", "cookie"),
    [
        ("", "Path=/shop; Secure; HttpOnly; SameSite=Lax"),
        (
            "<session-config><cookie-config><path>/</path><attribute><attribute-name>SameSite</attribute-name>"
            "<attribute-value>Strict</attribute-value></attribute></cookie-config></session-config>",
            "Path=/; Secure; HttpOnly; SameSite=Strict",
        ),
    ],
)
def test_the_applications_settings_count_where_the_operator_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, more: str, cookie: str
) -> None:
    node = Node(tmp_path)
    node.add("shop", files(more, SETTINGS))
    with node, caplog.at_level(logging.WARNING):
        client = Client(node)
        client.get("/set/a/1")
        client.get("/set/a/2")
        assert client.set_cookies == []
        assert [name for name, _ in client.node.ask("/shop/set/a/1").headers if name == "Set-Cookie"] == ["Set-Cookie"]
        assert there(client.node.ask("/shop/set/a/1").get("Set-Cookie")).partition("; ")[2] == cookie
    said = [record.message for record in caplog.records if "has no effect" in record.message]
    assert len(said) == 1
    assert "SESSION_COOKIE_NAME='own' has no effect" in said[0]


@pytest.mark.parametrize("distributable", [True, False])
def test_it_is_said_once_when_the_sessions_stay_in_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, distributable: bool
) -> None:
    node = Node(tmp_path)
    own = files()
    if not distributable:
        own["WEB-INF/web.xml"] = web_xml(SERVLET.replace("<distributable/>", ""))
    node.add("shop", own)
    with node, caplog.at_level(logging.INFO):
        client = Client(node)
        client.get("/set/a/1")
        assert client.get("/show") == '{"a":"1"}\n'
    said = [text for text in caplog.messages if "they stay in this node" in text]
    assert len(said) == (0 if distributable else 1)


@pytest.fixture
def app() -> flask.Flask:
    app = flask.Flask("outside")
    app.session_interface = CatalinaSessionInterface()
    app.config.update(TESTING=True, SESSION_COOKIE_SAMESITE="Lax", PERMANENT_SESSION_LIFETIME=timedelta(hours=1))
    return app


def test_outside_the_container_it_is_the_same_in_this_process(app: flask.Flask) -> None:
    @app.get("/add")
    def add() -> str:
        flask.session.setdefault("cart", []).append("tea")
        return str(len(flask.session["cart"]))

    @app.get("/out")
    def out() -> str:
        flask.session.clear()
        return "out"

    client = app.test_client()
    first = client.get("/add")
    assert first.headers["Set-Cookie"].endswith("; HttpOnly; Path=/; SameSite=Lax")
    assert first.headers["Set-Cookie"].startswith("session=")
    assert [client.get("/add").text, client.get("/add").text] == ["2", "3"]
    assert client.get("/out").headers["Set-Cookie"].startswith("session=; Expires=Thu, 01 Jan 1970")
    assert client.get("/add").text == "1"


def test_outside_the_container_what_could_not_travel_is_refused_too(app: flask.Flask) -> None:
    @app.get("/bad")
    def bad() -> str:
        flask.session["bad"] = iter(())
        return "never"

    with pytest.raises(NotReplicableError, match="bad"):
        app.test_client().get("/bad")


def test_outside_the_container_a_login_changes_the_cookie(app: flask.Flask) -> None:
    @app.get("/login")
    def login() -> str:
        flask.session["user"] = "anna"
        flask.session.permanent = True
        app.session_interface.regenerate(flask.session)
        return str(flask.session.sid)

    client = app.test_client()
    ids = [client.get("/login").text for _ in range(2)]
    assert ids[0] != ids[1]
    assert client.get_cookie("session").value == ids[1]
    assert client.get_cookie("session").expires is not None
