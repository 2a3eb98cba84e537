"""The interface of a cluster to the container; ``catalina.ha`` implements it (Tomcat: Cluster.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from catalina.lifecycle import LifecycleState

if TYPE_CHECKING:
    from catalina.session.manager import Manager

__all__ = ["Cluster"]


class Cluster(Protocol):
    """The ``<Cluster>`` of an Engine or a Host."""

    state: LifecycleState
    #: The Engine or Host that the element stands in; set when the cluster is added.
    container: Any

    def create_manager(self, name: str) -> Manager:
        """A session manager for the distributable application ``name``, made from the cluster's template."""
        ...

    def register_manager(self, manager: Manager) -> None:
        """Let the application's own manager take part in the cluster."""
        ...

    def remove_manager(self, manager: Manager) -> None:
        """Remove the manager of an application that stops."""
        ...

    def background_process(self) -> None:
        """Do periodic work; the container's background tick calls this."""
        ...

    def start(self) -> None:
        """Join the group. Raises LifecycleError."""
        ...

    def stop(self) -> None:
        """Leave the group."""
        ...

    def destroy(self) -> None:
        """Release everything."""
        ...
