"""The events that listeners get."""

from __future__ import annotations

from pathlib import Path

from catalina.core.application_context import ApplicationContext
from catalina.core.application_events import ContextAttributeEvent, RequestEvent
from catalina.core.standard_context import StandardContext
from tests.valves.exchange import make_request


def test_a_request_event_gives_the_attributes_that_the_environ_will_have(tmp_path: Path) -> None:
    request, _ = make_request("/x")
    event = RequestEvent(ApplicationContext(StandardContext()), request)
    event.attributes["shop.user"] = "alice"
    assert request.build_environ()["shop.user"] == "alice"


def test_an_attribute_event_names_the_attribute() -> None:
    event = ContextAttributeEvent(ApplicationContext(StandardContext()), "a", 1)
    assert (event.name, event.value) == ("a", 1)
