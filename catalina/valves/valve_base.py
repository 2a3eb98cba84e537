"""What every valve shares (Tomcat: valves/ValveBase.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.lifecycle import Lifecycle

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.container_base import ContainerBase

__all__ = ["ValveBase"]


class ValveBase(Lifecycle):
    """One step of a container's pipeline.

    A subclass overrides :meth:`invoke` and calls ``self.next.invoke(request, response)`` to let the request through;
    what it opened before, it closes in ``finally``. One instance serves all requests, from several threads at once.
    """

    async_supported = Attribute(bool, True, inert="WSGI has no asynchronous processing to allow or refuse")

    #: The following valve; the pipeline sets it. The basic valve, which is the last, has none.
    next: ValveBase
    #: The container whose pipeline this valve is in; None until it is added to one.
    container: ContainerBase | None = None

    def __str__(self) -> str:
        where = f"[{self.container}]" if self.container is not None else ""
        return f"{type(self).__name__}{where}"

    def invoke(self, request: Request, response: Response) -> None:
        """Serve the request or pass it on. Exceptions go up to the host's basic valve, which makes them a 500."""
        raise NotImplementedError(f"{type(self).__name__} does not override invoke()")

    def background_process(self) -> None:
        """Periodic work; called by the container's background tick, every ``backgroundProcessorDelay`` seconds."""
