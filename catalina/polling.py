"""Wait for one descriptor with ``poll(2)``.

``select(2)`` takes no descriptor beyond 1023, and a server with many clients has those.
"""

from __future__ import annotations

import math
import select
from typing import Protocol

__all__ = ["is_ready"]


class _HasDescriptor(Protocol):
    def fileno(self) -> int: ...


def is_ready(source: int | _HasDescriptor, events: int, seconds: float) -> bool:
    """Wait until a descriptor is ready, has failed or is closed at the other end.

    Args:
        events: ``select.POLLIN``, ``select.POLLOUT`` or both.
        seconds: the longest wait; ``math.inf`` for ever, zero or less for a look only.
    """
    poll = select.poll()
    poll.register(source, events)
    return bool(poll.poll(None if seconds == math.inf else max(0.0, seconds * 1000)))
