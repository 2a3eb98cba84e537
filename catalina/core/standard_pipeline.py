"""The chain of valves of one container (Tomcat: core/StandardPipeline.java)."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from catalina.errors import LifecycleError
from catalina.lifecycle import Lifecycle
from catalina.valves.abstract_access_log_valve import AbstractAccessLogValve
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.core.container_base import ContainerBase

__all__ = ["StandardPipeline"]

log = logging.getLogger("org.apache.catalina.core.StandardPipeline")


class StandardPipeline(Lifecycle):
    """Valves in the order in which they were added, the container's basic valve last.

    ``first`` is read once per request and container. It is only changed by assignment, so a running request stays on
    the chain that it has started on.
    """

    #: The valve at which a request enters; it exists from the first valve on, which a container adds in its
    #: constructor.
    first: ValveBase

    def __init__(self, container: ContainerBase) -> None:
        super().__init__()
        self.container = container
        self._basic: ValveBase | None = None
        self._added: list[ValveBase] = []
        #: The valves that log finished requests.
        self.access_logs: tuple[AbstractAccessLogValve, ...] = ()

    def __str__(self) -> str:
        return f"Pipeline[{self.container.name}]"

    @property
    def basic(self) -> ValveBase | None:
        """The last valve: it hands the request to the container's child."""
        return self._basic

    @basic.setter
    def basic(self, valve: ValveBase) -> None:
        self._adopt(valve)
        old, self._basic = self._basic, valve
        self._link()
        if old is not None:
            self._release(old)

    @property
    def valves(self) -> tuple[ValveBase, ...]:
        """All valves in order, the basic one last."""
        return (*self._added, self._basic) if self._basic is not None else tuple(self._added)

    def add_valve(self, valve: ValveBase) -> None:
        """Put a valve before the basic one, and start it when the pipeline is running. Raises LifecycleError."""
        self._adopt(valve)
        self._added.append(valve)
        self._link()

    def add_first(self, valve: ValveBase) -> None:
        """Put a valve before all others, and start it when the pipeline is running. Raises LifecycleError."""
        self._adopt(valve)
        self._added.insert(0, valve)
        self._link()

    def remove_valve(self, valve: ValveBase) -> None:
        """Remove, stop and destroy a valve. A valve that is not here is ignored."""
        if valve in self._added:
            self._added.remove(valve)
            self._link()
            self._release(valve)

    def _adopt(self, valve: ValveBase) -> None:
        valve.container = self.container
        if self.state.available:
            valve.start()

    def _release(self, valve: ValveBase) -> None:
        try:
            if self.state.available:
                valve.stop()
            valve.destroy()
        except LifecycleError:
            log.exception("Valve [%s] could not be stopped", valve)
        valve.container = None

    def _link(self) -> None:
        chain = self.valves
        # Linked from the end, so that a thread that reads `first` meanwhile finds a complete chain.
        for valve, following in reversed(list(itertools.pairwise(chain))):
            valve.next = following
        self.first = chain[0]
        self.access_logs = tuple(valve for valve in chain if isinstance(valve, AbstractAccessLogValve))

    def _start(self) -> None:
        for valve in self.valves:
            valve.start()

    def _stop(self) -> None:
        for valve in self.valves:
            try:
                valve.stop()
            except LifecycleError:
                log.exception("Valve [%s] could not be stopped", valve)

    def _destroy(self) -> None:
        for valve in self.valves:
            self._release(valve)
