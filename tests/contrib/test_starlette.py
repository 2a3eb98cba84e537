"""The ``request.session`` of Starlette. Starlette's own suite: ``test_upstream.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from tests.contrib.client import Client, application
from tests.core.node import Node
from tests.support.frameworks import need_frameworks

need_frameworks()

MODULE = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from catalina.contrib.starlette import SessionMiddleware
from catalina.webapp import current_session, session_manager

async def view(request):
    session = request.session
    match request.path_params["rest"].strip("/").split("/"):
        case ["set", name, value]: session[name] = value
        case ["inside", value]: session.setdefault("list", []).append(value)
        case ["clear"]: session.clear()
        case ["login"]: session.regenerate()
        case ["current"]: return JSONResponse([current_session().id == session.id, session_manager().must_travel])
        case ["ended"]:
            session["late"] = 1
            current_session().invalidate()
    return JSONResponse(session)

app = Starlette(routes=[Route("/{rest:path}", view)], middleware=[Middleware(SessionMiddleware)])
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    node = Node(tmp_path)
    node.add("shop", application("starshop", MODULE), asgi="wrap")
    with node:
        yield Client(node)


def test_keys_are_attributes_and_the_containers_cookie_is_the_only_one(client: Client) -> None:
    assert client.get("/set/a/1") == '{"a":"1"}'
    [cookie] = client.set_cookies
    assert cookie.startswith(f"JSESSIONID={client.cookie}; Max-Age=1209600; Expires=")
    assert cookie.endswith("; Path=/shop; HttpOnly; SameSite=Lax")
    assert client.get("/inside/x") == '{"a":"1","list":["x"]}'
    assert client.get("/inside/y") == '{"a":"1","list":["x","y"]}'
    assert client.get("/show") == '{"a":"1","list":["x","y"]}'
    assert client.set_cookies == []


def test_a_cleared_session_is_ended(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/clear")
    assert client.set_cookies[0].startswith("JSESSIONID=; Max-Age=0;")
    client.cookie = old
    assert client.get("/show") == "{}"


def test_the_current_session_is_the_requests_also_in_the_thread_of_the_loop(client: Client) -> None:
    client.get("/set/a/1")
    assert client.get("/current") == "[true,true]"


def test_a_session_that_ended_meanwhile_is_not_revived(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/ended")
    assert [cookie for cookie in client.set_cookies if not cookie.startswith("JSESSIONID=;")] == []
    for cookie in (old, client.cookie):
        client.cookie = cookie
        assert client.get("/show") == "{}"


def test_a_login_changes_the_id(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    assert client.get("/login") == '{"a":"1"}'
    assert client.cookie not in ("", old)
    client.cookie = old
    assert client.get("/show") == "{}"


def call(app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return messages[0]

    asyncio.run(app(scope, receive, send))
    return sent


def cookie_of(message: Any) -> str:
    value: bytes = next(value for name, value in message["headers"] if name == b"set-cookie")
    return value.decode()


def test_a_websocket_has_the_session_and_what_it_has_changed_is_written_when_it_ends() -> None:
    from catalina.contrib.starlette import SessionMiddleware

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            scope["session"]["seen"].append("socket")
            return
        scope["session"].setdefault("seen", [])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    app = SessionMiddleware(application, max_age=None)
    [start] = call(app, {"type": "http", "headers": []})
    session_id = cookie_of(start).partition("=")[2].partition(";")[0]
    assert "Max-Age" not in cookie_of(start)
    headers = [(b"cookie", f"session={session_id}".encode())]
    call(app, {"type": "websocket", "headers": headers})
    found: list[Any] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        found.append(dict(scope["session"]))

    call(SessionMiddleware(look), {"type": "http", "headers": headers})
    assert found == [{"seen": ["socket"]}]


def test_what_cannot_travel_is_refused_where_it_is_set() -> None:
    from catalina.contrib.starlette import SessionMiddleware

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["bad"] = iter(())

    with pytest.raises(NotReplicableError, match="bad"):
        call(SessionMiddleware(application), {"type": "http", "headers": []})


def test_another_kind_of_scope_is_passed_on() -> None:
    from catalina.contrib.starlette import SessionMiddleware

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send("session" in scope)

    assert call(SessionMiddleware(application), {"type": "lifespan"}) == [False]
