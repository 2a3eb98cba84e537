"""Connectors and their engine (Tomcat: core/StandardService.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_thread_executor import StandardThreadExecutor
from catalina.errors import LifecycleError
from catalina.lifecycle import LISTENER, Lifecycle
from catalina.mapper.mapper import Mapper
from catalina.mapper.mapper_listener import MapperListener
from catalina.mbeans.managed_bean import tomcat_class_name
from catalina.mbeans.object_name import ObjectName
from catalina.operations import Impact, operation, readable

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_server import StandardServer

__all__ = ["StandardService"]

log = logging.getLogger("org.apache.catalina.core.StandardService")

#: Seconds that a process gets for its last requests when others of its node go on serving, so that nobody waits for
#: its end (gunicorn: graceful_timeout).
REPLACED_SECONDS = 30.0


class StandardService(Lifecycle):
    """One engine, its connectors, and the mapper between them."""

    bean_operations = ("start", "stop")

    name = Attribute(str, "", doc="Shown in logs and MBeans; unique in the server.")
    graceful_stop_await_millis = Attribute(
        int,
        0,
        unit="ms",
        doc="How long a stop waits for open connections to drain (only those of connectors with bindOnInit=false).",
    )

    elements = {
        "Listener": LISTENER,
        "Executor": Element(
            add=lambda service, executor: service.add_executor(executor),
            default="org.apache.catalina.core.StandardThreadExecutor",
        ),
        "Connector": Element(
            add=lambda service, connector: service.add_connector(connector),
            default="org.apache.catalina.connector.Connector",
        ),
        "Engine": Element(
            add=lambda service, engine: service.set_engine(engine),
            default="org.apache.catalina.core.StandardEngine",
            role=StandardEngine,
        ),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.server: StandardServer | None = None
        self.engine: StandardEngine | None = None
        self.connectors: list[Connector] = []
        self.executors: list[StandardThreadExecutor] = []
        self.mapper = Mapper()
        self.mapper_listener = MapperListener(self)

    def __str__(self) -> str:
        return f"StandardService[{self.name}]"

    @property
    @readable("connectorNames", doc="Names of the connectors' beans.")
    def connector_names(self) -> list[ObjectName]:
        domain = self.engine.name if self.engine is not None else "Catalina"
        return [connector.object_name(domain) for connector in self.connectors]

    @operation(impact=Impact.INFO)
    def find_connectors(self) -> list[str]:
        """Its connectors."""
        return [str(connector) for connector in self.connectors]

    @operation(impact=Impact.INFO)
    def find_executors(self) -> list[str]:
        """The names of its executors."""
        return [executor.name for executor in self.executors]

    @operation(name="getExecutor", impact=Impact.INFO, name_of_executor="Its name.")
    def executor_class(self, name_of_executor: str) -> str | None:
        """The class of the executor with that name, null when there is none."""
        found = self.find_executor(name_of_executor)
        return None if found is None else tomcat_class_name(type(found))

    def set_engine(self, engine: StandardEngine) -> None:
        """Set the service's engine; a second ``<Engine>`` replaces the first, as in Tomcat."""
        engine.service = self
        self.engine = engine

    def add_connector(self, connector: Connector) -> None:
        """Add a connector, and start it if the service runs."""
        connector.service = self
        self.connectors.append(connector)
        if self.state.available:
            connector.start()

    def remove_connector(self, connector: Connector) -> None:
        """Stop and remove a connector. One that is not here is ignored."""
        if connector in self.connectors:
            self.connectors.remove(connector)
            self._try("stop", connector)

    def add_executor(self, executor: StandardThreadExecutor) -> None:
        """Add a thread pool that connectors name in their ``executor`` attribute."""
        self.executors.append(executor)
        if self.state.available:
            executor.start()

    def find_executor(self, name: str) -> StandardThreadExecutor | None:
        """The executor with that name, None when there is none."""
        return next((executor for executor in self.executors if executor.name == name), None)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _init(self) -> None:
        if self.engine is not None:
            self.engine.init()
        for executor in self.executors:
            executor.init()
        for connector in self.connectors:
            self._try("init", connector, connector.throw_on_failure)

    def _start(self) -> None:
        log.info("Starting service [%s]", self.name)
        if self.engine is not None:
            self.engine.start()
        for executor in self.executors:
            executor.start()
        self.mapper_listener.start()
        role = None if self.server is None else self.server.role
        if role is not None and not role.serves:
            return
        for connector in self.connectors:
            # A connector that could not bind its port stays FAILED; the others serve.
            if connector.state.label != "FAILED":
                self._try("start", connector, connector.throw_on_failure)

    def _stop(self) -> None:
        for verb in ("stop_listening", "pause", "await_accepted"):
            for connector in self.connectors:
                self._try(verb, connector)
        role = None if self.server is None else self.server.role
        is_replaced = role is not None and role.others_serve
        seconds = max(self.graceful_stop_await_millis / 1000, REPLACED_SECONDS if is_replaced else 0)
        if seconds > 0:
            for connector in self.connectors:
                connector.await_drained(seconds)
        log.info("Stopping service [%s]", self.name)
        if self.engine is not None:
            self._try("stop", self.engine)
        for connector in self.connectors:
            self._try("stop", connector)
        self.mapper_listener.stop()
        for executor in self.executors:
            self._try("stop", executor)

    def _destroy(self) -> None:
        for connector in self.connectors:
            self._try("destroy", connector)
        for executor in self.executors:
            self._try("destroy", executor)
        if self.engine is not None:
            self._try("destroy", self.engine)

    def _try(self, verb: str, part: object, throw: bool = False) -> None:
        """Start one part. If it fails, the others are started all the same, unless the part says otherwise
        (throwOnFailure).
        """
        try:
            getattr(part, verb)()
        except LifecycleError as exc:
            if throw:
                raise
            log.error("%s", exc, exc_info=exc)  # the text names the component and the failure
