from __future__ import annotations

from typing import Any

import pytest

from catalina.ha.session.jvm_route_binder_valve import DEFAULT_ATTRIBUTE, HOWTO_ATTRIBUTE, JvmRouteBinderValve
from catalina.util.session_cookie_config import SessionCookieConfig
from tests.ha.support import Node, two_nodes


class FakeResponse:
    committed = False

    def __init__(self) -> None:
        self.cookies: list[tuple[str, str]] = []

    def add_cookie(self, name: str, value: str, **attributes: Any) -> None:
        self.cookies.append((name, value))


class FakeRequest:
    secure = False
    context_path = "/app"
    session = None

    def __init__(self, node: Node, session_id: str | None) -> None:
        context: Any = node.context
        context.manager, context.path, context.session_cookie = node.manager, "/app", SessionCookieConfig()
        self.context = context
        self.requested_session_id = session_id
        self.attributes: dict[str, Any] = {}
        self.response = FakeResponse()


class Rest:
    def invoke(self, request: Any, response: Any) -> None:
        request.served = request.requested_session_id


def serve(valve: JvmRouteBinderValve, request: FakeRequest) -> FakeRequest:
    valve.next = Rest()  # type: ignore[assignment]
    valve.invoke(request, request.response)  # type: ignore[arg-type]
    return request


def shared(a: Node, b: Node) -> str:
    session = a.manager.create_session()
    session.set_attribute("n", 1)
    a.request(session)
    assert session.id.endswith(".node1")
    return str(session.id)


def test_after_a_failover_the_id_has_this_nodes_route_everywhere() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    request = serve(JvmRouteBinderValve(), FakeRequest(b, old_id))
    new_id = old_id.replace(".node1", ".node2")
    assert request.served == new_id  # type: ignore[attr-defined]
    assert request.response.cookies == [("JSESSIONID", new_id)]
    assert a.manager.find_session(new_id).get_attribute("n") == 1
    assert b.manager.find_session(new_id).is_primary
    assert request.attributes == {DEFAULT_ATTRIBUTE: old_id, HOWTO_ATTRIBUTE: old_id}


def test_a_second_request_with_the_old_id_follows() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    valve = JvmRouteBinderValve()
    serve(valve, FakeRequest(b, old_id))
    request = serve(valve, FakeRequest(b, old_id))
    assert request.response.cookies == [("JSESSIONID", old_id.replace(".node1", ".node2"))]
    assert valve.number_of_sessions == 1


def test_a_late_request_to_the_first_node_takes_the_session_back() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    serve(JvmRouteBinderValve(), FakeRequest(b, old_id))
    request = serve(JvmRouteBinderValve(), FakeRequest(a, old_id))
    assert request.requested_session_id == old_id
    for node in (a, b):
        assert node.manager.find_session(old_id).get_attribute("n") == 1
        assert node.manager.active_sessions == 1


def test_an_id_from_before_a_login_is_not_followed() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    a.manager.change_session_id(a.manager.find_session(old_id))
    for node in (a, b):
        request = serve(JvmRouteBinderValve(), FakeRequest(node, old_id))
        assert request.requested_session_id == old_id
        assert node.manager.find_session(old_id) is None


@pytest.mark.parametrize("session_id", [None, "", "ABC", ".node1", "ABC.node2", "UNKNOWN.node1"])
def test_nothing_happens_to_ids_without_another_nodes_route_or_session(session_id: str | None) -> None:
    _, _, b = two_nodes()
    request = serve(JvmRouteBinderValve(), FakeRequest(b, session_id))
    assert request.requested_session_id == session_id
    assert request.response.cookies == []


def test_it_can_be_switched_off() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    request = serve(JvmRouteBinderValve(enabled=False), FakeRequest(b, old_id))
    assert request.requested_session_id == old_id


def test_the_attribute_with_the_old_id_can_be_named_and_left_out() -> None:
    _, a, b = two_nodes()
    for name, expected in (("old", True), ("", False)):
        old_id = shared(a, b)
        request = serve(JvmRouteBinderValve(session_id_attribute=name), FakeRequest(b, old_id))
        assert request.attributes == ({"old": old_id} if expected else {})


def test_an_application_that_is_not_distributable_is_left_alone() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    b.context.distributable = False
    assert serve(JvmRouteBinderValve(), FakeRequest(b, old_id)).requested_session_id == old_id


def test_start_and_stop_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    valve = JvmRouteBinderValve()
    valve.start()
    valve.stop()
    assert "JvmRouteBinderValve started" in caplog.text
    assert "clustering is not being used" in caplog.text
    assert "JvmRouteBinderValve stopped" in caplog.text


def test_a_session_of_another_worker_of_this_node_keeps_its_route() -> None:
    _, a, b = two_nodes()
    old_id = shared(a, b)
    request = FakeRequest(b, old_id)
    request.context.routes = frozenset({"node1"})
    assert serve(JvmRouteBinderValve(), request).served == old_id  # type: ignore[attr-defined]
    assert request.response.cookies == []
    request.context.routes = frozenset()  # that worker has gone
    assert serve(JvmRouteBinderValve(), request).served.endswith(".node2")  # type: ignore[attr-defined]
