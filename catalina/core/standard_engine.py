"""The container of all hosts of a service (Tomcat: core/StandardEngine.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element
from catalina.core.container_base import ContainerBase
from catalina.core.standard_engine_valve import StandardEngineValve
from catalina.core.standard_host import StandardHost, set_cluster
from catalina.errors import LifecycleError
from catalina.operations import readable
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_service import StandardService

__all__ = ["StandardEngine"]

log = logging.getLogger("org.apache.catalina.core.StandardEngine")


class StandardEngine(ContainerBase):
    """Hosts by name, one of which is the default for unknown names."""

    bean_operations = ("init", "start", "stop", "destroy")

    background_processor_delay = Attribute(
        int,
        10,
        unit="seconds",
        doc="Time between two background ticks: session expiry, auto deployment, cluster heartbeat, reload checks.",
    )
    default_host = Attribute(str, None, doc="The Host that answers for unknown or missing host names.")
    jvm_route = Attribute(
        str, None, doc="Appended to session ids after a dot, so that a load balancer can send a session to its node."
    )

    elements = {
        "Cluster": Element(add=set_cluster),
        "Host": Element(
            add=lambda engine, host: engine.add_child(host),
            default="org.apache.catalina.core.StandardHost",
            role=StandardHost,
        ),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.service: StandardService | None = None
        #: The number of this worker when it has a route of its own; None when the node has one route.
        self.worker: int | None = None
        self.pipeline.basic = StandardEngineValve()

    @property
    def server(self) -> StandardServer | None:
        return self.service.server if self.service is not None else None

    @property
    @readable("catalinaBase", doc="Directory of this instance.")
    def base_path(self) -> str:
        return str(self.server.catalina_base) if self.server is not None else ""

    @property
    def jvm_route_of_engine(self) -> str:
        route = self.jvm_route or ""
        return route if self.worker is None or not route else f"{route}-{self.worker}"

    def serves_route(self, route: str) -> bool:
        """True for the route of another worker of this node that accepts connections."""
        server, prefix = self.server, f"{self.jvm_route}-"
        number = route.removeprefix(prefix)
        return (
            self.worker is not None and route.startswith(prefix) and number.isdecimal()
            and server is not None and server.role is not None and server.role.accepts(int(number))
        )  # fmt: skip

    @property
    def hosts(self) -> tuple[StandardHost, ...]:
        """Its hosts."""
        return self.children  # type: ignore[return-value]  # add_child() takes nothing else

    def add_child(self, child: ContainerBase) -> None:
        if not isinstance(child, StandardHost):
            raise LifecycleError(f"{self}: Child of an Engine must be a Host, not {child}")
        super().add_child(child)

    def _start(self) -> None:
        log.info("Starting Servlet engine: [%s]", SERVER_INFO)
        super()._start()
