"""When a worker is replaced by a fresh process: the properties ``catalina.worker.maxMemory`` and ``maxRequests``.

Applications whose memory only grows are the reason, as for gunicorn's and uWSGI's options of these names. The worker
ends in order, as for HUP: another one goes on with its connections, and the keeper has its sessions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from catalina.errors import ConfigurationError

__all__ = ["MAX_MEMORY", "MAX_REQUESTS", "WorkerLimits"]

MAX_MEMORY = "catalina.worker.maxMemory"
MAX_REQUESTS = "catalina.worker.maxRequests"

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Workers began together: each is granted so much more than the one before it, so that they do not end together.
SPREAD = 0.1


def resident_bytes() -> int:
    """The memory that this process has in use (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


class WorkerLimits:
    """Says when a worker has had enough.

    Args:
        properties: the node's.
        index: of the worker, from 0.
        memory: how many bytes this process uses.

    Raises:
        ConfigurationError: a property is no limit.
    """

    def __init__(self, properties: Mapping[str, str], index: int, memory: Callable[[], int] = resident_bytes) -> None:
        self.max_memory = _number(properties, MAX_MEMORY, r"(\d+)\s*([KMG]?)B?")
        self.max_requests = int(_number(properties, MAX_REQUESTS, r"(\d+)()") * (1 + SPREAD * index))
        self._memory = memory

    @property
    def is_set(self) -> bool:
        """True when there is any limit."""
        return bool(self.max_memory or self.max_requests)

    def exceeded(self, requests: int) -> str:
        """Why the worker is to be replaced, for the log; empty while it is not.

        Args:
            requests: that it has served.
        """
        if self.max_requests and requests >= self.max_requests:
            return f"it has served {requests} requests, {MAX_REQUESTS} grants it {self.max_requests}"
        if self.max_memory and (used := self._memory()) > self.max_memory:
            return f"it uses {used} bytes of memory, the limit {MAX_MEMORY} is {self.max_memory}"
        return ""


def _number(properties: Mapping[str, str], name: str, form: str) -> int:
    text = properties.get(name, "").strip()
    if not text:
        return 0
    found = re.fullmatch(form, text, re.IGNORECASE)
    if found is None or len(found[1]) > 15:
        units = ", or one with K, M or G behind it" if "KMG" in form else ""
        raise ConfigurationError(f"the property {name}={text}: expected a whole number{units}")
    return int(found[1]) * _UNITS[found[2].upper()]
