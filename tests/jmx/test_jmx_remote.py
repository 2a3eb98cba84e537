from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from catalina.errors import LifecycleError
from catalina.jmx.jmx_remote import JmxRemote
from catalina.jmx.remote_settings import PREFIX
from catalina.lifecycle import Lifecycle, LifecycleEvent
from tests.jmx.client import RawClient
from tests.jmx.pool import pool_registry

OPEN = {f"{PREFIX}.port": "0", f"{PREFIX}.ssl": "false", f"{PREFIX}.authenticate": "false"}


class Server(Lifecycle):
    """As much of a server as the listener asks for."""

    def __init__(self, base: Path, properties: dict[str, str]) -> None:
        super().__init__()
        self.mbeans = pool_registry()
        self.catalina_base = base
        self.properties = properties


def test_the_port_is_open_from_the_start_to_the_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    remote, server = JmxRemote(), Server(tmp_path, OPEN)
    server.add_lifecycle_listener(remote)
    server.start()
    port = remote.port
    with RawClient(port) as client:
        client.door()
    assert "service:jmx:rmi:///jndi/rmi://127.0.0.1:" in caplog.text
    assert "without authentication it is bound to 127.0.0.1" in caplog.text
    server.stop()
    assert remote.port == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_without_the_properties_nothing_opens(tmp_path: Path) -> None:
    remote = JmxRemote()
    remote(LifecycleEvent(Server(tmp_path, {}), "before_start"))
    assert remote.port == 0


def test_a_port_that_cannot_be_guarded_stops_the_start(tmp_path: Path) -> None:
    server = Server(tmp_path, {f"{PREFIX}.port": "0"})
    server.add_lifecycle_listener(JmxRemote())
    with pytest.raises(LifecycleError, match="The JMX port cannot be opened"):
        server.start()


def test_a_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(tmp_path, {**OPEN, f"{PREFIX}.port": str(taken.getsockname()[1])})
        server.add_lifecycle_listener(JmxRemote())
        with pytest.raises(LifecycleError, match="in use"):
            server.start()
