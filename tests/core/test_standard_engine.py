"""The engine and its hosts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.core.container_base import ContainerBase
from catalina.core.standard_engine import StandardEngine
from catalina.errors import LifecycleError
from catalina.util.server_info import SERVER_INFO
from tests.core.node import Node


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
