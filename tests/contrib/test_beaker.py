"""Beaker's ``environ["beaker.session"]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from tests.contrib.client import Client, serve_shop
from tests.support.frameworks import need_frameworks

need_frameworks()

MODULE = """
import json
from beaker.middleware import SessionMiddleware
from catalina.contrib.beaker import CatalinaSession

def shop(environ, start_response):
    session = environ["beaker.session"]
    facade = environ["catalina.session"]
    match environ["PATH_INFO"].strip("/").split("/"):
        case ["set", name, value]:
            session[name] = value
            session.save()
        case ["forget", name, value]: session[name] = value
        case ["inside", value]:
            session.setdefault("list", []).append(value)
            session.save()
        case ["revert"]:
            session["a"] = "changed"
            session.revert()
            session.save()
        case ["invalidate"]:
            session.invalidate()
            session["user"] = "bob"
            session.save()
        case ["delete"]: session.delete()
        case ["login"]: session.regenerate_id()
        case ["ended"]:
            session["late"] = 1
            facade.invalidate()
            session.save()
        case ["by", id]:
            session = CatalinaSession({}, id=id, use_cookies=False)
    start_response("200 OK", [])
    own = {name: value for name, value in session.items() if not name.startswith("_")}
    return [json.dumps([own, sorted(facade), facade.max_inactive_interval]).encode()]

app = SessionMiddleware(shop, {"session.session_class": CatalinaSession, {values}})
"""


def serve(tmp_path: Path, values: str = "") -> Iterator[Client]:
    return serve_shop(tmp_path, "beakershop", MODULE.replace("{values}", values))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    yield from serve(tmp_path)


def test_keys_are_attributes_and_the_containers_cookie_is_the_only_one(client: Client) -> None:
    assert client.get("/set/a/1") == '[{"a": "1"}, ["a"], 1800]'
    assert client.set_cookies == [f"JSESSIONID={client.cookie}; Path=/shop; HttpOnly; SameSite=Lax"]
    assert client.get("/inside/x") == '[{"a": "1", "list": ["x"]}, ["a", "list"], 1800]'
    assert client.get("/inside/y") == '[{"a": "1", "list": ["x", "y"]}, ["a", "list"], 1800]'
    assert client.set_cookies == []
    assert client.get("/show") == '[{"a": "1", "list": ["x", "y"]}, ["a", "list"], 1800]'


def test_what_is_not_saved_is_forgotten(client: Client) -> None:
    client.get("/forget/a/1")
    assert client.set_cookies == []
    client.get("/set/a/1")
    client.get("/forget/a/2")
    assert client.get("/show").startswith('[{"a": "1"}')
    client.get("/revert")
    assert client.get("/show").startswith('[{"a": "1"}')


def test_an_end_of_the_session_is_its_end(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/invalidate")
    assert client.cookie not in ("", old)
    assert client.get("/show").startswith('[{"user": "bob"}')
    client.get("/delete")
    assert client.set_cookies[0].startswith("JSESSIONID=; Max-Age=0;")
    for cookie in (old, client.cookie):
        client.cookie = cookie
        assert client.get("/show").startswith("[{},")


def test_a_session_that_ended_meanwhile_is_not_revived(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/ended")
    assert client.set_cookies == []
    client.cookie = old
    assert client.get("/show").startswith("[{},")


def test_a_login_changes_the_id_and_a_session_is_found_by_it(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/login")
    assert client.cookie not in ("", old)
    assert client.get(f"/by/{client.cookie}").startswith('[{"a": "1"}')
    assert client.get(f"/by/{old}").startswith("[{},")


def test_beakers_times_hold(tmp_path: Path) -> None:
    values = '"session.timeout": 60, "session.cookie_expires": 120, "session.auto": True, "session.secure": True'
    for client in serve(tmp_path, values):
        client.get("/forget/a/1")  # auto saves it
        assert f"JSESSIONID={client.cookie}; Max-Age=120; " in client.set_cookies[0]
        assert "; Secure; " in client.set_cookies[0]
        assert client.get("/show").endswith(', ["a", "org.apache.catalina.session.COOKIE_MAX_AGE"], 60]')


def ask(app: Any, cookie: str = "") -> str | None:
    sent: list[tuple[str, str]] = []
    app({"HTTP_COOKIE": cookie}, lambda status, headers, exc_info=None: sent.extend(headers))
    return next((value for name, value in sent if name.lower() == "set-cookie"), None)


def test_outside_the_container_it_is_the_same_in_this_process() -> None:
    from beaker.middleware import SessionMiddleware

    from catalina.contrib.beaker import CatalinaSession

    todo: list[Any] = []
    found: list[Any] = []

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        session = environ["beaker.session"]
        todo.pop(0)(session)
        found.append({name: value for name, value in session.items() if not name.startswith("_")})
        start_response("200 OK", [])
        return []

    app = SessionMiddleware(inner, {"session.session_class": CatalinaSession, "session.httponly": True})
    todo += [lambda session: (session.update(a=[1]), session.save())]
    first = ask(app)
    assert first is not None
    name, _, rest = first.partition("=")
    assert (name.strip(), rest.partition("; ")[2].lower()) == ("beaker.session.id", "httponly; path=/; samesite=lax")
    cookie = f"beaker.session.id={rest.partition(';')[0]}"
    todo += [lambda session: (session["a"].append(2), session.save()), lambda session: None]
    assert (ask(app, cookie), ask(app, cookie)) == (None, None)
    assert found[-1] == {"a": [1, 2]}
    todo += [lambda session: session.regenerate_id()]
    changed = ask(app, cookie)
    assert changed is not None
    cookie = changed.strip().partition(";")[0]
    todo += [lambda session: session.delete(), lambda session: None]
    assert "expires=" in (ask(app, cookie) or "").lower()
    ask(app, cookie)
    assert found[-1] == {}
    todo += [lambda session: (session.update(bad=iter(())), session.save())]
    with pytest.raises(NotReplicableError, match="bad"):
        ask(app)


@pytest.mark.parametrize(("expires", "seconds"), [(True, None), (False, 400 * 86400), (60, 60), (None, None)])
def test_cookie_expires_is_an_age(expires: object, seconds: int | None) -> None:
    from catalina.contrib.beaker import _seconds

    assert _seconds(expires) == seconds
    with pytest.raises(ValueError, match="cookie_expires"):
        _seconds("soon")
