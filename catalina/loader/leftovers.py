"""Clears the leftovers of a stopped application where that is safe, and reports them where it is not.

Tomcat: loader/WebappClassLoaderBase.java, ``clearReferences``.
"""

from __future__ import annotations

import linecache
import logging
import sys
import threading
import traceback
import typing
import weakref
from collections.abc import Callable
from typing import Any

from catalina.loader.import_space import ImportSpace
from catalina.loader.thread_owner import threads_of

__all__ = ["cancel_timers", "clear_references", "find_leaks", "remember_left", "report_threads"]

log = logging.getLogger("org.apache.catalina.loader.WebappClassLoaderBase")

#: Seconds that a cancelled timer gets to end; one whose function already runs is reported as a thread.
TIMER_SECONDS = 1.0

THREAD_LEFT = (
    "The web application [%s] appears to have started a thread named [%s] but has failed to stop it. "
    "This is very likely to create a memory leak. Stack trace of thread:\n%s"
)


#: Threads that stopped applications have left running -> host and name of the application.
_left: weakref.WeakKeyDictionary[threading.Thread, tuple[str, str]] = weakref.WeakKeyDictionary()


def remember_left(host: str, name: str, threads: list[threading.Thread]) -> None:
    """Note what :func:`report_threads` has found, for :func:`find_leaks`."""
    for thread in threads:
        _left[thread] = (host, name)


def find_leaks(host: str) -> list[str]:
    """Names of the host's stopped applications of which threads still run, each once."""
    left = [(owner, name) for thread, (owner, name) in list(_left.items()) if thread.is_alive()]
    return sorted({name for owner, name in left if owner == host})


def report_threads(space: ImportSpace, name: str) -> list[threading.Thread]:
    """Log each thread that the application started and did not stop.

    Returns:
        Those threads.
    """
    me = threading.current_thread()
    left = [thread for thread in threads_of(space) if thread is not me and thread.is_alive()]
    frames = sys._current_frames()
    for thread in left:
        frame = frames.get(thread.ident or 0)
        stack = "".join(traceback.format_stack(frame)).rstrip() if frame is not None else "    (has just ended)"
        log.warning(THREAD_LEFT, name, thread.name, stack, extra={"keeps_lines": True})
    return left


def cancel_timers(space: ImportSpace, name: str) -> None:
    """Cancel the application's ``threading.Timer`` objects that have not run yet."""
    for thread in threads_of(space):
        if isinstance(thread, threading.Timer) and thread.is_alive():
            thread.cancel()
            thread.join(TIMER_SECONDS)
            log.warning("The web application [%s] left a timer [%s]; it is cancelled", name, thread.name)


def clear_references(space: ImportSpace) -> None:
    """Drop everything that the interpreter remembers of an application's files, so that its modules can be freed."""
    sys.path[:] = [entry for entry in sys.path if not space.owns_file(entry)]
    caches: tuple[dict[str, Any], ...] = (sys.path_importer_cache, linecache.cache)
    for cache in caches:
        for file in [file for file in cache if space.owns_file(file)]:
            del cache[file]
    _forget_generic_aliases()
    _drop_log_handlers(space)


def _forget_generic_aliases() -> None:
    """Clear the cache in which ``typing`` keeps aliases such as ``list[Cart]``, because each alias holds its class."""
    cleanups: list[Callable[[], None]] = getattr(typing, "_cleanups", [])
    for cleanup in cleanups:
        cleanup()


def _drop_log_handlers(space: ImportSpace) -> None:
    """Remove handlers of the application's own classes from shared loggers, which would go on calling them and keep
    them alive.
    """
    loggers = [logging.root, *(item for item in logging.root.manager.loggerDict.values())]
    for logger in loggers:
        if not isinstance(logger, logging.Logger):
            continue
        for handler in list(logger.handlers):
            code = getattr(type(handler).emit, "__code__", None)
            if code is not None and space.owns_file(code.co_filename):
                logger.removeHandler(handler)
                log.warning("The web application [%s] left a log handler on [%s]; removed", space.name, logger.name)
