from __future__ import annotations

from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.standard_host import StandardHost
from catalina.errors import InvalidSessionError
from catalina.util.session_cookie_config import SessionCookieConfig
from tests.connector.bare import BareContext, bare_connector
from tests.support.stand_in import stand_in


class Session:
    def __init__(self, session_id: str, manager: Manager) -> None:
        self.id = session_id
        self.manager = manager
        self.is_valid = self.alive = True
        self.events: list[str] = []
        self.attributes: dict[str, object] = {}

    def has_attribute(self, name: str) -> bool:
        return name in self.attributes

    def get_attribute(self, name: str) -> object:
        return self.attributes.get(name)

    def access(self) -> bool:
        self.events.append("access")
        return self.is_valid

    def end_access(self) -> None:
        self.events.append("end")


class Manager:
    def __init__(self, *ids: str) -> None:
        self.sessions = {session_id: Session(session_id, self) for session_id in ids}
        self.asked: list[str | None] = []

    def find_session(self, session_id: str) -> Session | None:
        return self.sessions.get(session_id)

    def create_session(self, session_id: str | None = None) -> Session:
        self.asked.append(session_id)
        return Session(session_id or "NEW", self)

    def change_session_id(self, session: Session, new_id: str | None = None) -> str:
        session.id = "CHANGED"
        self.sessions["CHANGED"] = session
        return session.id


def exchange(manager: Manager, requested: str | None = None, other: Manager | None = None, **cookie: Any) -> Any:
    context = BareContext(manager=manager, session_cookie=SessionCookieConfig(**cookie))
    request: Any = Request(ConnectionFacts(bare_connector()), "GET", "/shop/")
    request.context, request.context_path = context, "/shop"
    request.host = stand_in(StandardHost, contexts=[context, BareContext(manager=other)])
    nowhere: Any = None  # nothing is sent here
    request.response = Response(request, nowhere)
    request.requested_session_id = requested
    request.requested_session_id_from_cookie = requested is not None
    return request


def cookies(request: Any) -> Any:
    return request.response.get_headers("set-cookie")


def test_a_known_session_is_found_and_accessed_once():
    request = exchange(Manager("A"), "A")
    session = request.get_session()
    assert session is request.get_session()
    assert session.events == ["access"]
    assert cookies(request) == []
    request.end_access()
    assert session.events == ["access", "end"]


def test_asking_makes_no_session():
    manager = Manager()
    assert exchange(manager, "UNKNOWN").get_session(False) is None
    assert manager.asked == []


def test_a_new_session_gets_a_cookie_and_not_the_clients_id():
    manager = Manager()
    request = exchange(manager, "CHOSEN-BY-CLIENT")
    session = request.get_session()
    assert session.id == "NEW"
    assert manager.asked == [None]
    assert cookies(request) == ["JSESSIONID=NEW; Path=/shop; HttpOnly"]


def test_the_clients_id_is_taken_where_another_application_has_that_session():
    manager = Manager()
    request = exchange(manager, "SHARED", Manager("SHARED"), path="/")
    assert request.get_session().id == "SHARED"
    assert cookies(request) == ["JSESSIONID=SHARED; Path=/; HttpOnly"]


def test_a_session_that_ended_is_replaced():
    request = exchange(Manager("A"), "A")
    first = request.get_session()
    first.is_valid = first.alive = False
    assert request.get_session().id == "NEW"


def test_secure_requests_get_secure_cookies_and_settings_are_kept():
    request = exchange(Manager(), name="SHOP", domain="example.org", http_only=False, attributes={"SameSite": "Lax"})
    request.secure = True
    request.get_session()
    assert cookies(request) == ["SHOP=NEW; Domain=example.org; Path=/shop; Secure; SameSite=Lax"]


def test_no_cookie_where_cookies_are_switched_off():
    request = exchange(Manager(), cookie_tracking=False)
    request.get_session()
    assert cookies(request) == []


def test_a_changed_id_replaces_the_cookie():
    request = exchange(Manager())
    request.get_session()
    assert request.change_session_id() == "CHANGED"
    assert cookies(request) == ["JSESSIONID=CHANGED; Path=/shop; HttpOnly"]
    assert request.requested_session_id == "CHANGED"


def test_an_id_can_only_be_changed_where_there_is_a_session():
    with pytest.raises(InvalidSessionError):
        exchange(Manager()).change_session_id()


def test_no_session_can_be_made_when_the_head_has_left():
    request = exchange(Manager())
    request.response.committed = True
    with pytest.raises(InvalidSessionError):
        request.get_session()
    assert request.get_session(False) is None


def test_outside_of_an_application_there_is_no_session():
    assert Request(ConnectionFacts(bare_connector()), "GET", "/").get_session() is None


def test_the_cookies_age_is_what_the_application_said_for_the_session_and_the_operators_word_wins():
    manager = Manager("A")
    manager.sessions["A"].attributes["org.apache.catalina.session.COOKIE_MAX_AGE"] = 3600
    request = exchange(manager, "A")
    request.send_session_cookie()
    assert "JSESSIONID=A; Max-Age=3600; Expires=" in cookies(request)[0]
    request.change_session_id()
    assert "JSESSIONID=CHANGED; Max-Age=3600; Expires=" in cookies(request)[0]
    request = exchange(manager, "A", max_age=60)
    request.send_session_cookie()
    assert "JSESSIONID=CHANGED; Max-Age=60; Expires=" in cookies(request)[0]


def test_a_deleted_cookie_replaces_the_one_of_this_response_and_is_not_sent_to_who_has_none():
    request = exchange(Manager())
    request.delete_session_cookie()
    assert cookies(request) == []
    request.get_session()
    request.delete_session_cookie()
    assert cookies(request) == ["JSESSIONID=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Path=/shop; HttpOnly"]
    request = exchange(Manager("A"), "A")
    request.delete_session_cookie()
    assert len(cookies(request)) == 1


def test_a_request_can_switch_to_another_session_of_the_application():
    manager = Manager("A", "B")
    request = exchange(manager, "A")
    assert request.get_session().id == "A"
    request.switch_session("B")
    assert request.get_session().id == "B"
    assert manager.sessions["A"].events == ["access", "end"]
    assert [cookie.partition(";")[0] for cookie in cookies(request)] == ["JSESSIONID=B"]
