"""A receiver of cluster messages (Tomcat: ha/ClusterListener.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalina.attributes import Component

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member

__all__ = ["ClusterListener"]


class ClusterListener(Component):
    """Base of the classes that ``<ClusterListener>`` names, and of the listeners that other parts register.

    ``message`` is a decoded message of :mod:`catalina.ha.cluster_message`, such as a SessionMessage. Both methods run
    in the thread that reads the group's messages, so they must never wait.
    """

    #: The cluster that the listener was added to.
    cluster: SimpleTcpCluster | None = None

    def accept(self, message: object) -> bool:
        """True when :meth:`message_received` wants the message."""
        raise NotImplementedError(f"{type(self).__name__} does not override accept()")

    def message_received(self, message: Any, sender: Member) -> None:
        """Handle the message. An exception is logged and goes no further."""
        raise NotImplementedError(f"{type(self).__name__} does not override message_received()")
