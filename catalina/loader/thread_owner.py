"""Notes which application started a thread, from the start of the thread on.

A thread works for the application that started it, as a Java thread inherits the context class loader. ``threading``
offers no hook, so this module wraps ``Thread.start`` once per process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace

__all__ = ["threads_of", "watch_thread_starts"]

_ATTRIBUTE = "_catalina_space"


def watch_thread_starts(asker: Asker) -> None:
    """From now on, note for each thread the application that starts it. A second call does nothing."""
    if hasattr(threading.Thread.start, _ATTRIBUTE):
        return
    plain_start: Callable[[threading.Thread], None] = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        space = asker.starts(2)
        if space is not None:
            setattr(thread, _ATTRIBUTE, space)
        plain_start(thread)

    setattr(start, _ATTRIBUTE, None)
    start.__doc__ = plain_start.__doc__
    threading.Thread.start = start  # type: ignore[method-assign,assignment]  # the one place; see the module


def threads_of(space: ImportSpace) -> list[threading.Thread]:
    """The living threads that an application started, directly or through its threads."""
    return [thread for thread in threading.enumerate() if getattr(thread, _ATTRIBUTE, None) is space]
