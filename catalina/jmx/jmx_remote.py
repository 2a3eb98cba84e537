"""Opens the JMX port that the JDK's properties ask for, before anything else starts, as a JVM does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError, LifecycleError
from catalina.jmx.password_realm import PasswordLogin
from catalina.jmx.remote_settings import RemoteSettings, read_settings
from catalina.jmx.rmi_objects import RmiObjects
from catalina.jmx.rmi_transport import RmiTransport
from catalina.lifecycle import LifecycleEvent
from catalina.tomcat.util.net.tls_context import make_context

if TYPE_CHECKING:
    from catalina.mbeans.registry import Registry

__all__ = ["JmxRemote"]

log = logging.getLogger("org.apache.catalina.jmx.JmxRemote")

Settings = Callable[[Mapping[str, str], Path], "RemoteSettings | None"]


class JmxRemote:
    """A lifecycle listener of the server.

    Args:
        settings: reads the properties; the base directory is for relative paths.
        is_required: the server does not start without the port, as a JVM does not. Tomcat's listener leaves it closed.
    """

    def __init__(self, settings: Settings = read_settings, *, is_required: bool = True) -> None:
        self._settings = settings
        self._is_required = is_required
        self._transport: RmiTransport | None = None

    def __call__(self, event: LifecycleEvent) -> None:
        """Open on ``before_start``, close on ``after_stop``.

        Raises:
            LifecycleError: the port is required and cannot be opened as it is asked for.
        """
        if event.type == "before_start":
            server = event.source
            try:
                self.start(server.mbeans, server.properties, server.catalina_base)  # type: ignore[attr-defined]
            except LifecycleError:  # the fault is in the log
                if self._is_required:
                    raise
        elif event.type in ("after_stop", "before_destroy"):
            self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on, 0 when it does not listen."""
        return 0 if self._transport is None else self._transport.port

    def start(self, registry: Registry, properties: Mapping[str, str], base: Path) -> None:
        """Open the port.

        Raises:
            LifecycleError: it cannot be opened as it is asked for.
        """
        try:
            settings = self._settings(properties, base)
            if settings is None or self._transport is not None:
                return
            login = None
            if settings.password_file is not None and settings.access_file is not None:
                login = PasswordLogin(settings.password_file, settings.access_file, settings.to_hashes)
            tls = None if settings.tls is None else make_context(settings.tls, base, [])
            transport = RmiTransport(
                RmiObjects(registry, login), settings.host, settings.hostname, tls=tls,
                registry_tls=settings.registry_tls,
            )  # fmt: skip
            transport.start(settings.port, settings.rmi_port)
        except (ConfigurationError, OSError) as error:
            log.error("The JMX port cannot be opened: %s", error)
            raise LifecycleError(f"The JMX port cannot be opened: {error}") from error
        self._transport = transport
        for remark in settings.remarks:
            log.warning("JMX port: %s", remark)
        guards = ("logins" if login is not None else "no login") + (", TLS" if tls is not None else "")
        log.info(
            "JMX over RMI at [%s], port [%d] for the registry and [%d] for the objects (%s): "
            "service:jmx:rmi:///jndi/rmi://%s:%d/jmxrmi",
            settings.host or "*", transport.port, transport.rmi_port, guards,
            settings.hostname or settings.host or "HOST", transport.port,
        )  # fmt: skip

    def stop(self) -> None:
        """Close it."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.stop()
