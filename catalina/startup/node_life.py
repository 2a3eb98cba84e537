"""How far a node is, on a page of memory that the arbiter and the node share.

The exit code of a process does not say who chose it: an application may call ``os._exit(0)``. The node therefore
writes its stage before it ends, and only what is written there counts as a stop or as a start that failed.
"""

from __future__ import annotations

import enum
import mmap
import struct

__all__ = ["NodeLife", "Stage"]


#: So many restarts that nobody asked for are granted in so many seconds: an application that changes its own files
#: would have the node restarted for ever.
MAX_RESTARTS = 5
RESTART_SECONDS = 300.0

#: Where the times of the last restarts are in the page, in seconds of the monotonic clock, which all processes share.
_TIMES = struct.Struct(f"{MAX_RESTARTS}d")
_TIMES_AT = 8


class Stage(enum.IntEnum):
    """The stages of one life of a node."""

    STARTING = 0
    SERVING = 1
    #: The node could not start; another try would fail in the same way.
    FAILED = 2
    #: The node was told to stop and has stopped in order.
    STOPPED = 3
    #: The node has stopped in order to be started again.
    RESTARTING = 4


class NodeLife:
    """The shared page. Make it before the fork; the arbiter resets it for each node that it forks."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def stage(self) -> Stage:
        """The stage that was written last, by either process."""
        return Stage(self._page[0])

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._page[0] = stage

    def grant_restart(self, now: float) -> bool:
        """True when the node may be restarted again at ``now``, in seconds of ``time.monotonic``; if so it counts."""
        times = sorted(_TIMES.unpack_from(self._page, _TIMES_AT))
        if times[0] and now - times[0] < RESTART_SECONDS:
            return False
        _TIMES.pack_into(self._page, _TIMES_AT, *times[1:], now)
        return True
