"""Adds the listener that configures a container from files: HostConfig of a Host, ContextConfig of a Context.

Both live in ``catalina.startup``, above this package, so they are found by their className; an operator may name others
(``hostConfigClass``, ``configClass``; Tomcat: LifecycleListenerRule.java).
"""

from __future__ import annotations

from catalina.digester.class_names import find_class
from catalina.errors import LifecycleError
from catalina.lifecycle import Lifecycle

__all__ = ["add_config_listener"]


def add_config_listener(container: Lifecycle, class_name: str) -> None:
    """Add an instance of ``class_name`` as a lifecycle listener, unless one listens already.

    Raises:
        LifecycleError: there is no such class.
    """
    if not class_name:
        return
    listener_class = find_class(class_name)
    if listener_class is None:
        raise LifecycleError(f"{container}: no class answers to the className {class_name!r}")
    for listener in container.lifecycle_listeners:
        if isinstance(getattr(listener, "__self__", listener), listener_class):
            return
    container.add_lifecycle_listener(listener_class())
