"""The session as the container knows it (Tomcat: catalina/Session.java).

Applications never get this object; they see :class:`catalina.session.session_facade.SessionFacade`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from catalina.session.manager import Manager
    from catalina.session.session_facade import SessionFacade
    from catalina.session.standard_session import StandardSession

__all__ = ["Principal", "Session"]


class Principal(Protocol):
    """The user who is logged in; ``catalina.realm.generic_principal.GenericPrincipal`` is one."""

    @property
    def name(self) -> str: ...

    @property
    def roles(self) -> tuple[str, ...]: ...

    @property
    def user_principal(self) -> object | None:
        """The object that the application is given in place of this one; None is this one."""
        ...

    @property
    def attributes(self) -> Mapping[str, object]:
        """Further facts of the user that the realm was told to read."""
        ...

    def has_role(self, role: str) -> bool: ...


@runtime_checkable
class Session(Protocol):
    """One session. Times are milliseconds since the epoch, intervals seconds.

    ``is_valid`` is false once the session was invalidated. Reading it expires a session whose time is over.
    """

    id: str
    creation_time_ms: int
    last_accessed_time_ms: int
    this_accessed_time_ms: int
    is_new: bool
    #: False once the session has ended; reading it does not look at the clock.
    alive: bool

    @property
    def is_primary(self) -> bool: ...

    @property
    def manager(self) -> Manager: ...

    @property
    def notes(self) -> dict[str, object]: ...

    @property
    def is_valid(self) -> bool: ...

    @property
    def max_inactive_interval(self) -> int: ...

    @max_inactive_interval.setter
    def max_inactive_interval(self, seconds: int) -> None: ...

    @property
    def auth_type(self) -> str | None: ...

    @auth_type.setter
    def auth_type(self, auth_type: str | None) -> None: ...

    @property
    def principal(self) -> Principal | None: ...

    @principal.setter
    def principal(self, principal: Principal | None) -> None: ...

    @property
    def facade(self) -> SessionFacade: ...

    def add_session_listener(self, listener: Callable[[StandardSession, str], None]) -> None: ...

    def get_attribute(self, name: str, default: object = None) -> object: ...

    def set_attribute(self, name: str, value: object) -> None: ...

    def remove_attribute(self, name: str) -> None: ...

    def has_attribute(self, name: str) -> bool: ...

    def attribute_names(self) -> list[str]: ...

    def idle_ms(self) -> int: ...

    def access(self) -> bool: ...

    def end_access(self) -> None: ...

    def expire(self, notify: bool = True) -> None: ...

    def invalidate(self) -> None: ...
