"""The role of this process in a node of several processes; ``catalina.workers`` has the keeper and the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from catalina.core.container_servlet import ContainerServlet
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_host import StandardHost
    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.node_state import NodeState
    from catalina.session.manager import Manager

__all__ = ["Elsewhere", "NodeRole", "PoolState"]


class PoolState(NamedTuple):
    """The processes of an application that has its own.

    Args:
        processes: their ids.
        restarts: how often another process has taken the place of one that died or had enough, since the application
            or the keeper came. A reload does not count.
    """

    processes: tuple[int, ...]
    restarts: int


class Elsewhere(Protocol):
    """The processes that run the code of applications of which this process has the sessions."""

    def start(self, context: StandardContext) -> None:
        """Load an application that has started here, one process after the other.

        Raises:
            DeploymentError: it does not start; the text is the reason. The other processes have not tried.
        """

    def stop(self, context: StandardContext) -> None:
        """Stop an application; its requests are not found then."""

    def remove(self, context: StandardContext) -> None:
        """Forget an application."""

    def pause(self, context: StandardContext) -> None:
        """Let new requests of an application wait, and the running ones end: its files are going to change."""

    def begin_exchange(self, context: StandardContext) -> None:
        """Let an application go on with what it has while another version of it is started in its place.

        Until :meth:`resume`, nothing is stopped or removed there, and the start of a context with the files of the old
        version changes nothing: that version is there again, and has run all the time.
        """

    def add_host(self, host: StandardHost) -> None:
        """Have a host that server.xml has not: it is about to start here."""

    def remove_host(self, engine: str, name: str) -> None:
        """Remove the host of that name; its applications have stopped."""

    def earlier(self, host: StandardHost) -> list[str]:
        """The names of the applications that an earlier process of this kind had deployed from files of a host."""

    def ask_all(self, service: str, argument: object = None) -> Mapping[int, Any]:
        """The results of a service of every process, by its number; one that has gone is left out."""

    def is_paused(self, context: StandardContext) -> bool:
        """True between a pause and the next start or the end of the pause, and in an exchange. Nothing is stopped or
        removed meanwhile.
        """

    def workers_of(self, context: StandardContext) -> tuple[int, ...] | None:
        """The indexes of the workers that an application runs in; None for all, or an unknown one."""

    def pool_of(self, context: StandardContext) -> PoolState | None:
        """The state of an application's own pool; None for one that shares the node's workers."""

    def keeps(self, context: StandardContext) -> bool:
        """True when an application runs on as it was before, although its new start has failed: a pool's old processes
        serve. The next start of the context changes nothing then.
        """

    def resume(self, host: StandardHost, name: str) -> None:
        """End a pause or an exchange of the context of that name. An application that does not run here any more is
        stopped.
        """


_State = TypeVar("_State", bound="NodeState")


class NodeRole(Protocol):
    """A process that is a node by itself has none."""

    #: The worker's number; 0 in a keeper.
    index: int
    #: Files of applications are unpacked, moved and deleted by this process.
    deploys: bool
    #: The process runs one application and nothing else.
    runs_one: bool
    #: Connectors accept.
    serves: bool
    #: Other processes of the node go on accepting at the same ports when this one stops.
    others_serve: bool
    #: Connectors take new connections; False where other processes pass requests on to this one.
    listens: bool

    def accepts(self, worker: int) -> bool:
        """True when the worker of that number accepts connections."""

    def note_connections(self) -> None:
        """A connector has got or lost a connection."""

    def may_accept(self) -> bool:
        """False while another process of the node should take the next connection."""

    @property
    def is_draining(self) -> bool:
        """True while the node says that it ends; in a keeper."""
        ...

    def drain(self, draining: bool | None) -> int:
        """Let all processes of the node say that they end, or serve as before; with None neither.

        Returns:
            The number of requests that run, as far as this process can say.
        """

    def change_workers(self, more: int) -> int:
        """Serve with so many workers more, or less; returns how many there are to be.

        Raises:
            CatalinaError: this process has no say in it, or the node cannot have so many.
        """

    def state(self, kind: type[_State], name: str) -> _State:
        """State that the node's processes share, or what stands for it here."""

    @property
    def elsewhere(self) -> Elsewhere | None:
        """Where applications run that do not run here; None in a process that runs them."""

    def runs(self, context: StandardContext) -> bool:
        """True when this process loads and runs the application's code."""

    def may_run_elsewhere(self, context: StandardContext) -> bool:
        """True when another process of the node may serve requests of the application at the same time
        (``wsgi.multiprocess``).
        """

    def reload(self, context: StandardContext, by_command: bool) -> bool:
        """Have another process reload the application in all processes; returns False when it is for this one to do.

        Raises:
            CatalinaError: it did not start again.
        """

    def stand_in(self, wrapper: StandardWrapper, servlet: ContainerServlet) -> Callable[..., Iterable[bytes]] | None:
        """A WSGI callable that passes requests on to the process in which a servlet runs; None when it runs here."""

    def has_group_manager(self, context: StandardContext) -> bool:
        """True when the application, before this reload or exchange, has said in another process that it is
        distributable: its sessions stay the group's until its code, which that process loads anew, says otherwise.
        """

    def manager_for(self, context: StandardContext, declared: Manager | None) -> Manager:
        """The session manager of an application that starts.

        Args:
            declared: the ``<Manager>`` of the context, None without one.
        """
