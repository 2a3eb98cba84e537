"""The stages of the processes of a node, on a page of memory that they share with the arbiter.

The exit code of a process does not say who chose it: an application may call ``os._exit(0)``. A process therefore
writes its stage before it ends, and only a written stage counts as a stop or as a failed start.
"""

from __future__ import annotations

import enum
import mmap
import os
import signal
import struct

from catalina.errors import CatalinaError
from catalina.workers.connection_counts import SharedMemory
from catalina.workers.shared_parts import POOL_SEATS

__all__ = ["MAX_PLACES", "NodeLife", "PoolSeats", "SharedCrew", "Stage"]


#: Within RESTART_SECONDS a node gets at most this number of restarts for which no operator has asked: an application
#: that changes its own files would otherwise restart the node for ever.
MAX_RESTARTS = 5
RESTART_SECONDS = 300.0

#: Places for processes: the node alone, or a keeper and its workers.
MAX_PLACES = 1024
_ENDING_AT = MAX_PLACES
_SERVED_AT = MAX_PLACES + 1
#: Where the times of the last restarts are in the page, in seconds of the monotonic clock, which all processes share.
_TIMES = struct.Struct(f"{MAX_RESTARTS}d")
_TIMES_AT = MAX_PLACES + 8
#: The seats of pools' workers: for each the number that stands for its application.
_SEAT = struct.Struct("I")
_SEATS_AT = 2 * MAX_PLACES
_COUNT = struct.Struct("H")
_COUNT_AT = MAX_PLACES + 2


class Stage(enum.IntEnum):
    """The stages of one life of a process."""

    STARTING = 0
    SERVING = 1
    #: The process could not start; another try would fail in the same way.
    FAILED = 2
    #: The process got the command to stop and has stopped in order.
    STOPPED = 3
    #: The process has stopped in order to be started again.
    RESTARTING = 4


class NodeLife:
    """The shared page. Make it before the fork; the arbiter resets a place for each process that it forks.

    Args:
        memory: the page of the arbiter, in a process that runs another program; None makes one.
    """

    def __init__(self, memory: SharedMemory | None = None) -> None:
        self.memory = memory or SharedMemory("catalina-life", mmap.PAGESIZE)
        self._page = self.memory.page

    def stage(self, place: int = 0) -> Stage:
        """The stage of the process in a place, as either side has written it last."""
        return Stage(self._page[place])

    def note(self, stage: Stage, place: int = 0) -> None:
        """Write the stage of the process in a place."""
        self._page[place] = stage

    @property
    def is_ending(self) -> bool:
        """True when the node got the command to stop: the arbiter does not replace processes that end now."""
        return bool(self._page[_ENDING_AT])

    def end(self) -> None:
        """The node got the command to stop."""
        self._page[_ENDING_AT] = 1

    @property
    def has_served(self) -> bool:
        """An earlier process in the first place has let workers in: they have sessions that the next one lacks."""
        return bool(self._page[_SERVED_AT])

    def served(self) -> None:
        """The process in the first place lets workers in."""
        self._page[_SERVED_AT] = 1

    @property
    def workers(self) -> int:
        """How many workers the node is to have, as the arbiter has written it."""
        count: int = _COUNT.unpack_from(self._page, _COUNT_AT)[0]
        return count

    @workers.setter
    def workers(self, count: int) -> None:
        _COUNT.pack_into(self._page, _COUNT_AT, count)

    def seat(self, number: int) -> int:
        """The number of the application that has the seat of a pool's worker; 0 for a free seat."""
        owner: int = _SEAT.unpack_from(self._page, _SEATS_AT + number * _SEAT.size)[0]
        return owner

    def give_seat(self, number: int, owner: int) -> None:
        """The keeper wants a worker in a seat, for an application that the number stands for; 0: it wants none."""
        _SEAT.pack_into(self._page, _SEATS_AT + number * _SEAT.size, owner)

    def grant_restart(self, now: float) -> bool:
        """True when the node may be restarted again at ``now``, in seconds of ``time.monotonic``; if so it counts."""
        times = sorted(_TIMES.unpack_from(self._page, _TIMES_AT))
        if times[0] and now - times[0] < RESTART_SECONDS:
            return False
        _TIMES.pack_into(self._page, _TIMES_AT, *times[1:], now)
        return True


class PoolSeats:
    """The seats of pools as the keeper gives them; the arbiter looks when it is told to."""

    def __init__(self, life: NodeLife) -> None:
        self._life = life

    def owner(self, number: int) -> int:
        """See :meth:`NodeLife.seat`."""
        return self._life.seat(number)

    def give(self, number: int, owner: int) -> None:
        """See :meth:`NodeLife.give_seat`."""
        if self._life.seat(number) != owner:
            self._life.note(Stage.STARTING, 1 + POOL_SEATS[number])  # nothing of an earlier process counts
            self._life.give_seat(number, owner)
            os.kill(os.getppid(), signal.SIGUSR1)

    def has_failed(self, number: int) -> bool:
        """See :class:`Seats`."""
        return self._life.stage(1 + POOL_SEATS[number]) is Stage.FAILED


class SharedCrew:
    """The number of workers as the keeper changes it; the arbiter does so.

    Args:
        capacity: how many the node can have.
    """

    def __init__(self, life: NodeLife, capacity: int) -> None:
        self._life = life
        self._capacity = capacity

    def count(self) -> int:
        """How many the node is to have, without those of pools."""
        return self._life.workers

    def change(self, more: int) -> int:
        """Have one more (1) or one less (-1).

        Raises:
            CatalinaError: the node cannot have so many.
        """
        wanted = self._life.workers + more
        if not 1 <= wanted <= self._capacity:
            raise CatalinaError(f"there are to be [{wanted}] workers; this node can have 1 to [{self._capacity}]")
        os.kill(os.getppid(), signal.SIGTTIN if more > 0 else signal.SIGTTOU)
        return wanted
