"""The common part of valves (Tomcat: valves/ValveBase.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Attribute
from catalina.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from catalina.connector.carried import Server
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.cluster import Cluster
    from catalina.lifecycle import LifecycleState
    from catalina.realm.realm import Realm

__all__ = ["ValveBase", "ValveContainer", "position_of"]


class ValvePipeline(Protocol):
    """The valves of one container; the basic one is the last."""

    @property
    def basic(self) -> ValveBase | None: ...

    @property
    def valves(self) -> Sequence[ValveBase]: ...


class ValveContainer(Protocol):
    """The part of an Engine, Host or Context that a valve needs."""

    @property
    def name(self) -> str: ...

    @property
    def parent(self) -> ValveContainer | None: ...

    @property
    def children(self) -> Sequence[ValveContainer]: ...

    @property
    def state(self) -> LifecycleState: ...

    @property
    def server(self) -> Server | None: ...

    @property
    def realm(self) -> Realm | None: ...

    @property
    def cluster(self) -> Cluster | None: ...

    @property
    def pipeline(self) -> ValvePipeline: ...

    @property
    def is_context(self) -> bool: ...

    @property
    def config_directory(self) -> Path | None: ...


class ValveBase(Lifecycle):
    """One step of a container's pipeline.

    A subclass overrides :meth:`invoke` and calls ``self.next.invoke(request, response)`` to let the request through; it
    closes in ``finally`` what it opened before. One instance serves all requests, in several threads at once.
    """

    async_supported = Attribute(bool, True, inert="WSGI has no asynchronous processing to allow or refuse")

    #: The following valve, set by the pipeline. The basic valve, which is the last, has none.
    next: ValveBase
    #: The container whose pipeline this valve is in; None until it is added to one.
    container: ValveContainer | None = None

    def __str__(self) -> str:
        where = f"[{self.container}]" if self.container is not None else ""
        return f"{type(self).__name__}{where}"

    def invoke(self, request: Request, response: Response) -> None:
        """Serve the request or pass it on. Exceptions go up to the host's basic valve, which turns them into a 500."""
        raise NotImplementedError(f"{type(self).__name__} does not override invoke()")

    def background_process(self) -> None:
        """Do periodic work; the container's background tick calls this every ``backgroundProcessorDelay`` seconds."""


def position_of(valve: ValveBase) -> int:
    """Position of a valve among its container's valves of its class, from 0: the same in every process of a node."""
    if valve.container is None:
        return 0
    alike = [each for each in valve.container.pipeline.valves if type(each) is type(valve)]
    return next((number for number, each in enumerate(alike) if each is valve), 0)
