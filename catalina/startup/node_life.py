"""How far a node is, on a page of memory that the arbiter and the node share.

The exit code of a process does not say who chose it: an application may call ``os._exit(0)``. The node therefore
writes its stage before it ends, and only what is written there counts as a stop or as a start that failed.
"""

from __future__ import annotations

import enum
import mmap

__all__ = ["NodeLife", "Stage"]


class Stage(enum.IntEnum):
    """The stages of one life of a node."""

    STARTING = 0
    SERVING = 1
    #: The node could not start; another try would fail in the same way.
    FAILED = 2
    #: The node was told to stop and has stopped in order.
    STOPPED = 3


class NodeLife:
    """The shared page. Make it before the fork; the arbiter resets it for each node that it forks."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 1)

    @property
    def stage(self) -> Stage:
        """The stage that was written last, by either process."""
        return Stage(self._page[0])

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._page[0] = stage
