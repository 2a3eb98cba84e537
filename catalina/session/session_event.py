"""The events of session listeners of an application (Servlet: HttpSessionListener and its siblings).

A listener is any object; its methods decide which events it gets::

    session_created(event)              session_destroyed(event)          SessionEvent
    session_id_changed(event, old_id)                                     SessionEvent
    session_attribute_added(event)      session_attribute_removed(event)  SessionBindingEvent
    session_attribute_replaced(event)   the event carries the value that was there before

A value may have ``value_bound(event)`` and ``value_unbound(event)`` itself (HttpSessionBindingListener), and
``session_will_passivate(event)`` and ``session_did_activate(event)`` (HttpSessionActivationListener).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalina.session.session_facade import SessionFacade

__all__ = ["ListenerTable", "SessionBindingEvent", "SessionEvent"]


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """An event of ``session``, the mapping that the application knows."""

    session: SessionFacade


@dataclass(frozen=True, slots=True)
class SessionBindingEvent(SessionEvent):
    """The attribute ``name`` of ``session`` has changed; the event's method documents ``value``."""

    name: str
    value: Any


METHODS = (
    "session_created",
    "session_destroyed",
    "session_id_changed",
    "session_attribute_added",
    "session_attribute_removed",
    "session_attribute_replaced",
)


@dataclass(slots=True)
class ListenerTable:
    """The bound methods of a context's listeners by event. Without listeners, an event costs one truth test."""

    session_created: tuple[Any, ...] = ()
    session_destroyed: tuple[Any, ...] = ()
    session_id_changed: tuple[Any, ...] = ()
    session_attribute_added: tuple[Any, ...] = ()
    session_attribute_removed: tuple[Any, ...] = ()
    session_attribute_replaced: tuple[Any, ...] = ()
    #: True when a listener has any of the attribute methods.
    attributes: bool = field(default=False)

    @classmethod
    def of(cls, listeners: Iterable[object]) -> ListenerTable:
        """Sort the methods of ``listeners``, in the order in which the listeners were declared."""
        instances = tuple(listeners)
        table = cls()
        for method in METHODS:
            bound = (getattr(listener, method, None) for listener in instances)
            setattr(table, method, tuple(m for m in bound if callable(m)))
        table.attributes = bool(
            table.session_attribute_added or table.session_attribute_removed or table.session_attribute_replaced
        )
        return table
