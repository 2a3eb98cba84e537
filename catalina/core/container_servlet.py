"""A servlet that works on the container itself (Tomcat: catalina/ContainerServlet.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Component

if TYPE_CHECKING:
    from catalina.core.standard_wrapper import StandardWrapper

__all__ = ["ContainerServlet"]


class ContainerServlet(Component):
    """Is given its wrapper, from which it reaches its context, host, engine and server, before ``start_servlet``.

    Only an application whose ``<Context>`` says ``privileged="true"`` may have one.
    """

    wrapper: StandardWrapper
