"""The role of this process in a node of several processes; ``catalina.workers`` has the keeper and the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.node_state import NodeState
    from catalina.session.manager import Manager

__all__ = ["NodeRole"]

_State = TypeVar("_State", bound="NodeState")


class NodeRole(Protocol):
    """A process that is a node by itself has none."""

    #: Code of applications is loaded and run.
    runs_applications: bool
    #: Connectors accept.
    serves: bool
    #: Other processes of the node go on accepting at the same ports when this one stops.
    others_serve: bool

    def note_connections(self) -> None:
        """A connector has got or lost a connection."""

    def may_accept(self) -> bool:
        """False while another process of the node should take the next connection."""

    def state(self, kind: type[_State], name: str) -> _State:
        """State that the node's processes share, or what stands for it here."""

    def manager_for(self, context: StandardContext, declared: Manager | None) -> Manager:
        """The session manager of an application that starts.

        Args:
            declared: the ``<Manager>`` of the context, None without one.
        """
