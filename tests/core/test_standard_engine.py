"""The engine and its hosts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from catalina.core.container_base import ContainerBase
from catalina.core.node_role import NodeRole
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.errors import LifecycleError
from catalina.util.server_info import SERVER_INFO
from tests.core.node import Node
from tests.support.stand_in import stand_in


def test_children_of_an_engine_are_hosts() -> None:
    with pytest.raises(LifecycleError, match="Child of an Engine must be a Host"):
        StandardEngine(name="Catalina").add_child(ContainerBase(name="x"))


def test_the_start_is_logged_with_the_servers_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), Node(tmp_path):
        pass
    assert f"Starting Servlet engine: [{SERVER_INFO}]" in caplog.text


def test_ticks_come_every_ten_seconds_unless_configured() -> None:
    engine = StandardEngine()
    assert engine.background_processor_delay == 10
    assert engine.set_attribute("jvmRoute", "node1")
    assert engine.jvm_route == "node1"
    assert engine.server is None


def test_a_worker_with_a_port_of_its_own_has_a_route_and_knows_those_of_the_others() -> None:
    server, service = StandardServer(port=-1), StandardService(name="Catalina")
    engine = StandardEngine(name="Catalina", default_host="localhost", jvm_route="n1")
    server.add_service(service)
    service.set_engine(engine)
    role: Any = stand_in(NodeRole, accepts=lambda worker: worker == 1)
    server.role = role
    assert (engine.jvm_route_of_engine, engine.serves_route("n1-1")) == ("n1", False)
    engine.worker = 0
    assert engine.jvm_route_of_engine == "n1-0"
    assert [route for route in ("n1-0", "n1-1", "n1-2", "n1", "n2-1", "n1-x") if engine.serves_route(route)] == ["n1-1"]
