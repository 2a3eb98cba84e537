"""Contexts and services in a process that is one of several of the node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.core.node_role import Elsewhere
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.lifecycle import LifecycleEvent
from catalina.session.manager import Manager
from catalina.session.standard_manager import StandardManager


class Role:
    """A role that says what it was asked."""

    deploys = True
    listens = True
    runs_one = False
    index = 0

    def accepts(self, worker: int) -> bool:
        return False

    def __init__(self, *, runs_applications: bool, serves: bool, others_serve: bool = True) -> None:
        self._runs_applications = runs_applications
        self.serves = serves
        self.others_serve = others_serve
        self.asked: list[Manager | None] = []
        self.drained: list[bool | None] = []

    @property
    def elsewhere(self) -> Elsewhere | None:
        return None

    def runs(self, context: StandardContext) -> bool:
        return self._runs_applications

    def may_run_elsewhere(self, context: StandardContext) -> bool:
        return self.others_serve

    def reload(self, context: StandardContext, by_command: bool) -> bool:
        return False

    def stand_in(self, wrapper: object, servlet: object) -> None:
        return None

    def has_group_manager(self, context: StandardContext) -> bool:
        return False

    def manager_for(self, context: StandardContext, declared: Manager | None) -> Manager:
        self.asked.append(declared)
        return StandardManager(pathname="")

    is_draining = False

    def drain(self, draining: bool | None) -> int:
        self.drained.append(draining)
        return 7

    def change_workers(self, more: int) -> int:
        return 2 + more

    def state(self, kind: type[Any], name: str) -> Any:
        return kind()

    def note_connections(self) -> None:
        """Nobody asks."""

    def may_accept(self) -> bool:
        return True


@pytest.fixture
def server(tmp_path: Path) -> StandardServer:
    server = StandardServer(port=-1)
    server.catalina_base = tmp_path
    (tmp_path / "webapps" / "shop").mkdir(parents=True)
    service = StandardService(name="Catalina")
    engine = StandardEngine(name="Catalina", default_host="localhost")
    server.add_service(service)
    service.set_engine(engine)
    engine.add_child(StandardHost(name="localhost"))
    return server


def context_in(server: StandardServer) -> StandardContext:
    context = StandardContext(name="/shop", path="/shop", doc_base="shop")

    def configure(event: LifecycleEvent) -> None:
        if event.type == "configure_start":
            context.configured = True

    context.document_root = server.catalina_base / "webapps" / "shop"
    context.add_lifecycle_listener(configure)
    engine = server.services[0].engine
    assert engine is not None
    engine.children[0].add_child(context)
    return context


def test_a_process_that_runs_no_applications_has_their_sessions_only(server: StandardServer) -> None:
    server.role = role = Role(runs_applications=False, serves=False)
    context = context_in(server)
    context.listener_names = ["no.such.module:Listener"]
    context.start()
    assert not context.loader.state.available
    assert isinstance(context.manager, StandardManager)
    assert context.manager.state.available
    assert role.asked == [None]
    context.stop()


def test_a_manager_stays_over_a_reload(server: StandardServer) -> None:
    server.role = role = Role(runs_applications=True, serves=True)
    context = context_in(server)
    context.start()
    before = context.manager
    context.stop()
    context.start()
    assert context.manager is before
    assert len(role.asked) == 1
    context.stop()


def test_a_process_that_does_not_serve_starts_no_connector(server: StandardServer) -> None:
    server.role = Role(runs_applications=False, serves=False)
    connector = Connector(port=0)
    server.services[0].add_connector(connector)
    server.start()
    try:
        assert not connector.state.available
    finally:
        server.stop()
        server.destroy()


def test_a_port_that_others_go_on_serving_stays_open() -> None:
    connector = Connector(port=0)
    role = Role(runs_applications=True, serves=True, others_serve=True)
    service: Any = StandardService(name="Catalina")
    StandardServer(port=-1).add_service(service)
    service.add_connector(connector)
    assert not connector.others_accept
    service.server.role = role
    assert connector.others_accept
    role.others_serve = False
    assert not connector.others_accept


def test_a_keeper_drains_the_node_by_its_role(server: StandardServer) -> None:
    role = server.role = Role(runs_applications=False, serves=False)
    server.drain(True)
    assert role.drained == [True]
    assert server.node_requests == 7
    role.is_draining = True
    assert server.draining
