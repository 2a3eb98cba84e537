"""A context and a clock for tests of managers; no server is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from catalina.core.standard_context import StandardContext
from catalina.errors import NamingError
from catalina.lifecycle import LifecycleState
from catalina.place import Place


class FakeClock:
    """Seconds since the epoch that move when told."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class FakeLoader:
    """An application whose modules are those that match a pattern."""

    def __init__(self, own: str = r"tests\..*") -> None:
        self.own = re.compile(own)

    def is_application_module(self, name: str) -> bool:
        return self.own.fullmatch(name) is not None

    def allows_class(self, name: str) -> bool:
        module = name.rpartition(".")[0]
        while module and not self.is_application_module(module):
            module = module.rpartition(".")[0]
        return bool(module)

    def load_imported(self, name: str) -> bool:
        return False

    def bound(self) -> nullcontext[None]:
        return nullcontext()


class FakeContext:
    """The part of a context that managers use."""

    def __init__(self, name: str = "/app", parent: Any = None, work_dir: Path | None = None, **values: Any) -> None:
        self.name = name
        self.parent = self.host = parent or FakeHost()
        engine = self.host.parent or FakeEngine()
        self.host_path = f"{engine.name}/{self.host.name}"
        self.jvm_route_of_engine = engine.jvm_route
        self.state = LifecycleState.STARTED
        self.work_path = work_dir or Path()
        self.session_timeout = 30
        self.listeners: list[object] = []
        self.loader: Any = FakeLoader()
        self.server: Any = None
        self.paused = False
        self.distributable = True
        self.session_cookie_path_uses_trailing_slash = False
        self.container_events: list[tuple[str, Any]] = []
        #: Routes of other workers of this node.
        self.routes: frozenset[str] = frozenset()
        for key, value in values.items():
            setattr(self, key, value)

    def fire_container_event(self, kind: str, data: object = None) -> None:
        self.container_events.append((kind, data))

    def serves_route(self, route: str) -> bool:
        return route in self.routes

    def lookup(self, name: str) -> Any:
        raise NamingError(f"the application of this test has no [{name}]")

    def make_data_source(self, label: str, properties: Mapping[str, str], place: Place | None) -> Any:
        """As a Context makes it."""
        return StandardContext().make_data_source(label, properties, place)


class FakeEngine:
    """The top of the tree, with a jvmRoute."""

    def __init__(self, name: str = "Catalina", jvm_route: str = "") -> None:
        self.name = name
        self.jvm_route = jvm_route
        self.parent = None
        self.default_host = "localhost"


class FakeHost:
    """Between context and engine."""

    def __init__(self, name: str = "localhost", parent: Any = None) -> None:
        self.name = name
        self.parent = parent


class Recorder:
    """A session listener that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def session_created(self, event: Any) -> None:
        self.heard.append(("created", event.session.id))

    def session_destroyed(self, event: Any) -> None:
        self.heard.append(("destroyed", event.session.id, dict(event.session)))

    def session_id_changed(self, event: Any, old_id: str) -> None:
        self.heard.append(("id", old_id, event.session.id))

    def session_attribute_added(self, event: Any) -> None:
        self.heard.append(("added", event.name, event.value))

    def session_attribute_removed(self, event: Any) -> None:
        self.heard.append(("removed", event.name, event.value))

    def session_attribute_replaced(self, event: Any) -> None:
        self.heard.append(("replaced", event.name, event.value))
