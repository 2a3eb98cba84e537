from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalina.errors import LimitError
from catalina.session.standard_session import StandardSession
from catalina.util.session_cookie_config import SessionCookieConfig
from tests.connector.bare import BareContext
from tests.connector.serving import Client, Container, Found, serving
from tests.support.stand_in import stand_in


def show(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{environ['QUERY_STRING']}".encode()]


class Managers:
    """A manager that knows some session ids."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    def find_session(self, session_id: str) -> Any:
        return stand_in(StandardSession, is_valid=True) if session_id in self.ids else None


def prepare_with(change: Any) -> Any:
    return lambda connector, container: change(container)


def mapped(container: Container, **changes: Any) -> Found:
    return replace(container.found("", "/", None), **changes)


def requested(fields: list[str], path: str = "/", **cookie: Any) -> Any:
    """Session id, from cookie, from URL: what the application's valve sees."""
    seen: list[Any] = []

    def change(container: Container) -> None:
        container.context.session_cookie = SessionCookieConfig(**cookie)
        container.context.manager = Managers("GOOD")
        container.valve.before = lambda request, response: seen.append(
            (
                request.requested_session_id,
                request.requested_session_id_from_cookie,
                request.requested_session_id_from_url,
            )
        )

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        assert client.get(path, *fields).status == 200
    return seen[0]


def test_the_session_id_comes_from_the_cookie_or_the_url():
    assert requested([]) == (None, False, False)
    assert requested(["Cookie: JSESSIONID=A.n1"]) == ("A.n1", True, False)
    assert requested([], "/x;jsessionid=B") == ("B", False, True)
    assert requested(["Cookie: JSESSIONID=A"], "/x;jsessionid=B") == ("A", True, False)


def test_of_several_cookies_the_valid_one_counts():
    assert requested(["Cookie: JSESSIONID=OLD; JSESSIONID=GOOD"]) == ("GOOD", True, False)
    assert requested(["Cookie: JSESSIONID=OLD; JSESSIONID=OTHER"]) == ("OTHER", True, False)


def test_more_cookies_than_allowed_are_400():
    many = "; ".join(f"c{number}=1" for number in range(5))
    with serving(show, maxCookieCount="4") as connector, Client(connector) as client:
        assert client.get("/", f"Cookie: {many}").status == 400
        assert client.is_closed


def test_ways_that_the_application_has_switched_off_do_not_count():
    assert requested(["Cookie: JSESSIONID=A"], cookie_tracking=False) == (None, False, False)
    assert requested([], "/x;jsessionid=B", url_tracking=False) == (None, False, False)
    assert requested(["Cookie: SHOP=A"], name="SHOP") == ("A", True, False)


def test_a_context_path_without_its_slash_is_redirected_with_query_and_session():
    def change(container: Container) -> None:
        container.find = lambda host, path, version: mapped(container, redirect_path="/shop/", context_path="/shop")

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        answer = client.get("/shop;jsessionid=B?a=1")
        assert (answer.status, answer.get("location")) == (302, "/shop/;jsessionid=B?a=1")


@pytest.mark.parametrize(
    ("uri", "script"),
    [
        ("/shop/x", "/shop"),
        ("/%73hop/x", "/%73hop"),
        ("/y/../shop/x", "/y/../shop"),
        ("/shop;v=1/x", "/shop"),
        ("/%73hop;v=1/x", "/%73hop"),
    ],
)
def test_the_context_path_is_as_the_client_writes_it(uri, script):
    seen: list[str] = []

    def change(container: Container) -> None:
        container.find = lambda host, path, version: mapped(container, context_path="/shop", servlet_path="/x")
        container.valve.before = lambda request, response: seen.append(request.context_path)

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        assert client.get(uri).status == 200
    assert seen == [script]


def test_a_session_stays_with_its_version_of_the_application():
    asked: list[str | None] = []

    def change(container: Container) -> None:
        old = BareContext(**{**vars(container.context), "web_app_version": "1", "manager": Managers("GOOD")})
        new = BareContext(**{**vars(container.context), "web_app_version": "2", "manager": Managers()})

        def find(host: str, path: str, version: str | None = None) -> Any:
            asked.append(version)
            return mapped(container, context=old if version == "1" else new, contexts=(new, old))

        container.find = find

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        client.get("/")
        client.get("/", "Cookie: JSESSIONID=GOOD")
    assert asked == [None, None, "1"]


def test_a_request_waits_for_a_reload():
    def change(container: Container) -> None:
        paused = BareContext(**{**vars(container.context), "paused": True})
        answers = [paused, paused, container.context]

        def find(host: str, path: str, version: str | None = None) -> Any:
            return mapped(container, context=answers.pop(0) if len(answers) > 1 else answers[0])

        container.find = find

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        assert client.get("/").status == 200


def test_options_of_the_whole_server_are_answered_here():
    with serving(show) as connector, Client(connector) as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().get("allow") == "GET, HEAD, POST, PUT, DELETE, OPTIONS"


def test_trace_reaches_the_application_only_where_it_is_allowed():
    for allowed, status in (("true", 200), ("false", 405)):
        with serving(show, allowTrace=allowed) as connector, Client(connector) as client:
            client.send(b"TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.answer().status == status


@pytest.mark.parametrize(("fault", "status"), [(RuntimeError("broken valve"), 500), (LimitError("too many"), 400)])
def test_a_fault_in_a_valve_is_an_answer_and_not_the_end(fault, status):
    def change(container: Container) -> None:
        def fail(request: Any, response: Any) -> None:
            if request.decoded_uri == "/bad":
                raise fault

        container.valve.before = fail

    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        assert client.get("/bad").status == status
    with serving(show, prepare_with(change)) as connector, Client(connector) as client:
        assert client.get("/good").status == 200


def test_every_request_is_logged_once():
    containers: list[Container] = []
    with (
        serving(show, lambda connector, container: containers.append(container)) as connector,
        Client(connector) as client,
    ):
        for path in ("/a", "/%zz"):
            client.get(path)
    assert [response.status for _, response in containers[0].logged] == [200, 400]
