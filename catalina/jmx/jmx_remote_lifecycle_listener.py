"""The JMX port as a ``<Listener>`` of server.xml (Tomcat 8.5: mbeans/JmxRemoteLifecycleListener.java).

Its two ports are fixed, for firewalls. As in Tomcat, the JDK's properties configure access and TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from catalina.attributes import Attribute, Component
from catalina.errors import ConfigurationError
from catalina.jmx.jmx_remote import JmxRemote
from catalina.jmx.remote_settings import PREFIX, RemoteSettings, read_settings
from catalina.lifecycle import LifecycleEvent

__all__ = ["JmxRemoteLifecycleListener"]


class JmxRemoteLifecycleListener(Component):
    """Opens the JMX port with fixed ports for the registry and the objects.

    As in Tomcat, the server starts without the port when it cannot be opened.
    """

    rmi_registry_port_platform = Attribute(int, None, doc="Port of the registry. Must be given.")
    rmi_server_port_platform = Attribute(int, None, doc="Port of the objects; the registry's unless given.")
    rmi_bind_address = Attribute(str, None, doc="Address to bind to; com.sun.management.jmxremote.host unless given.")
    use_local_ports = Attribute(
        bool, False, doc="Clients are told to call localhost, as through a tunnel of ssh; it binds the loopback."
    )

    def __init__(self) -> None:
        super().__init__()
        self._remote = JmxRemote(self.settings, is_required=False)

    def __call__(self, event: LifecycleEvent) -> None:
        """The server's events."""
        self._remote(event)

    def settings(self, properties: Mapping[str, str], base: Path) -> RemoteSettings | None:
        """The properties with this element's attributes over them.

        Raises:
            ConfigurationError: there is no port, or the properties cannot be met.
        """
        if self.rmi_registry_port_platform is None:
            raise ConfigurationError("JmxRemoteLifecycleListener needs rmiRegistryPortPlatform", self.place)
        wanted = dict(properties)
        wanted[f"{PREFIX}.port"] = str(self.rmi_registry_port_platform)
        if self.rmi_server_port_platform is not None:
            wanted[f"{PREFIX}.rmi.port"] = str(self.rmi_server_port_platform)
        if self.rmi_bind_address is not None:
            wanted[f"{PREFIX}.host"] = self.rmi_bind_address
        if self.use_local_ports:
            wanted[f"{PREFIX}.host"] = "127.0.0.1"
            wanted["java.rmi.server.hostname"] = "localhost"
        return read_settings(wanted, base)
