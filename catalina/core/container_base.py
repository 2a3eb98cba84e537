"""The common part of Engine, Host, Context and Wrapper (Tomcat: core/ContainerBase.java)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from catalina.attributes import Attribute, Element
from catalina.core.standard_pipeline import StandardPipeline
from catalina.errors import LifecycleError, NamingError
from catalina.lifecycle import LISTENER, Lifecycle, LifecycleState
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.cluster import Cluster
    from catalina.core.standard_server import StandardServer
    from catalina.core.utility_executor import ScheduledTask
    from catalina.realm.realm import Realm

__all__ = ["ContainerBase", "ContainerEvent", "thread_count"]

log = logging.getLogger("org.apache.catalina.core.ContainerBase")


class ContainerEvent(NamedTuple):
    """An event for a container listener, with Tomcat's names: ``addChild``, ``removeChild``, ``addValve`` ..."""

    container: ContainerBase
    type: str
    data: Any = None


def thread_count(configured: int) -> int:
    """The number that ``startStopThreads`` stands for in Tomcat: 0 is one per processor, ``-1`` one less than that; at
    least 1.
    """
    if configured > 0:
        return configured
    return max(1, (os.cpu_count() or 1) + configured)


def _set_realm(container: ContainerBase, realm: Realm) -> None:
    container.realm = realm


