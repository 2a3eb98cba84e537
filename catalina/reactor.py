"""One event loop for everything that reads sockets: HTTP connections and the channel's peers alike.

One thread at a time is the *runner*: it polls, and calls the callbacks of ready sockets, of due timers and of other
threads' :meth:`Reactor.call_soon`, all inline. When every callback of one poll has run, the callbacks given to
:meth:`Reactor.at_round_end` run (that is where all deltas of a round leave in one write per peer), then it polls again.

A callback that must wait hands the role on first: ``with reactor.blocking(): ...`` makes another thread the runner, so
waiting for an answer that the loop itself must read cannot deadlock. Registered callbacks run in whichever thread is
the runner, never in two at once.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

__all__ = ["READ", "WRITE", "HasFileno", "Reactor", "Timer"]

log = logging.getLogger("org.apache.catalina.reactor")

READ = select.EPOLLIN
WRITE = select.EPOLLOUT


class HasFileno(Protocol):
    """A socket, or anything with a file descriptor."""

    def fileno(self) -> int: ...


class Timer:
    """A call in the future; :meth:`cancel` is safe at any time and from any thread."""

    __slots__ = ("callback", "deadline")

    def __init__(self, deadline: float, callback: Callable[[], None]) -> None:
        self.deadline = deadline
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Reactor:
    """An epoll loop whose runner's role can change threads.

    Args:
        name: prefix of its threads' names.
    """

    def __init__(self, name: str = "reactor") -> None:
        self.name = name
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._ready: deque[tuple[int, int]] = deque()
        self._soon: deque[Callable[[], None]] = deque()
        self._round_end: list[Callable[[], None]] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._timer_count = itertools.count()
        self._timer_lock = threading.Lock()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, READ)
        self._runner: int | None = None  # thread ident
        self._turn = threading.Lock()  # held by the runner
        self._threads: set[threading.Thread] = set()
        self._stopping = False

    @property
    def in_runner(self) -> bool:
        """Whether the calling thread is the runner."""
        return self._runner == threading.get_ident()

    def register(self, sock: HasFileno, events: int, callback: Callable[[int], None]) -> None:
        """Call ``callback(events)`` whenever the socket is ready (level triggered). Any thread."""
        fd = sock.fileno()
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def modify(self, sock: HasFileno, events: int) -> None:
        """Wait for other events; 0 waits for none but errors."""
        self._epoll.modify(sock.fileno(), events)

    def unregister(self, sock: HasFileno) -> None:
        """Forget the socket; call it before closing the socket. Unknown sockets are ignored."""
        fd = sock.fileno()
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run ``callback`` in the runner, in the order of the calls. Any thread."""
        self._soon.append(callback)
        if not self.in_runner:
            self.wake()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` in the runner after ``seconds``. Any thread."""
        timer = Timer(time.monotonic() + seconds, callback)
        with self._timer_lock:
            heapq.heappush(self._timers, (timer.deadline, next(self._timer_count), timer))
        if not self.in_runner:
            self.wake()
        return timer

    def at_round_end(self, callback: Callable[[], None]) -> None:
        """Run ``callback`` once, after the callbacks of the current round. In another thread: the next round's."""
        self._round_end.append(callback)
        if not self.in_runner:
            self.wake()

    def wake(self) -> None:
        """Make a poll that waits return. Any thread."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._wake_fd, 1)

    @contextlib.contextmanager
    def blocking(self) -> Iterator[None]:
        """Wait inside this: if the caller is the runner, another thread takes the role for good."""
        if self.in_runner:
            self._runner = None
            self._turn.release()
            self._spawn()
        yield

    def start(self) -> None:
        """Start a thread that runs the loop."""
        self._spawn()

    def stop(self) -> None:
        """End the loop and join its threads; registered sockets stay open."""
        self._stopping = True
        self.wake()
        me = threading.current_thread()
        for thread in tuple(self._threads):
            if thread is not me:
                thread.join(10)
        if me not in self._threads:
            self._epoll.close()
            os.close(self._wake_fd)

    def _spawn(self) -> None:
        thread = threading.Thread(target=self._run, name=f"{self.name}-{len(self._threads) + 1}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self) -> None:
        self._turn.acquire()
        self._runner = threading.get_ident()
        try:
            while not self._stopping and self.in_runner:
                self.run_round()
        finally:
            if self.in_runner:
                self._runner = None
                self._turn.release()
            self._threads.discard(threading.current_thread())

    def run_round(self, timeout: float | None = None) -> None:
        """Poll once and run what is ready. Only the runner calls this."""
        if not self._ready:
            self._ready.extend(self._epoll.poll(self._poll_seconds(timeout)))
        while self._ready:
            fd, events = self._ready.popleft()
            if fd == self._wake_fd:
                os.eventfd_read(fd)
                continue
            callback = self._callbacks.get(fd)
            if callback is not None:
                self._guard(callback, events)
                if not self.in_runner:
                    return
        self._run_timers()
        for _ in range(len(self._soon)):
            self._guard(self._soon.popleft())
            if not self.in_runner:
                return
        while self._round_end:
            callbacks, self._round_end = self._round_end, []
            for end in callbacks:
                self._guard(end)

    def _poll_seconds(self, timeout: float | None) -> float:
        if self._soon or self._round_end:
            return 0.0
        with self._timer_lock:
            while self._timers and self._timers[0][2].callback is None:
                heapq.heappop(self._timers)
            if self._timers:
                due = max(0.0, self._timers[0][0] - time.monotonic())
                return due if timeout is None else min(due, timeout)
        return -1.0 if timeout is None else timeout

    def _run_timers(self) -> None:
        now = time.monotonic()
        while True:
            with self._timer_lock:
                if not self._timers or self._timers[0][0] > now:
                    return
                timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                self._guard(timer.callback)
                if not self.in_runner:
                    return

    def _guard(self, callback: Callable[..., None], *args: int) -> None:
        """A fault in one callback must not end the loop that serves everybody else."""
        try:
            callback(*args)
        except Exception:
            log.exception("A callback of the event loop failed: %r", callback)
