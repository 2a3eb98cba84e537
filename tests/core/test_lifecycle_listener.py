from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from catalina.attributes import Component, Element
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.digester.digester import Digester
from catalina.digester.substitution import Substitution
from catalina.lifecycle import Lifecycle, LifecycleEvent


def test_a_listener_is_told_the_events_of_what_it_listens_to() -> None:
    class Recorder(LifecycleListener):
        def lifecycle_event(self, event: LifecycleEvent) -> None:
            seen.append(event.type)

    seen: list[str] = []
    component = Lifecycle()
    component.add_lifecycle_listener(Recorder())
    component.init()
    assert seen == ["before_init", "after_init"]


class Called(Component):
    """A listener that is nothing but callable."""

    events: ClassVar[list[tuple[str, str]]] = []

    def __call__(self, event: LifecycleEvent) -> None:
        self.events.append((type(event.source).__name__, event.type))


class Mute(Component):
    """A component that cannot be called."""


PARTS = {
    "Server": "org.apache.catalina.core.StandardServer",
    "Service": "org.apache.catalina.core.StandardService",
    "Engine": "org.apache.catalina.core.StandardEngine",
    "Host": "org.apache.catalina.core.StandardHost",
    "Context": "org.apache.catalina.core.StandardContext",
    "Connector": "org.apache.catalina.connector.Connector",
    "Cluster": "org.apache.catalina.ha.tcp.SimpleTcpCluster",
}


def digested(tmp_path: Path, part: str, listener: type[Component]) -> tuple[Any, str]:
    file = tmp_path / "server.xml"
    file.write_text(f'<{part}><Listener className="{__name__}.{listener.__name__}"/></{part}>')
    digester = Digester(Substitution([]))
    root: Any = Element(add=lambda parent, child: None, default=PARTS[part])
    component = digester.parse(file, roots={part: root}).component
    return component, "\n".join(str(finding) for finding in digester.findings)


@pytest.mark.parametrize("part", PARTS)
def test_a_callable_listens_wherever_a_listener_may_stand(tmp_path: Path, part: str) -> None:
    component, said = digested(tmp_path, part, Called)
    assert said == ""
    component.fire_lifecycle_event("periodic")
    assert Called.events.pop() == (type(component).__name__, "periodic")


@pytest.mark.parametrize("part", PARTS)
def test_an_object_that_cannot_be_called_listens_nowhere_and_is_said(tmp_path: Path, part: str) -> None:
    component, said = digested(tmp_path, part, Mute)
    assert f"{__name__}.Mute is not a Callable" in said
    assert component.lifecycle_listeners == ()
