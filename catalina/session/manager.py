"""The interface of a session manager to the container (Tomcat: catalina/Manager.java)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Engine

    from catalina.lifecycle import LifecycleState
    from catalina.place import Place
    from catalina.session.attribute_codec import AttributeCodec
    from catalina.session.session import Session
    from catalina.tribes.channel import Delivery

__all__ = ["Manager", "ManagerContext"]


class SessionLoader(Protocol):
    """The application's loader: which classes are its own, and whose modules are meant."""

    def bound(self) -> AbstractContextManager[None]: ...

    def allows_class(self, name: str) -> bool: ...

    def load_imported(self, name: str) -> bool: ...


class Named(Protocol):
    """The host, of which the name counts here."""

    @property
    def name(self) -> str: ...


class SessionPlace(Protocol):
    """Where an application is: names, and a directory for its files."""

    @property
    def name(self) -> str: ...

    @property
    def host(self) -> Named: ...

    @property
    def host_path(self) -> str:
        """``Catalina/localhost``."""
        ...

    @property
    def jvm_route_of_engine(self) -> str:
        """Empty without one."""
        ...

    @property
    def work_path(self) -> Path: ...


class SessionResources(Protocol):
    """``<GlobalNamingResources>``."""

    def lookup(self, name: str) -> object: ...


class SessionServer(Protocol):
    """The server, for its resources."""

    @property
    def global_naming_resources(self) -> SessionResources | None: ...


class StoreContext(SessionResources, Protocol):
    """Where a store finds its database: by a name, or by properties of its own."""

    @property
    def server(self) -> SessionServer | None: ...

    def make_data_source(self, label: str, properties: Mapping[str, str], place: Place | None) -> Engine: ...


class ManagerContext(SessionPlace, StoreContext, Protocol):
    """The application whose sessions a manager keeps.

    ``session_timeout`` is in minutes, ``listeners`` are the application's own, of which those for sessions are told.
    """

    @property
    def session_timeout(self) -> int: ...

    @property
    def distributable(self) -> bool: ...

    @property
    def state(self) -> LifecycleState: ...

    @property
    def paused(self) -> bool: ...

    @property
    def listeners(self) -> Sequence[object]: ...

    @property
    def loader(self) -> SessionLoader: ...

    def fire_container_event(self, kind: str, data: object = None) -> None: ...


@runtime_checkable
class Manager(Protocol):
    """Makes, finds and ends the sessions of one context.

    ``context`` must be set before ``start()``; it is None in the manager of a cluster that others are copies of.
    """

    context: ManagerContext | None
    state: LifecycleState

    @property
    def active_sessions(self) -> int: ...

    @property
    def default_max_inactive_interval(self) -> int: ...

    @property
    def must_travel(self) -> bool: ...

    @property
    def codec(self) -> AttributeCodec: ...

    def serves(self, session: Any) -> bool: ...

    def find_session(self, session_id: str) -> Session | None: ...

    def find_sessions(self) -> Sequence[Session]: ...

    def create_session(self, session_id: str | None = None) -> Session: ...

    def change_session_id(self, session: Any, new_id: str | None = None) -> str: ...

    def remove(self, session: Any, update: bool = False) -> None: ...

    def background_process(self) -> None: ...

    def request_completed(self, session: Session, request: object) -> Delivery | None:
        """Called at the end of a request, before its answer leaves.

        Returns:
            None, or the ``Delivery`` for which the finished response must be held.
        """

    def init(self) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def destroy(self) -> None: ...
