"""A listener: counts the sessions that begin and end on this node."""

import threading


class Visits:
    """The container calls the methods that a listener has; the counts are in the context's attributes."""

    def __init__(self):
        self._lock = threading.Lock()
        self._attributes = None

    def context_initialized(self, event):
        self._attributes = event.context.attributes
        self._attributes["examples.sessions_created"] = 0
        self._attributes["examples.sessions_ended"] = 0

    def session_created(self, event):
        self._count("examples.sessions_created")

    def session_destroyed(self, event):
        self._count("examples.sessions_ended")

    def _count(self, name):
        with self._lock:
            self._attributes[name] += 1
