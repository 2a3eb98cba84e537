"""Keeps the mapper in step with the containers (Tomcat: mapper/MapperListener.java).

An application is in the map from the end of its start to the beginning of its stop. During a reload it stays there,
paused, so that requests wait instead of getting a 404.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from catalina.attributes import Component
from catalina.connector.carried import Context, Host
from catalina.operations import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catalina.lifecycle import LifecycleEvent, LifecycleState
    from catalina.mapper.mapper import Mapper
    from catalina.mapper.servlet_map import ServletMap

__all__ = ["MapperListener"]

log = logging.getLogger("org.apache.catalina.mapper.MapperListener")


class Change(Protocol):
    """A container event: ``addChild``, ``removeChild``, ``addAlias``, ``mappings`` ..."""

    @property
    def type(self) -> str: ...

    @property
    def container(self) -> object: ...

    @property
    def data(self) -> Any: ...


class Watched(Protocol):
    """A container that says what changes in it."""

    def add_container_listener(self, listener: Callable[[Change], None]) -> None: ...

    def remove_container_listener(self, listener: Callable[[Change], None]) -> None: ...


class WatchedContext(Context, Watched, Protocol):
    """An application."""

    @property
    def host(self) -> Host: ...

    @property
    def servlet_map(self) -> ServletMap: ...

    @property
    def state(self) -> LifecycleState: ...

    def add_lifecycle_listener(self, listener: Callable[[LifecycleEvent], None]) -> None: ...

    def remove_lifecycle_listener(self, listener: Callable[[LifecycleEvent], None]) -> None: ...


class WatchedHost(Host, Watched, Protocol):
    """A host."""

    @property
    def aliases(self) -> Sequence[str]: ...

    @property
    def contexts(self) -> Sequence[WatchedContext]: ...


class WatchedEngine(Watched, Protocol):
    """The engine."""

    @property
    def default_host(self) -> str | None: ...

    @property
    def hosts(self) -> Sequence[WatchedHost]: ...


class WatchedService(Protocol):
    """The service whose engine is mapped."""

    @property
    def engine(self) -> WatchedEngine | None: ...

    @property
    def mapper(self) -> Mapper: ...


class MapperListener(Component):
    """Listens to the engine, its hosts and their applications."""

    def __init__(self, service: WatchedService) -> None:
        super().__init__()
        self._service = service
        self._mapper = service.mapper
        self._listens = False

    @property
    @readable("stateName")
    def state(self) -> str:
        """STARTED while it follows the containers, else STOPPED."""
        return "STARTED" if self._listens else "STOPPED"

    def start(self) -> None:
        """Register the existing hosts and applications, then listen."""
        engine = self._service.engine
        if engine is None:
            return
        self._set_default_host()
        engine.add_container_listener(self._engine_event)
        for host in engine.hosts:
            self._register_host(host)
        self._listens = True

    def stop(self) -> None:
        """Stop listening; the map stays as it is, because the connectors have stopped."""
        engine = self._service.engine
        if engine is None:
            return
        self._listens = False
        engine.remove_container_listener(self._engine_event)
        for host in engine.hosts:
            self._forget_host(host)

    def _set_default_host(self) -> None:
        engine = self._service.engine
        if engine is None:
            return
        wanted = (engine.default_host or "").lower()
        for host in engine.hosts:
            names = {host.name.lower(), *(alias.lower() for alias in host.aliases)}
            if wanted and wanted in names:
                self._mapper.default_host_name = host.name.lower()
                return
        log.error("Unknown default host [%s] for service [%s]", engine.default_host, self._service)

    def _engine_event(self, event: Change) -> None:
        if event.type == "addChild":
            self._register_host(event.data)
            self._set_default_host()
        elif event.type == "removeChild":
            self._forget_host(event.data)
            self._mapper.remove_host(event.data)

    def _register_host(self, host: WatchedHost) -> None:
        self._mapper.add_host(host, tuple(host.aliases))
        host.add_container_listener(self._host_event)
        for context in host.contexts:
            self._watch(context)

    def _forget_host(self, host: WatchedHost) -> None:
        host.remove_container_listener(self._host_event)
        for context in host.contexts:
            context.remove_lifecycle_listener(self._context_event)
            context.remove_container_listener(self._mapping_event)

    def _host_event(self, event: Change) -> None:
        match event.type:
            case "addChild":
                self._watch(event.data)
            case "removeChild":
                event.data.remove_lifecycle_listener(self._context_event)
                event.data.remove_container_listener(self._mapping_event)
                if event.data.paused:  # its requests wait for the application that comes in its place
                    self._mapper.forget_answers()
                else:
                    self._mapper.remove_context(event.container, event.data)  # type: ignore[arg-type]  # see above
            case "unavailable":
                self._mapper.remove_context(event.container, event.data)  # type: ignore[arg-type]  # see above
            case "addAlias":
                self._mapper.add_alias(event.container, event.data)  # type: ignore[arg-type]  # a host's listener
            case "removeAlias":
                self._mapper.remove_alias(event.data)

    def _watch(self, context: WatchedContext) -> None:
        context.add_lifecycle_listener(self._context_event)
        context.add_container_listener(self._mapping_event)
        if context.state.available:
            self._register(context)

    def _context_event(self, event: LifecycleEvent) -> None:
        context: WatchedContext = event.source  # type: ignore[assignment]  # listens to contexts only
        if event.type == "after_start":
            self._register(context)
        elif event.type == "before_stop":
            if context.paused:
                self._mapper.forget_answers()
            else:
                self._unregister(context)

    def _mapping_event(self, event: Change) -> None:
        """A running application has another servlet map, or a reload has failed."""
        if event.type == "mappings":
            self._register(event.container)  # type: ignore[arg-type]  # listens to contexts only
        elif event.type == "unavailable":
            self._unregister(event.container)  # type: ignore[arg-type]  # listens to contexts only

    def _register(self, context: WatchedContext) -> None:
        self._mapper.add_context(context.host, context.servlet_map)

    def _unregister(self, context: WatchedContext) -> None:
        self._mapper.remove_context(context.host, context)