class ContainerBase(Lifecycle):
    """A container: a name, a parent, children, a pipeline, perhaps a realm and a cluster."""

    background_processor_delay = Attribute(
        int,
        -1,
        unit="seconds",
        doc="Time between two background ticks of this container and those children that have none of their own; "
        "0 or less leaves the work to the parent's ticks.",
    )
    start_stop_threads = Attribute(
        int, 1, doc="Children that start or stop at the same time; 0 is one per processor, -1 one less than that."
    )
    name = Attribute(str, "", doc="Unique among the children of one parent.")

    elements = {
        "Listener": LISTENER,
        "Valve": Element(add=lambda parent, valve: parent.add_valve(valve), role=ValveBase, guards=True),
        "Realm": Element(add=_set_realm, guards=True),
    }

    #: True for a Context, whose valves see paths inside an application.
    is_context: ClassVar[bool] = False

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.parent: ContainerBase | None = None
        self._children: dict[str, ContainerBase] = {}
        self.pipeline = StandardPipeline(self)
        self._realm: Realm | None = None
        self._cluster: Cluster | None = None
        self._container_listeners: list[Callable[[ContainerEvent], None]] = []
        self._tick: ScheduledTask | None = None

    def __str__(self) -> str:
        own = f"{type(self).__name__}[{self.name}]"
        return f"{self.parent}.{own}" if self.parent is not None else own

    @property
    def logger(self) -> logging.Logger:
        """The logger for this container, such as ``...ContainerBase.[Catalina].[localhost].[/app]``."""
        parts: list[str] = []
        container: ContainerBase | None = self
        while container is not None:
            parts.append(f"[{container.name or '/'}]")
            container = container.parent
        return logging.getLogger("org.apache.catalina.core.ContainerBase." + ".".join(reversed(parts)))

    @property
    def server(self) -> StandardServer | None:
        """The server this container belongs to; None while it has not been added to one."""
        return self.parent.server if self.parent is not None else None

    @property
    def jvm_route_of_engine(self) -> str:
        """The engine's jvmRoute, empty when it has none or there is no engine above."""
        return self.parent.jvm_route_of_engine if self.parent is not None else ""

    def serves_route(self, route: str) -> bool:
        """See :meth:`StandardEngine.serves_route`."""
        return self.parent is not None and self.parent.serves_route(route)

    @property
    def config_directory(self) -> Path | None:
        """The directory of this container's own configuration files; None while it belongs to no server."""
        return self.server.catalina_base / "conf" / self.name if self.server is not None else None

    def lookup(self, name: str) -> object:
        """A resource of the application. Raises NamingError: there is none of that name, or this is no application."""
        raise NamingError(f"{self}: only an application has names of its own; there is no [{name}]")

    @property
    def realm(self) -> Realm | None:
        """This container's realm, otherwise that of the nearest parent that has one."""
        if self._realm is not None or self.parent is None:
            return self._realm
        return self.parent.realm

    @realm.setter
    def realm(self, realm: Realm | None) -> None:
        old, self._realm = self._realm, realm
        self._swap(old, realm)

    @property
    def cluster(self) -> Cluster | None:
        """This container's cluster, otherwise that of the nearest parent that has one."""
        if self._cluster is not None or self.parent is None:
            return self._cluster
        return self.parent.cluster

    @cluster.setter
    def cluster(self, cluster: Cluster | None) -> None:
        old, self._cluster = self._cluster, cluster
        self._swap(old, cluster)

    @property
    def own_cluster(self) -> Cluster | None:
        """The cluster that stands in this container itself."""
        return self._cluster

    def _swap(self, old: Realm | Cluster | None, new: Realm | Cluster | None) -> None:
        """Exchange a part of a container that may already be running."""
        if old is not None and old is not new:
            if self.state.available:
                old.stop()
            old.container = None
        if new is not None:
            new.container = self
            if self.state.available:
                new.start()

    def log_access(self, request: Request, response: Response, time_ns: int) -> None:
        """Log a finished request, in this container's and its parents' access logs (Tomcat: Container.logAccess)."""
        container: ContainerBase | None = self
        while container is not None:
            access_logs = container.pipeline.access_logs
            if access_logs:
                for valve in access_logs:
                    valve.log(request, response, time_ns)
            container = container.parent

    # -- children ------------------------------------------------------------------------------------------------

    def find_child(self, name: str) -> ContainerBase | None:
        """The child with that name, None when there is none."""
        return self._children.get(name)

    @property
    def children(self) -> tuple[ContainerBase, ...]:
        """All children, oldest first; a copy."""
        return tuple(self._children.values())

    def add_child(self, child: ContainerBase) -> None:
        """Add a child, and start it if this container runs.

        Raises:
            LifecycleError: the name is taken, or the child does not start and its parent must know.
        """
        if child.name in self._children:
            raise LifecycleError(f"{self}: addChild: the name [{child.name}] is not unique")
        child.parent = self
        self._children[child.name] = child
        self.fire_container_event("addChild", child)
        if self.state.available:
            self._start_child(child)

    def remove_child(self, child: ContainerBase) -> None:
        """Stop, remove and destroy a child. A failure to stop is logged; the child is removed all the same."""
        if self._children.get(child.name) is not child:
            return
        try:
            if child.state.available:
                child.stop()
        except LifecycleError:
            log.exception("Child container [%s] could not be stopped", child.name)
        self.fire_container_event("removeChild", child)
        del self._children[child.name]
        try:
            child.destroy()
        except LifecycleError:
            log.exception("Child container [%s] could not be destroyed", child.name)
        child.parent = None

    def add_valve(self, valve: ValveBase) -> None:
        """Add a valve before the basic one."""
        self.pipeline.add_valve(valve)
        self.fire_container_event("addValve", valve)

    def remove_valve(self, valve: ValveBase) -> None:
        """Remove, stop and destroy a valve."""
        self.pipeline.remove_valve(valve)
        self.fire_container_event("removeValve", valve)

    # -- events --------------------------------------------------------------------------------------------------

    def add_container_listener(self, listener: Callable[[ContainerEvent], None]) -> None:
        """Call ``listener(event)`` for every later change of this container."""
        self._container_listeners.append(listener)

    def remove_container_listener(self, listener: Callable[[ContainerEvent], None]) -> None:
        """Undo :meth:`add_container_listener`; unknown listeners are ignored."""
        if listener in self._container_listeners:
            self._container_listeners.remove(listener)

    def fire_container_event(self, kind: str, data: object = None) -> None:
        """Tell every container listener."""
        event = ContainerEvent(self, kind, data)
        for listener in tuple(self._container_listeners):
            listener(event)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._cluster is not None:
            self._cluster.start()
        if self._realm is not None:
            self._realm.start()
        self._start_children()
        self.pipeline.start()
        self._start_ticks()

    def _stop(self) -> None:
        self._stop_ticks()
        self._stop_part(self.pipeline)
        self._each(self.children, self._stop_part)
        self._stop_part(self._realm)
        self._stop_part(self._cluster)

    def _destroy(self) -> None:
        for part in (self._realm, self._cluster, self.pipeline):
            if part is not None:
                part.destroy()
        for child in self.children:
            self.remove_child(child)

    def _start_children(self) -> None:
        failures: list[BaseException] = []

        def start(child: ContainerBase) -> None:
            try:
                self._start_child(child)
            except LifecycleError as exc:
                log.error("A child container failed during start", exc_info=exc)
                failures.append(exc)

        self._each(self.children, start)
        if failures:
            raise LifecycleError(f"{self}: A child container failed during start: {failures[0]}") from failures[0]

    def _start_child(self, child: ContainerBase) -> None:
        """Start one child. A Host overrides this, because it runs on when an application does not start."""
        child.start()

    def _stop_part(self, part: Lifecycle | Cluster | None) -> None:
        """Stop a part that has started, or failed half way. A failure is only logged, because the others must stop,
        too.
        """
        try:
            if part is not None and (part.state.available or part.state is LifecycleState.FAILED):
                part.stop()
        except LifecycleError:
            log.exception("A component of [%s] failed to stop", self)

    def _each(self, children: Iterable[ContainerBase], call: Callable[[ContainerBase], None]) -> None:
        """Call the function for every child, in ``startStopThreads`` threads if there are more than one."""
        threads = thread_count(self.start_stop_threads)
        if threads == 1:
            for child in children:
                call(child)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix=f"{self.name}-startStop") as pool:
            list(pool.map(call, children))

    # -- background ticks ----------------------------------------------------------------------------------------

    def _start_ticks(self) -> None:
        server = self.server
        delay = self.background_processor_delay
        if delay > 0 and server is not None:
            self._tick = server.utility.schedule(self.tick, delay, repeat=delay)

    def _stop_ticks(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def tick(self) -> None:
        """Do one background tick: of this container, then of the children without ticks of their own."""
        if not self.state.available:
            return
        self.background_process()
        server = self.server
        for child in self.children:
            if server is not None and server.is_ending:  # a child's tick may be a whole reload
                return
            if child.background_processor_delay <= 0:
                child.tick()

    def background_process(self) -> None:
        """Do the periodic work of this container's parts, then fire the ``periodic`` event, on which HostConfig
        acts.
        """
        if self._cluster is not None:
            self._guarded("cluster", self._cluster.background_process)
        if self._realm is not None:
            self._guarded("realm", self._realm.background_process)
        for valve in self.pipeline.valves:
            self._guarded("valve", valve.background_process)
        self._guarded("listener", lambda: self.fire_lifecycle_event("periodic"))

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        """Run one part's tick. A fault in it must not keep the other parts from theirs."""
        try:
            work()
        except BaseException:
            log.exception("Exception processing %s of [%s] in background process", what, self)
