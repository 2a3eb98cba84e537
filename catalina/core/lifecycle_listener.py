"""Base class of the objects of ``<Listener>`` elements (Tomcat: LifecycleListener.java)."""

from __future__ import annotations

from catalina.attributes import Component
from catalina.lifecycle import LifecycleEvent

__all__ = ["LifecycleListener"]


class LifecycleListener(Component):
    """Gets every lifecycle event of its component; a subclass overrides :meth:`lifecycle_event`."""

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Handle one event. An exception ends the current operation; that is how a listener refuses a start."""

    def __call__(self, event: LifecycleEvent) -> None:
        self.lifecycle_event(event)
