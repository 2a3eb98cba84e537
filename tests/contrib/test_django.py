"""Django's ``request.session`` in the container. Django's own suite: ``test_upstream.py``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contrib.client import Client
from tests.core.node import Node, web_xml
from tests.support.frameworks import need_frameworks

need_frameworks()

#: A process has one Django, and one Django one project: all tests here share it.
FILES: dict[str, str | bytes] = {
    "WEB-INF/web.xml": web_xml(
        "<distributable/><servlet><servlet-name>s</servlet-name><servlet-class>djshop.wsgi:application</servlet-class>"
        "</servlet><servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    ),
    "WEB-INF/classes/djshop/__init__.py": "",
    "WEB-INF/classes/djshop/settings.py": """
SECRET_KEY = "test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "djshop.urls"
SESSION_ENGINE = "catalina.contrib.django"
SESSION_COOKIE_NAME = "own"
SESSION_COOKIE_AGE = 7200
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
USE_TZ = True
""",
    "WEB-INF/classes/djshop/wsgi.py": """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djshop.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
    "WEB-INF/classes/djshop/urls.py": """
from django.urls import path
from djshop import views
urlpatterns = [
    path("asynchronous", views.asynchronous),
    path("<str:name>/<path:rest>", views.dispatch),
    path("<str:name>", views.dispatch),
]
""",
    "WEB-INF/classes/djshop/views.py": """
import threading
from datetime import timedelta
from django.http import HttpResponse, JsonResponse
from importlib import import_module
from django.conf import settings

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

def dispatch(request, name, rest=""):
    return globals()[name](request, *[part for part in rest.split("/") if part])

def text(value):
    return HttpResponse(str(value))

def set(request, name, value):
    request.session[name] = value
    return text("set")

def show(request):
    return JsonResponse(dict(request.session.items()))

def key(request):
    return text(request.session.session_key)

def none(request):
    return text("nothing of a session")

def append(request, value, status="200"):
    request.session.setdefault("list", []).append(value)
    return HttpResponse(str(request.session["list"]), status=int(status))

def inside(request, value, status="200"):
    request.session["list"].append(value)
    return HttpResponse(str(request.session["list"]), status=int(status))

def container(request):
    facade = request.environ["catalina.session"]
    return text([sorted(facade), facade.max_inactive_interval, facade.get("list")])

def cycle(request):
    request.session.cycle_key()
    return text(request.session.session_key)

def flush(request):
    request.session.flush()
    return text(request.session.session_key)

def relogin(request):
    request.session.flush()
    request.session["user"] = "bob"
    return text("again")

def delete(request, name):
    del request.session[name]
    return text("gone")

def expiry(request, seconds):
    request.session.set_expiry(None if seconds == "none" else int(seconds))
    return text(request.session.get_expiry_age())

def until(request, seconds):
    request.session.set_expiry(timedelta(seconds=int(seconds)))
    return text("set")

def ended_meanwhile(request):
    request.session["late"] = 1
    request.environ["catalina.session"].invalidate()
    return text("too late")

def bad(request):
    request.session["bad"] = iter(())
    return text("never")

def number(request):
    request.session[1] = "one"
    return text("never")

async def asynchronous(request):
    await request.session.aset("a", "async")
    await request.session.acycle_key()
    return text(await request.session.aget("a"))

def other(request, key):
    store = SessionStore(key)
    store["sent"] = "by another"
    store.save()
    return text(store.exists(key))

def end(request, key):
    SessionStore(key).delete()
    return text("ended")

def thread(request, key):
    found = []
    worker = threading.Thread(target=lambda: found.append(dict(SessionStore(key).items())))
    worker.start()
    worker.join()
    return JsonResponse(found[0])

def new(request):
    store = SessionStore()
    store["of"] = "nobody"
    store.create()
    return text(store.session_key)

def other_session(request):
    request.session = SessionStore()
    request.session["of"] = "another"
    return text("switched")

def every(request, on):
    settings.SESSION_SAVE_EVERY_REQUEST = bool(int(on))
    return text(request.session.get("a"))

def create(request):
    if not request.session.session_key:
        request.session.create()
    return text(request.session.session_key)
""",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("django"))
    node.add("shop", FILES)
    with node:
        yield node


@pytest.fixture
def client(node: Node) -> Client:
    return Client(node)


def test_keys_are_attributes_and_the_containers_cookie_is_the_only_one(client: Client) -> None:
    client.get("/set/cart/tea")
    [cookie] = client.set_cookies
    assert cookie.startswith(f"JSESSIONID={client.get('/key')}; Max-Age=7200; Expires=")
    assert cookie.endswith("; Path=/shop; HttpOnly; SameSite=Lax")
    assert client.get("/show") == '{"cart": "tea"}'
    assert client.set_cookies == []
    assert client.answer.get("Vary") == "Cookie"
    client.get("/none")
    assert client.answer.get("Vary") is None
    assert client.get("/container").startswith("[['cart', 'org.apache.catalina.session.COOKIE_MAX_AGE'], 7200,")


