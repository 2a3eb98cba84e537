"""The listeners of one application: made and called in file order, at the end in reverse.

Tomcat: StandardContext.listenerStart, listenerStop, fireRequestInitEvent.

A listener is any object (Servlet: ServletContextListener and its siblings); its methods decide which events it gets::

    context_initialized(event)          context_destroyed(event)            ContextEvent
    context_attribute_added(event)      context_attribute_removed(event)    ContextAttributeEvent
    context_attribute_replaced(event)   the event carries the value that was there before
    request_initialized(event)          request_destroyed(event)            RequestEvent

Session listeners are in :mod:`catalina.session.session_event`. A listener that is a plain function gets only
``context_initialized``.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalina.errors import DeploymentError
from catalina.loader.load_failure import describe_failure
from catalina.loader.object_names import find_object, instantiate

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.core.application_context import ApplicationContext
    from catalina.core.standard_context import StandardContext

__all__ = ["ApplicationListeners", "ContextAttributeEvent", "ContextEvent", "RequestEvent"]


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


class ApplicationListeners:
    """The instances, and those among them that listen to requests and context attributes."""

    def __init__(self, context: StandardContext) -> None:
        self._context = context
        self.instances: list[object] = []
        self._initialized: list[object] = []
        self.request_initialized: tuple[Callable[[RequestEvent], None], ...] = ()
        self.request_destroyed: tuple[Callable[[RequestEvent], None], ...] = ()
        self._attribute_methods: dict[str, tuple[Callable[[ContextAttributeEvent], None], ...]] = {}

    def make(self, names: list[str]) -> bool:
        """Make an instance of each; returns False, after logging, when one cannot be made."""
        context = self._context
        good = True
        for name in names:
            try:
                self.instances.append(instantiate(find_object(context.loader, name), name, {}, context.logger))
            except DeploymentError as exc:
                context.logger.error("Error configuring application listener of class [%s]: %s", name, exc)
                context.note_failure(f"listener [{name}]: {exc}")
                good = False
        self.request_initialized = self._methods("request_initialized")
        self.request_destroyed = self._methods("request_destroyed")[::-1]
        for kind in ("added", "removed", "replaced"):
            self._attribute_methods[kind] = self._methods(f"context_attribute_{kind}")
        return good

    def _methods(self, name: str) -> tuple[Callable[..., None], ...]:
        found = (getattr(listener, name, None) for listener in self.instances)
        return tuple(method for method in found if callable(method))

    def start(self) -> bool:
        """Call ``context_initialized`` of all; returns False, after logging, when one of them fails."""
        event = ContextEvent(self._context.application_context)
        good = True
        for listener in self.instances:
            method: Any = getattr(listener, "context_initialized", None)
            if method is None and isinstance(listener, types.FunctionType):
                method = listener
            self._initialized.append(listener)
            if method is not None:
                good = self._tell("context initialized", listener, method, event) and good
        return good

    def stop(self) -> None:
        """Call ``context_destroyed``, last made first, of those that were told of the start."""
        event = ContextEvent(self._context.application_context)
        for listener in reversed(self._initialized):
            method = getattr(listener, "context_destroyed", None)
            if callable(method):
                self._tell("context destroyed", listener, method, event)
        self.instances.clear()
        self._initialized.clear()
        self.request_initialized = self.request_destroyed = ()
        self._attribute_methods.clear()

    def attribute_changed(self, kind: str, name: str, value: object) -> None:
        """A context attribute was ``added``, ``removed`` or ``replaced``; a failing listener is logged."""
        for method in self._attribute_methods.get(kind, ()):
            event = ContextAttributeEvent(self._context.application_context, name, value)
            self._tell(f"attribute {kind}", method, method, event)

    def fire_request_initialized(self, request: Request) -> bool:
        """Tell all of a request; returns False when a listener fails: the request then gets its exception (a 500)."""
        event = RequestEvent(self._context.application_context, request)
        for method in self.request_initialized:
            try:
                method(event)
            except BaseException as exc:  # noqa: BLE001 - the application's own code
                self._failed("request initialized", method, exc)
                request.response.exception = exc
                return False
        return True

    def fire_request_destroyed(self, request: Request) -> None:
        """Tell all of a request's end; a listener's exception is logged and becomes the request's."""
        event = RequestEvent(self._context.application_context, request)
        for method in self.request_destroyed:
            try:
                method(event)
            except BaseException as exc:  # noqa: BLE001 - the application's own code
                self._failed("request destroyed", method, exc)
                request.response.exception = exc

    def _tell(self, what: str, listener: object, method: Callable[..., None], event: object) -> bool:
        try:
            with self._context.loader.bound():
                method(event)
        except BaseException as exc:  # noqa: BLE001 - the application's own code
            self._failed(what, listener, exc)
            if not self._context.state.available:  # the application is starting
                self._context.note_failure(f"listener [{_name(listener)}]: {describe_failure(exc)}")
            return False
        return True

    def _failed(self, what: str, listener: object, exc: BaseException) -> None:
        self._context.logger.error("Exception sending %s event to listener %s", what, _name(listener), exc_info=exc)


def _name(listener: object) -> str:
    """The name of its class or function; its own repr() is the application's code, which may fail again."""
    named = getattr(listener, "__func__", listener)
    named = named if isinstance(named, types.FunctionType) else type(named)
    return f"{named.__module__}.{named.__qualname__}"
