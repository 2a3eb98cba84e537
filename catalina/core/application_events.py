"""The events of an application's context and request listeners (Servlet: ServletContextListener and its siblings).

A listener is any object; its methods decide which events it gets::

    context_initialized(event)          context_destroyed(event)            ContextEvent
    context_attribute_added(event)      context_attribute_removed(event)    ContextAttributeEvent
    context_attribute_replaced(event)   the event carries the value that was there before
    request_initialized(event)          request_destroyed(event)            RequestEvent

Session listeners are in :mod:`catalina.session.session_event`. A listener that is a plain function gets only
``context_initialized``.
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
    """The application starts or stops; ``context`` is the object that becomes ``environ["catalina.context"]``."""

    context: ApplicationContext


@dataclass(frozen=True, slots=True)
class ContextAttributeEvent(ContextEvent):
    """The context attribute ``name`` has changed; the event's method documents ``value``."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class RequestEvent(ContextEvent):
    """A request enters or leaves the application's scope."""

    request: Request

    @property
    def attributes(self) -> dict[str, Any]:
        """Request attributes: an entry here is in the environ under the same name."""
        return self.request.attributes
