"""Pyramid's ``request.session``. Pyramid's own suite: ``test_upstream.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.errors import NotReplicableError
from tests.contrib.client import Client, serve_shop
from tests.support.frameworks import need_frameworks

need_frameworks()

#: Warnings of WebOb and of Pyramid, when they are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated"),
    pytest.mark.filterwarnings("ignore:pkg_resources is deprecated"),
    pytest.mark.filterwarnings("ignore:Deprecated call to .pkg_resources"),
]

MODULE = """
import json
from pyramid.config import Configurator
from pyramid.response import Response
from catalina.contrib.pyramid import CatalinaSessionFactory

def view(request):
    session = request.session
    match request.path_info.strip("/").split("/"):
        case ["set", name, value]: session[name] = value
        case ["inside", value]: session.setdefault("list", []).append(value)
        case ["invalidate"]: session.invalidate()
        case ["again"]:
            session.invalidate()
            session["user"] = "bob"
        case ["clear"]: session.clear()
        case ["login"]: session.change_id()
        case ["flash"]: session.flash("said")
    return Response(json.dumps([dict(session), session.new, session.max_inactive_interval]))

def made(**values):
    with Configurator() as config:
        config.set_session_factory(CatalinaSessionFactory(**values))
        config.add_route("all", "/*rest")
        config.add_view(view, route_name="all")
    return config.make_wsgi_app()

app = made({values})
"""


def serve(tmp_path: Path, values: str = "") -> Iterator[Client]:
    return serve_shop(tmp_path, "pyramidshop", MODULE.replace("{values}", values))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    yield from serve(tmp_path)


def test_keys_are_attributes_and_the_containers_cookie_is_the_only_one(client: Client) -> None:
    assert client.get("/set/a/1") == '[{"a": "1"}, true, 1800]'
    assert client.set_cookies == [f"JSESSIONID={client.cookie}; Path=/shop; HttpOnly; SameSite=Lax"]
    assert client.get("/inside/x") == '[{"a": "1", "list": ["x"]}, false, 1800]'
    assert client.get("/inside/y") == '[{"a": "1", "list": ["x", "y"]}, false, 1800]'
    assert client.set_cookies == []
    client.get("/flash")
    assert '"_f_": ["said"]' in client.get("/show")


def test_an_invalidated_session_is_ended_and_what_follows_is_another_one(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    assert client.get("/again").startswith('[{"user": "bob"}')
    assert client.cookie not in ("", old)
    client.get("/invalidate")
    assert client.set_cookies[0].startswith("JSESSIONID=; Max-Age=0;")
    client.cookie = old
    assert client.get("/show").startswith("[{}")
    client.get("/set/a/1")
    client.get("/clear")
    assert client.cookie == ""


def test_a_login_changes_the_id(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    assert client.get("/login").startswith('[{"a": "1"}')
    assert client.cookie not in ("", old)


def test_the_factorys_times_hold(tmp_path: Path) -> None:
    for client in serve(tmp_path, "timeout=60, max_age=120, secure=True"):
        client.get("/set/a/1")
        assert f"JSESSIONID={client.cookie}; Max-Age=120; " in client.set_cookies[0]
        assert "; Secure; " in client.set_cookies[0]
        assert client.get("/show") == '[{"a": "1"}, false, 60]'


def test_outside_the_container_it_is_the_same_in_this_process() -> None:
    from pyramid.testing import DummyRequest
    from webob import Response

    from catalina.contrib.pyramid import CatalinaSessionFactory

    factory = CatalinaSessionFactory(cookie_name="own", max_age=60)

    def ask(cookie: str | None = None, **values: object) -> tuple[dict[str, object], str | None]:
        request = DummyRequest(cookies={} if cookie is None else {"own": cookie})
        session = factory(request)
        session.update(values)
        response = Response()
        request._process_response_callbacks(response)
        return dict(session), response.headers.get("Set-Cookie")

    _, cookie = ask(a=[1])
    assert cookie is not None
    assert "; Max-Age=60; Path=/; " in cookie
    assert cookie.endswith("; HttpOnly; SameSite=Lax")
    shown, again = ask(cookie.partition("own=")[2].partition(";")[0])
    assert (shown, again) == ({"a": [1]}, None)
    with pytest.raises(NotReplicableError):
        ask(bad=iter(()))
