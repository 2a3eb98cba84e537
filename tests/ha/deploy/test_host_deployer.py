"""The host's own deployment, found among its listeners."""

from __future__ import annotations

from catalina.core.standard_host import StandardHost
from catalina.ha.deploy.host_deployer import host_deployer_of
from catalina.startup.host_config import HostConfig


def test_host_config_is_what_the_farm_needs():
    host, config = StandardHost(name="localhost"), HostConfig()
    host.add_lifecycle_listener(lambda event: None)
    host.add_lifecycle_listener(config)
    assert host_deployer_of(host) is config


def test_a_host_without_deployment_has_none():
    assert host_deployer_of(StandardHost(name="localhost")) is None
