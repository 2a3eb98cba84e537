"""Virtual time, and who waits in it: every node of a run in one thread, everything from one seed.

A callback runs in a greenlet. Where real code waits for an event, its greenlet is put aside and the others go on, as
with threads; where it holds the reactor's role, the role is free from then on. Nothing else can be interrupted.
"""

from __future__ import annotations

import contextlib
import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from greenlet import getcurrent, greenlet

from catalina.ha.request_deliveries import current
from catalina.ha.surroundings import Surroundings
from catalina.reactor import CATCH_UP_SECONDS, CATCH_UP_TICK, Timer
from catalina.session.steady_clock import SteadyClock

__all__ = ["Process", "SimEvent", "SimReactor", "SimSurroundings", "World"]

Task = Callable[[], None]

#: The wall clock at the beginning of a run.
EPOCH = 1_700_000_000.0


class World:
    """A heap of callbacks in the order of their virtual times; the seed decides between equal ones."""

    def __init__(self, seed: object) -> None:
        self.now = 1000.0
        self.random = random.Random(f"world {seed}")
        self._heap: list[tuple[float, float, int, Task | greenlet]] = []
        self._count = 0
        self._idle: list[greenlet] = []
        self._hub = getcurrent()
        self.steps = 0

    def after(self, seconds: float, task: Task | greenlet) -> None:
        """Run a task later, or let a greenlet that waits go on."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + seconds, self.random.random(), self._count, task))

    def run_until(self, end: float) -> None:
        """Let time pass. A fault in a callback ends it."""
        self._hub = getcurrent()
        heap = self._heap
        while heap and heap[0][0] <= end:
            self.now, _, _, task = heapq.heappop(heap)
            self.steps += 1
            if isinstance(task, greenlet):
                task.switch()
            else:
                worker = self._idle.pop() if self._idle else greenlet(self._work, self._hub)
                worker.switch(task)
        self.now = end

    def _work(self, task: Task) -> None:
        while True:
            task()
            self._idle.append(getcurrent())
            task = self._hub.switch()

    def pause(self) -> None:
        """Let the others go on until somebody resumes this greenlet."""
        noted = current.noted
        deliveries, noted.deliveries = noted.deliveries, None  # that of a thread of its own, in a real process
        self._hub.switch()
        noted.deliveries = deliveries


class Process:
    """One life of a node: it can end, and stand still. Everything it does is run by :meth:`run`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alive = True
        self.frozen = False
        self._input: deque[Task | greenlet] = deque()
        self._rest: deque[Task | greenlet] = deque()
        self._catching_up: list[Callable[[], bool]] | None = None
        self._catch_up_until = 0.0
        self.reactor = SimReactor(self)

    def run(self, task: Task, is_input: bool = False) -> None:
        """Run a callback of the loop now, or when the process goes on; ``is_input``: it waits in a socket meanwhile.

        Only the world calls this. Code inside of a callback uses ``reactor.call_soon``.
        """
        if not self.alive:
            return
        if self.frozen:
            (self._input if is_input else self._rest).append(task)
        else:
            self.reactor.run(task)

    def later(self, seconds: float, task: Task) -> None:
        self.world.after(seconds, lambda: self.run(task))

    def resume(self, waiting: greenlet) -> None:
        """Let a thread that waits go on; after the end of the process it never does."""
        if self.alive and self.frozen:
            self._rest.append(waiting)
        elif self.alive:
            self.world.after(0, waiting)

    def thread(self, task: Task) -> None:
        """Run something in a thread that is not the loop's."""
        self.world.after(0, lambda: self._run_thread(task))

    def _run_thread(self, task: Task) -> None:
        if self.alive and self.frozen:
            self._rest.append(lambda: self.thread(task))
        elif self.alive:
            task()

    def thaw(self) -> None:
        """Go on: the sockets of the group first, then what wants to be up to date before anything else, then the rest.

        Input that comes meanwhile waits for its turn.
        """
        if not self.alive:
            return
        if self._input:
            self.world.after(0, lambda: self._thaw_one(self._input))
            return
        if self._catching_up is None:
            begun = [begin() for begin in tuple(self.reactor.on_standstill)]
            self._catching_up = [condition for condition in begun if condition is not None]
            self._catch_up_until = self.world.now + CATCH_UP_SECONDS
        self._catching_up = [condition for condition in self._catching_up if not condition()]
        if self._catching_up and self.world.now < self._catch_up_until:
            self.world.after(CATCH_UP_TICK, self.thaw)
        elif self._rest:
            self.world.after(0, lambda: self._thaw_one(self._rest))
        else:
            self.frozen, self._catching_up = False, None

    def _thaw_one(self, queue: deque[Task | greenlet]) -> None:
        task = queue.popleft()
        self.world.after(0, self.thaw)
        if isinstance(task, greenlet):
            self.world.after(0, task)
        else:
            self.reactor.run(task)


