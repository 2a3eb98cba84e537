"""A servlet that works on the container itself (Tomcat: catalina/ContainerServlet.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Component

if TYPE_CHECKING:
    from catalina.core.standard_wrapper import StandardWrapper

__all__ = ["ContainerServlet"]


class ContainerServlet(Component):
    """Gets its wrapper before ``start_servlet``, and from the wrapper its context, host, engine and server.

    Only an application whose ``<Context>`` says ``privileged="true"`` may have one. In a node with workers those of
    this software run in the keeper: they learn of connections and requests from the beans, which are the node's.
    """

    wrapper: StandardWrapper
