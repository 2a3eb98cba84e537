"""The bean ``jolokia:type=Config``: remembers answers while a fault is looked for (Jolokia: core/util/DebugStore).

The name is Jolokia's; up to 1.x the bean had the operations of the history, too, which 2.x has in a bean of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from catalina.attributes import Attribute, Component
from catalina.mbeans.audit import Caller
from catalina.operations import Impact, operation

__all__ = ["Debug"]

#: Answers that are remembered, and characters of each.
MAX_ENTRIES, MAX_TEXT = 1000, 4096


class Debug(Component):
    """Remembers the latest answers. Any thread."""

    bean_class = "org.jolokia.server.core.backend.Config"
    bean_names = {"debug": "Debug", "maxDebugEntries": "MaxDebugEntries"}

    debug = Attribute(bool, False, doc="Remember answers; false forgets them.")
    max_debug_entries = Attribute(int, 100, unit="answers", doc="Answers that are remembered, at most.")

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._entries: deque[str] = deque(maxlen=MAX_ENTRIES)

    def note(self, answer: Mapping[str, Any], caller: Caller) -> None:
        """Remember an answer, if that is switched on."""
        if self.debug:
            text = f"{int(time.time())}: Response to {caller}: {json.dumps(answer)[:MAX_TEXT]}"
            with self._lock:
                self._entries.append(text)
                self._trim()

    @operation(impact=Impact.INFO)
    def debug_info(self) -> str:
        """The remembered answers, the oldest first, one on a line with its time."""
        with self._lock:
            self._trim()
            return "".join(f"{entry}\n" for entry in self._entries)

    @operation
    def reset_debug_info(self) -> None:
        """Forget the answers."""
        with self._lock:
            self._entries.clear()

    def _trim(self) -> None:
        most = max(0, self.max_debug_entries) if self.debug else 0
        while len(self._entries) > most:
            self._entries.popleft()