class SimReactor:
    """The part of a Reactor that needs no sockets."""

    name = "simulated"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._soon: deque[Task] = deque()
        self._after_input: deque[Task] = deque()
        self._after_work: deque[Task] = deque()
        self._round_end: deque[Task] = deque()
        self._steps = (self._after_input, self._after_work, self._round_end)
        self._runner: greenlet | None = None
        self.make_socket: Callable[[], Any] | None = None
        self._is_due = False
        self.on_standstill: list[Callable[[], Callable[[], bool] | None]] = []

    @property
    def in_runner(self) -> bool:
        return self._runner is getcurrent()

    def run(self, task: Task) -> None:
        """A round: one callback, and what it puts off."""
        me = self._runner = getcurrent()
        task()
        if self._runner is not me:
            return
        for _ in range(len(self._soon)):
            self._soon.popleft()()
            if self._runner is not me:
                return
        for step in self._steps:
            while step:
                step.popleft()()
                if self._runner is not me:
                    return
        self._runner = None

    def _put_off(self, step: deque[Task], task: Task) -> None:
        step.append(task)
        if not self.in_runner:
            self._wake()

    def _wake(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._process.later(0, self._woken)

    def _woken(self) -> None:
        self._is_due = False

    def call_soon(self, task: Task) -> None:
        self._soon.append(task)
        self._wake()

    def after_input(self, task: Task) -> None:
        self._put_off(self._after_input, task)

    def after_work(self, task: Task) -> None:
        self._put_off(self._after_work, task)

    def at_round_end(self, task: Task) -> None:
        self._put_off(self._round_end, task)

    def call_later(self, seconds: float, task: Task) -> Timer:
        timer = Timer(self._process.world.now + seconds, task)
        self._process.later(seconds, lambda: timer.callback() if timer.callback is not None else None)
        return timer

    @contextlib.contextmanager
    def blocking(self) -> Iterator[None]:
        if self.in_runner:
            self._runner = None
            if self._soon or any(self._steps):
                self._wake()
        yield

    def run_call(self, call: Task, on_handover: Task) -> bool:
        call()
        if not self.in_runner:
            on_handover()
        return self.in_runner

    def submit(self, task: Task) -> None:
        self._process.thread(task)

    def event(self) -> SimEvent:
        return SimEvent(self._process)

    # -- sockets: those of ``sockets.py`` --------------------------------------------------------------------------

    def now(self) -> float:
        return self._process.world.now

    def new_socket(self, family: int) -> Any:
        if self.make_socket is None:
            raise NotImplementedError("the messages of this level have no sockets under them")
        return self.make_socket()

    def register(self, sock: Any, events: int, callback: Callable[[int], None], *, first: bool = False) -> None:
        sock.watch(events, callback)

    def modify(self, sock: Any, events: int) -> None:
        sock.watch(events, sock.callback)

    def unregister(self, sock: Any) -> None:
        sock.callback = None


class SimEvent:
    """As ``threading.Event``; who waits lets the world go on."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_set = False
        self._waiting: list[greenlet] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._process.resume(each)

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if self._is_set:
            return True
        me = getcurrent()
        assert not self._process.reactor.in_runner, "the loop's thread waits without handing its role on"
        self._waiting.append(me)
        if timeout is not None:
            self._process.world.after(timeout, lambda: self._time_out(me))
        self._process.world.pause()
        return self._is_set

    def _time_out(self, waiting: greenlet) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            self._process.resume(waiting)


class SimThread:
    """A stand-in for a thread."""

    def __init__(self, process: Process, work: Task) -> None:
        self._work = work
        self._done = SimEvent(process)
        self.greenlet: greenlet | None = None
        process.thread(self._run)

    def _run(self) -> None:
        self.greenlet = getcurrent()
        self._work()
        self.greenlet = None
        self._done.set()

    def join(self, timeout: float | None = None) -> None:
        self._done.wait(timeout)


class SimSurroundings(Surroundings):
    """The clocks of a node: they all follow the world's, and ``skew()`` is the error of its wall clock in seconds."""

    def __init__(self, process: Process, skew: Callable[[], float], seed: object) -> None:
        world = process.world
        self._process = process
        source = random.Random(f"bytes {seed}")

        def wall() -> float:
            return EPOCH + world.now + skew()

        def monotonic() -> float:
            return world.now

        super().__init__(monotonic, wall, SteadyClock(wall, monotonic), source.randbytes)

    def event(self) -> SimEvent:
        return SimEvent(self._process)

    def spawn(self, work: Task, name: str) -> SimThread:
        return SimThread(self._process, work)

    def is_running(self, spawned: Any) -> bool:
        return spawned.greenlet is getcurrent()
