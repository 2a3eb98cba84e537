"""What an application's context and request listeners are told (Servlet: ServletContextListener and its siblings).

A listener is any object; the methods it has say what it wants to hear::

    context_initialized(event)          context_destroyed(event)            ContextEvent
    context_attribute_added(event)      context_attribute_removed(event)    ContextAttributeEvent
    context_attribute_replaced(event)   the event carries the value that was there before
    request_initialized(event)          request_destroyed(event)            RequestEvent

Session listeners are in :mod:`catalina.session.session_event`. A listener that is a plain function hears
``context_initialized`` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.core.application_context import ApplicationContext

__all__ = ["ContextAttributeEvent", "ContextEvent", "RequestEvent"]


@dataclass(frozen=True, slots=True)
class ContextEvent:
    """The application starts or stops; ``context`` is what ``environ["catalina.context"]`` will be."""

    context: ApplicationContext


@dataclass(frozen=True, slots=True)
class ContextAttributeEvent(ContextEvent):
    """The context attribute ``name`` has changed; ``value`` as the event's method documents."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class RequestEvent(ContextEvent):
    """A request comes in or goes out of the application's scope."""

    request: Request

    @property
    def attributes(self) -> dict[str, Any]:
        """Request attributes: what is put here is in the environ under the same name."""
        return self.request.attributes