def test_a_change_inside_a_value_is_saved_without_a_flag_and_not_with_an_error(client: Client) -> None:
    assert client.get("/append/a") == "['a']"
    assert client.get("/inside/b") == "['a', 'b']"
    assert client.get("/container").endswith("['a', 'b']]")
    for status in (500, 503):
        assert client.get(f"/inside/never/{status}") == "['a', 'b', 'never']"
        assert client.answer.status == status
    assert client.get("/inside/c/404") == "['a', 'b', 'c']"
    assert client.get("/show") == '{"list": ["a", "b", "c"]}'


def test_an_error_makes_no_session(client: Client) -> None:
    client.get("/append/a/500")
    assert client.set_cookies == []


def test_cycle_key_changes_the_id_and_keeps_the_data(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    assert client.get("/cycle") == client.cookie != old
    assert client.get("/show") == '{"a": "1"}'
    client.cookie = old
    assert client.get("/show") == "{}"


def test_flush_ends_the_session_and_deletes_the_cookie(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    assert client.get("/flush") == "None"
    assert client.set_cookies[0].startswith("JSESSIONID=; Max-Age=0;")
    client.cookie = old
    assert client.get("/show") == "{}"
    assert client.set_cookies == []  # a cookie of nobody's session may be another application's
    client.get("/set/a/1")
    before = client.cookie
    client.get("/relogin")
    assert client.cookie not in ("", before)
    assert client.get("/show") == '{"user": "bob"}'


def test_an_emptied_session_stays(client: Client) -> None:
    client.get("/set/a/1")
    before = client.cookie
    client.get("/delete/a")
    assert (client.cookie, client.get("/show")) == (before, "{}")


def test_expiry_is_the_interval_and_the_cookies_age(client: Client) -> None:
    client.get("/set/a/1")
    assert client.get("/expiry/60") == "60"
    assert "; Max-Age=60; " in client.set_cookies[0]
    assert ", 60, " in client.get("/container")
    assert client.get("/expiry/0") == "7200"
    assert "Max-Age" not in client.set_cookies[0]
    assert ", 7200, " in client.get("/container")
    client.get("/until/3600")
    assert ", 3600, " in client.get("/container") or ", 3599, " in client.get("/container")
    assert client.get("/expiry/none") == "7200"
    client.get("/until/-1")
    assert client.get("/show") == "{}"


def test_a_session_that_ended_meanwhile_is_not_revived(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/ended_meanwhile")
    assert client.answer.status == 400
    client.cookie = old
    assert client.get("/show") == "{}"


def test_what_cannot_travel_is_refused_where_it_is_set(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/bad") and client.answer.status == 500  # noqa: PT018
    assert client.get("/number") and client.answer.status == 500  # noqa: PT018
    said = " ".join(record.exc_text or "" for record in caplog.records)
    assert "NotReplicableError: bad" in said
    assert "TypeError: a session attribute's name must be str, got 1" in said


def test_asynchronous_views_use_the_same_session(client: Client) -> None:
    assert client.get("/asynchronous") == "async"
    assert client.get("/show") == '{"a": "async"}'


def test_a_store_with_a_key_is_that_session_in_any_thread(client: Client, node: Node) -> None:
    client.get("/set/a/1")
    key = client.cookie
    other = Client(node)
    assert other.get(f"/other/{key}") == "True"
    assert other.set_cookies == []
    assert client.get("/show") == '{"a": "1", "sent": "by another"}'
    assert other.get(f"/thread/{key}") == '{"a": "1", "sent": "by another"}'
    other.get(f"/end/{key}")
    assert client.get("/show") == "{}"
    made = other.get("/new")
    assert other.set_cookies == []
    assert other.get(f"/thread/{made}") == '{"of": "nobody"}'


def test_a_store_in_the_place_of_the_requests_is_its_session_from_now_on(client: Client) -> None:
    client.get("/set/a/1")
    old = client.cookie
    client.get("/other_session")
    assert client.cookie not in ("", old)
    assert len(client.set_cookies) == 1
    assert client.get("/show") == '{"of": "another"}'
    client.cookie = old
    assert client.get("/show") == '{"a": "1"}'


def test_session_save_every_request_sends_the_cookie_with_every_answer(client: Client) -> None:
    client.get("/set/a/1")
    assert client.get("/every/1") == "1"
    assert client.set_cookies[0].startswith(f"JSESSIONID={client.cookie}; Max-Age=7200; ")
    client.get("/every/0")
    assert client.set_cookies == []


def test_a_store_outside_of_a_request_has_the_manager_tell_the_other_nodes(
    client: Client, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/set/a/1")
    manager = node.host.children[0].manager  # type: ignore[attr-defined]  # it is a context
    told: list[str] = []
    monkeypatch.setattr(manager, "request_completed", lambda session, request: told.append(session.id))
    Client(node).get(f"/other/{client.cookie}")
    assert told == [client.cookie]


def test_a_created_session_has_its_cookie_and_is_made_once(client: Client) -> None:
    assert client.get("/key") == "None"
    key = client.get("/create")
    assert client.cookie == key
    assert client.get("/create") == key


def test_a_setting_that_is_the_containers_is_named_once(
    tmp_path: Path, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    context: Any = node.host.children[0]
    with caplog.at_level(logging.WARNING):
        context.reload()
        client = Client(node)
        client.get("/set/a/1")
        client.get("/show")
    said = [record.message for record in caplog.records if "has no effect" in record.message]
    assert len(said) == 1
    assert "SESSION_COOKIE_NAME='own' has no effect" in said[0]
