"""Base of what a ``<Listener>`` element makes (Tomcat: LifecycleListener.java)."""

from __future__ import annotations

from catalina.attributes import Component
from catalina.lifecycle import LifecycleEvent

__all__ = ["LifecycleListener"]


class LifecycleListener(Component):
    """Is told every lifecycle event of the component that it stands in; a subclass overrides
    :meth:`lifecycle_event`."""

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """One event. Raising stops what is going on: that is how a listener refuses a start."""

    def __call__(self, event: LifecycleEvent) -> None:
        self.lifecycle_event(event)
