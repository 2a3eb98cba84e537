"""Listeners that configure a container, by className."""

from __future__ import annotations

import pytest

from catalina.core.config_listener import add_config_listener
from catalina.core.standard_host import StandardHost
from catalina.errors import LifecycleError
from catalina.startup.host_config import HostConfig

HOST_CONFIG = "org.apache.catalina.startup.HostConfig"


def test_the_listener_is_made_once() -> None:
    host = StandardHost(name="localhost")
    add_config_listener(host, HOST_CONFIG)
    add_config_listener(host, HOST_CONFIG)
    assert [type(listener) for listener in host.lifecycle_listeners] == [HostConfig]


def test_an_empty_name_adds_none() -> None:
    host = StandardHost(name="localhost")
    add_config_listener(host, "")
    assert host.lifecycle_listeners == ()


def test_an_unknown_class_is_an_error() -> None:
    with pytest.raises(LifecycleError, match=r"no class answers to the className 'no\.such\.Config'"):
        add_config_listener(StandardHost(name="localhost"), "no.such.Config")
