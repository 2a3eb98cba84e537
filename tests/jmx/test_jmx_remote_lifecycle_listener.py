from __future__ import annotations

from pathlib import Path

import pytest

from catalina.digester.class_names import find_class
from catalina.errors import ConfigurationError
from catalina.jmx.jmx_remote_lifecycle_listener import JmxRemoteLifecycleListener
from catalina.jmx.remote_settings import PREFIX
from tests.jmx.test_jmx_remote import Server

OPEN = {f"{PREFIX}.ssl": "false", f"{PREFIX}.authenticate": "false"}


def listener(**attributes: str) -> JmxRemoteLifecycleListener:
    made = JmxRemoteLifecycleListener()
    for name, text in attributes.items():
        assert made.set_attribute(name, text)
    return made


def test_the_element_fixes_both_ports(tmp_path: Path) -> None:
    made = listener(rmiRegistryPortPlatform="10001", rmiServerPortPlatform="10002", rmiBindAddress="10.0.0.7")
    settings = made.settings(OPEN, tmp_path)
    assert settings is not None
    assert (settings.port, settings.rmi_port, settings.host) == (10001, 10002, "10.0.0.7")


def test_local_ports_are_for_tunnels(tmp_path: Path) -> None:
    settings = listener(rmiRegistryPortPlatform="10001", useLocalPorts="true").settings(OPEN, tmp_path)
    assert settings is not None
    assert (settings.host, settings.hostname) == ("127.0.0.1", "localhost")


def test_the_element_needs_a_port(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs rmiRegistryPortPlatform"):
        listener().settings(OPEN, tmp_path)


def test_it_is_found_by_tomcats_name() -> None:
    assert find_class("org.apache.catalina.jmx.JmxRemoteLifecycleListener") is JmxRemoteLifecycleListener


def test_a_port_that_cannot_be_guarded_stays_closed_and_the_server_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(tmp_path, {})
    server.add_lifecycle_listener(listener(rmiRegistryPortPlatform="10001"))
    server.start()
    assert server.state.available
    assert "The JMX port cannot be opened: Password file not found" in caplog.text
    server.stop()
