"""The interface of a session manager to the container (Tomcat: catalina/Manager.java)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from catalina.session.attribute_codec import AttributeCodec
    from catalina.session.session import Session

__all__ = ["Manager"]


@runtime_checkable
class Manager(Protocol):
    """Makes, finds and ends the sessions of one context.

    ``context`` must be set before ``start()``; a manager uses its ``name``, ``parent``, ``session_timeout`` (minutes),
    ``listeners``, ``loader``, ``work_path``, and ``fire_container_event`` where a manager documents it.
    """

    context: Any

    @property
    def active_sessions(self) -> int: ...

    @property
    def default_max_inactive_interval(self) -> int: ...

    @property
    def must_travel(self) -> bool: ...

    @property
    def codec(self) -> AttributeCodec: ...

    def find_session(self, session_id: str) -> Session | None: ...

    def find_sessions(self) -> Sequence[Session]: ...

    def create_session(self, session_id: str | None = None) -> Session: ...

    def change_session_id(self, session: Any, new_id: str | None = None) -> str: ...

    def remove(self, session: Any, update: bool = False) -> None: ...

    def background_process(self) -> None: ...

    def request_completed(self, session: Any, request: object) -> Any:
        """Called at the end of a request, before its answer leaves.

        Returns:
            None, or the ``Delivery`` for which the finished response must be held.
        """

    def init(self) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def destroy(self) -> None: ...
