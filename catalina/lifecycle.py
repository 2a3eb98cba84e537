"""Tomcat's lifecycle: states, events and the transitions between them (Tomcat: Lifecycle.java,
util/LifecycleBase.java).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from catalina.attributes import Component, Element
from catalina.errors import LifecycleError

__all__ = ["LISTENER", "Lifecycle", "LifecycleEvent", "LifecycleState"]

log = logging.getLogger("org.apache.catalina.util.LifecycleBase")


class LifecycleState(Enum):
    """Tomcat's states; the value is (name, event fired on entry, whether the component is available)."""

    NEW = ("NEW", None, False)
    INITIALIZING = ("INITIALIZING", "before_init", False)
    INITIALIZED = ("INITIALIZED", "after_init", False)
    STARTING_PREP = ("STARTING_PREP", "before_start", False)
    STARTING = ("STARTING", "start", True)
    STARTED = ("STARTED", "after_start", True)
    STOPPING_PREP = ("STOPPING_PREP", "before_stop", True)
    STOPPING = ("STOPPING", "stop", False)
    STOPPED = ("STOPPED", "after_stop", False)
    DESTROYING = ("DESTROYING", "before_destroy", False)
    DESTROYED = ("DESTROYED", "after_destroy", False)
    FAILED = ("FAILED", None, False)

    def __init__(self, label: str, event: str | None, available: bool) -> None:
        self.label = label
        self.event = event
        self.available = available


S = LifecycleState

#: State -> the states that a call passes through. A state that is not listed refuses the call; with an empty tuple
#: there is nothing to do. The hook (``_init``, ``_start`` ...) runs on entering the state named in HOOKS.
INIT: dict[S, tuple[S, ...]] = {S.NEW: (S.INITIALIZING, S.INITIALIZED)}
START: dict[S, tuple[S, ...]] = {
    S.NEW: (S.INITIALIZING, S.INITIALIZED, S.STARTING_PREP, S.STARTING, S.STARTED),
    S.INITIALIZED: (S.STARTING_PREP, S.STARTING, S.STARTED),
    S.STOPPED: (S.STARTING_PREP, S.STARTING, S.STARTED),
    S.FAILED: (S.STOPPING, S.STOPPED, S.STARTING_PREP, S.STARTING, S.STARTED),
    S.STARTING_PREP: (),
    S.STARTING: (),
    S.STARTED: (),
}
STOP: dict[S, tuple[S, ...]] = {
    S.STARTED: (S.STOPPING_PREP, S.STOPPING, S.STOPPED),
    S.STARTING: (S.STOPPING_PREP, S.STOPPING, S.STOPPED),
    S.FAILED: (S.STOPPING, S.STOPPED),
    S.NEW: (S.STOPPED,),
    S.INITIALIZED: (S.STOPPED,),
    S.STOPPING_PREP: (),
    S.STOPPING: (),
    S.STOPPED: (),
}
DESTROY: dict[S, tuple[S, ...]] = {
    S.NEW: (S.DESTROYING, S.DESTROYED),
    S.INITIALIZED: (S.DESTROYING, S.DESTROYED),
    S.STOPPED: (S.DESTROYING, S.DESTROYED),
    S.FAILED: (S.STOPPING, S.STOPPED, S.DESTROYING, S.DESTROYED),
    S.DESTROYING: (),
    S.DESTROYED: (),
}


#: Verbs in Tomcat's messages that differ from the method's name.
TEXTS = {"init": "initialize"}


class LifecycleEvent(NamedTuple):
    """An event for a lifecycle listener: the component, Tomcat's event name (``before_start``), and data of the
    event.
    """

    source: Lifecycle
    type: str
    data: Any = None


class Lifecycle(Component):
    """A component with ``init()``, ``start()``, ``stop()`` and ``destroy()``.

    A subclass puts its own work into ``_init``, ``_start``, ``_stop`` and ``_destroy``; they may raise, which leaves
    the component FAILED. ``_stop`` also cleans up after a failed start, so it must cope with half-started parts.
    ``_stop`` is not called for a component that was never started.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.state = LifecycleState.NEW
        self._lifecycle_listeners: list[Callable[[LifecycleEvent], None]] = []

    def __str__(self) -> str:
        return type(self).__name__

    def add_lifecycle_listener(self, listener: Callable[[LifecycleEvent], None]) -> None:
        """Call ``listener(event)`` for every later event of this component."""
        self._lifecycle_listeners.append(listener)

    def remove_lifecycle_listener(self, listener: Callable[[LifecycleEvent], None]) -> None:
        """Undo :meth:`add_lifecycle_listener`; unknown listeners are ignored."""
        if listener in self._lifecycle_listeners:
            self._lifecycle_listeners.remove(listener)

    @property
    def lifecycle_listeners(self) -> tuple[Callable[[LifecycleEvent], None], ...]:
        """The listeners, in the order in which they were added."""
        return tuple(self._lifecycle_listeners)

    def fire_lifecycle_event(self, kind: str, data: object = None) -> None:
        """Tell every listener, in the order they were added."""
        event = LifecycleEvent(self, kind, data)
        for listener in tuple(self._lifecycle_listeners):
            listener(event)

    def init(self) -> None:
        """Acquire everything that is needed before anything starts. Raises LifecycleError."""
        self._walk("init", INIT)

    def start(self) -> None:
        """Start, from NEW through INITIALIZED. Starting a started component logs a line and does nothing."""
        self._walk("start", START)

    def stop(self) -> None:
        """Stop; a component that never started goes to STOPPED without its hook."""
        self._walk("stop", STOP)

    def destroy(self) -> None:
        """Release everything; the component cannot be used again."""
        self._walk("destroy", DESTROY)

    def _init(self) -> None: ...

    def _start(self) -> None: ...

    def _stop(self) -> None: ...

    def _destroy(self) -> None: ...

    def _walk(self, verb: str, table: dict[S, tuple[S, ...]]) -> None:
        steps = table.get(self.state)
        if steps is None:
            raise LifecycleError(f"{self}: {verb}() is not possible in state {self.state.label}")
        if not steps:
            log.info("The %s() method was called on component [%s] after it was already called; ignored", verb, self)
            return
        for state in steps:
            self.state = state
            try:
                if state.event:
                    self.fire_lifecycle_event(state.event)
                hook = HOOKS.get(state)
                if hook is not None:
                    hook(self)
            except BaseException as exc:
                self.state = LifecycleState.FAILED
                if isinstance(exc, LifecycleError):
                    raise
                raise LifecycleError(f"Failed to {TEXTS.get(verb, verb)} component [{self}]: {exc}") from exc


#: A component does its own work on entering these states, after the state's event. As in Tomcat's containers, the
#: ``start`` event comes after ``_start`` (HostConfig deploys on it), the ``stop`` event before ``_stop``.
HOOKS: dict[S, Callable[[Lifecycle], None]] = {
    S.INITIALIZING: lambda component: component._init(),
    S.STARTING_PREP: lambda component: component._start(),
    S.STOPPING: lambda component: component._stop(),
    S.DESTROYING: lambda component: component._destroy(),
}

#: ``<Listener>``, in whatever component: the object is called with each LifecycleEvent of that component.
LISTENER = Element(add=Lifecycle.add_lifecycle_listener, role=Callable)  # type: ignore[arg-type]  # issubclass() knows it
