"""Listeners of an application, from its start to its stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.application_context import ApplicationContext
from catalina.core.application_listeners import ContextAttributeEvent, RequestEvent
from catalina.core.standard_context import StandardContext
from catalina.lifecycle import LifecycleState
from tests.core.node import Node, web_xml
from tests.valves.exchange import make_request

MODULE = """
heard = []

class Listener:
    def __init__(self): self.name = type(self).__name__
    def context_initialized(self, event): heard.append(f"{self.name} start {event.context.init_parameters['p']}")
    def context_destroyed(self, event): heard.append(f"{self.name} stop")
    def request_initialized(self, event): event.attributes["request.tag"] = "tagged"; heard.append("in")
    def request_destroyed(self, event): heard.append("out")
    def context_attribute_added(self, event): heard.append(f"+{event.name}={event.value}")
    def context_attribute_replaced(self, event): heard.append(f"~{event.name}={event.value}")
    def context_attribute_removed(self, event): heard.append(f"-{event.name}={event.value}")

class Second:
    def context_initialized(self, event): heard.append("second start")
    def context_destroyed(self, event): heard.append("second stop")

class Failing:
    def context_initialized(self, event): raise ValueError("no")

class BadRequest:
    def request_initialized(self, event): raise ValueError("no request")

def function(event): heard.append("function")

def application(environ, start_response):
    attributes = environ["catalina.context"].attributes
    attributes["a"] = 1
    attributes["a"] = 2
    del attributes["a"]
    start_response("200 OK", [])
    return [f"{environ.get('request.tag')} {','.join(heard)}".encode()]
"""


def files(*listeners: str) -> dict[str, str | bytes]:
    named = "".join(f"<listener><listener-class>heard_app:{name}</listener-class></listener>" for name in listeners)
    inner = (
        "<context-param><param-name>p</param-name><param-value>v</param-value></context-param>"
        f"{named}<servlet><servlet-name>s</servlet-name><servlet-class>heard_app:application</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    return {"WEB-INF/web.xml": web_xml(inner), "WEB-INF/classes/heard_app.py": MODULE}


def test_listeners_hear_everything_in_order(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files("Listener", "Second", "function"))
    with node:
        body = node.ask("/shop/").body.decode()
        heard = context.loader.load("heard_app:heard")
    assert body == "tagged Listener start v,second start,function,in,+a=1,~a=1,-a=2"
    assert heard[-3:] == ["out", "second stop", "Listener stop"]


@pytest.mark.parametrize("listener", ["Failing", "Missing"])
def test_an_application_whose_listener_fails_does_not_run(
    tmp_path: Path, listener: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files(listener))
    with node:
        assert context.state is LifecycleState.FAILED
    assert "One or more Listeners failed to start" in caplog.text
    assert "Context [/shop] startup failed due to previous errors" in caplog.text


def test_a_request_listener_that_fails_makes_a_500(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", files("BadRequest"))
    with node:
        answer = node.ask("/shop/")
    assert answer.status == 500
    assert b"no request" in answer.body


def test_a_request_event_gives_the_attributes_that_the_environ_will_have(tmp_path: Path) -> None:
    request, _ = make_request("/x")
    event = RequestEvent(ApplicationContext(StandardContext()), request)
    event.attributes["shop.user"] = "alice"
    assert request.build_environ()["shop.user"] == "alice"


def test_an_attribute_event_names_the_attribute() -> None:
    event = ContextAttributeEvent(ApplicationContext(StandardContext()), "a", 1)
    assert (event.name, event.value) == ("a", 1)
