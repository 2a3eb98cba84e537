"""State that is one for the whole node, though several processes serve: failed logins, permits, nonces, counts.

A component asks :func:`node_state` for such a state. In a node of one process it is a plain object. In a worker it is a
stand-in that calls the same method of the object that the keeper has. So the class of a state is written for one
process, and its methods take and return only values that JSON can express.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any, ClassVar, Protocol, TypeVar

from catalina.errors import LifecycleError

__all__ = ["Kept", "NodeState", "node_secret", "node_state", "place_of", "refuse_workers"]

#: Random bytes. All processes of a node are forked from the process that has made them, so all have the same.
_SECRET = secrets.token_bytes(32)


class Kept(Protocol):
    """Values by their names, in memory that outlives the process that has the node's states. Any thread."""

    def items(self) -> dict[str, Any]:
        """A copy of all values, in the order in which they were last set."""

    def put(self, name: str, value: object) -> None:
        """Keep a value that JSON can say; None forgets it."""


class NodeState:
    """State of a node. A subclass is made without arguments, and bounds what it keeps. Any thread.

    One whose loss would be felt keeps its values in ``kept``, for the process that follows this one.
    """

    #: The methods that workers may call.
    shared: ClassVar[frozenset[str]] = frozenset()
    #: True when each of these methods has a last parameter ``caller``: the worker that calls.
    knows_caller: ClassVar[bool] = False
    #: True when :meth:`keep` is to be called.
    lasts: ClassVar[bool] = False

    def keep(self, kept: Kept) -> None:
        """Begin with what an earlier process has kept, and keep values there from now on. Before any other call."""

    def worker_lost(self, worker: int) -> None:
        """A worker has ended: free everything that it held."""


_State = TypeVar("_State", bound=NodeState)


class _Placed(Protocol):
    """The part of a container that tells its place in the tree."""

    @property
    def name(self) -> str: ...

    @property
    def parent(self) -> Any: ...

    @property
    def server(self) -> Any: ...


def place_of(container: _Placed | None) -> str:
    """The names of a container and of all above it: the same in every process of a node."""
    names: list[str] = []
    while container is not None:
        names.append(container.name)
        container = container.parent
    return "/".join(reversed(names))


def node_state(kind: type[_State], container: _Placed | None, name: str) -> _State | None:
    """The node's state of a kind for a component; None in a node of one process, which has its own.

    Args:
        container: where the component is.
        name: tells components of one container apart.
    """
    role = None if container is None or container.server is None else container.server.role
    if role is None:
        return None
    found: _State = role.state(kind, f"{place_of(container)}#{name}")
    return found


def refuse_workers(component: object, container: _Placed | None) -> None:
    """Keep a component from starting in a node of several processes, because each process would have a state of its
    own.

    Raises:
        LifecycleError: the node has several processes.
    """
    if container is not None and container.server is not None and container.server.role is not None:
        raise LifecycleError(
            f"{component} cannot be used in a node of several processes; expected catalina.workers=1 and "
            "catalina.keeper=false"
        )


def node_secret(name: str) -> str:
    """A secret text that is the same in all processes of a node, and that nobody else can foresee."""
    return hmac.new(_SECRET, name.encode(), "sha256").hexdigest()[:32].upper()
