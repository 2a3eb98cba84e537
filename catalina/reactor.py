"""One event loop for all sockets: HTTP connections and the channel's peers alike.

One thread at a time is the *runner*: it polls, and calls the callbacks of ready sockets, of due timers and of other
threads' :meth:`Reactor.call_soon`, all inline. The callbacks can put work off; it runs in three steps before the runner
polls again:

1. :meth:`Reactor.after_input`: run the requests that were read;
2. :meth:`Reactor.after_work`: encode their changes and send their answers;
3. :meth:`Reactor.at_round_end`: send all deltas of the round in one write per peer.

A step is done for every connection before the next begins. The processor's caches hold the code of one step, but not of
a whole request: one step for sixteen requests, then the next, is a third cheaper than sixteen whole requests one after
another (measured).

The role can change threads, in two ways:

- A callback that knows that it must wait hands the role on first: ``with reactor.blocking(): ...``. So it can wait for
  an answer that the loop itself must read without a deadlock.
- Foreign code that usually is quick runs in :meth:`Reactor.run_call`. A monitor thread looks every millisecond (every
  five while thousands of calls a second finish). If the runner is still inside the same call and waits, or computes for
  too long, the monitor hands the role to another thread. So a quick application runs without any hand-over between
  threads, and a slow one does not stop the loop (measured: handing each request from thread to thread costs more than
  everything else together). While there are no calls the monitor looks once a second.

When the loop stood still for a while (because the process or its machine was stopped), messages of the group wait
unread in their sockets. The loop then reads only the sockets registered as ``first``, until they are quiet and all
users of :attr:`Reactor.on_standstill` are up to date, or CATCH_UP_SECONDS are over. After that it reads the others
again.

No exception of a callback ends the runner, whatever its class. Should its thread end all the same, or stand still
outside :meth:`Reactor.run_call`, the monitor logs its stack and gives the role to another thread. When that does not
help either, it calls :attr:`Reactor.on_dead`: a node then ends itself, and its arbiter starts another.

Registered callbacks run in whichever thread is the runner, never in two threads at once. Idle threads park and are
reused, for the role and for :meth:`Reactor.submit`.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import queue
import select
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Protocol, TypeVar

__all__ = ["READ", "WRITE", "HasFileno", "Reactor", "Timer", "Waitable"]

T = TypeVar("T")

log = logging.getLogger("org.apache.catalina.reactor")

READ = select.EPOLLIN
WRITE = select.EPOLLOUT

#: Seconds between two looks of the monitor. A call counts as slow when the monitor sees it twice and it waits for
#: something.
TICK = 0.001
#: Seconds between two looks while all calls are quick. Each look takes the interpreter from the runner and gives it
#: back, which at a thousand looks a second costs a busy server six per cent. Each worker of a node has a monitor: the
#: looks of eight of them on two processors took 60 us of each request. Calls count as quick when QUICK_CALLS a second
#: finish and none has waited in CALM_LOOKS looks in a row; one that is seen twice because others have the processors
#: has not waited. After LAZY_LOOKS looks the monitor makes sure: calls that began to wait for less
#: than LAZY_TICK would not be seen.
LAZY_TICK = 0.005
QUICK_CALLS = 200
CALM_LOOKS = 50
LAZY_LOOKS = 200
#: A look that comes so many seconds late shows that processors or the interpreter are scarce. A call that seems to wait
#: may then wait only for them, so it gets LATE_PATIENCE seconds.
LATE_MARGIN = 0.003
LATE_PATIENCE = 0.05
#: Seconds of processor time after which a call that only computes counts as slow. Another thread would only share the
#: interpreter with it, and until then that costs more than it gains.
COMPUTING_SECONDS = 0.02
#: The kernel's unit of processor time, per second.
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
#: Looks without a call after which the monitor looks only every WATCH_SECONDS.
IDLE_TICKS = 20
#: Seconds between two checks that there is a runner and that it makes progress.
WATCH_SECONDS = 1.0
#: The number of such checks that may find the runner in the same round, outside a call, before it counts as stuck:
#: while it waits for something, and while it computes. A late check does not count, because then nobody got the
#: processor.
SILENT_LOOKS, COMPUTING_LOOKS = 10, 60
#: The loop has stood still when it comes back from a poll so many seconds later than it meant to.
STILL_SECONDS = 1.0
#: The longest time for which only the first sockets are read after a standstill, and the length of one wait for them.
CATCH_UP_SECONDS = 2.5
CATCH_UP_TICK = 0.02
#: Runners lost in a row, without a finished round in between, after which the loop is given up.
LOST_RUNNERS = 10
#: Seconds after which a parked thread that is not needed ends, unless :meth:`Reactor.keep_threads` sets another time.
PARKED_SECONDS = 60.0

FAILED = "A callback of the event loop failed: %r"

Task = Callable[[], None]

#: Stands for the call in progress when there is none.
NO_CALL: list[Task] = []


class HasFileno(Protocol):
    """A socket, or anything with a file descriptor."""

    def fileno(self) -> int: ...


class Waitable(Protocol):
    """A flag that threads can wait for: ``threading.Event``, or a replacement."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Timer:
    """A call in the future; :meth:`cancel` is safe at any time and from any thread."""

    __slots__ = ("callback", "deadline")

    def __init__(self, deadline: float, callback: Task) -> None:
        self.deadline = deadline
        self.callback: Task | None = callback

    def cancel(self) -> None:
        self.callback = None


class _Sighting:
    """A call that the monitor has seen: the time, and the processor time that its thread had used one look later."""

    __slots__ = ("at", "call", "cpu_seconds")

    def __init__(self, call: list[Task], at: float) -> None:
        self.call = call
        self.at = at
        self.cpu_seconds: float | None = None


class Reactor:
    """An epoll loop whose runner's role can move between threads.

    Args:
        name: prefix of its threads' names.
        min_spare_threads: parked threads that never end for want of work.
        clock: a monotonic clock in seconds; :attr:`now`. It decides when timers are due and if the loop stood still.
            The kernel decides how long a poll waits, so a test that moves a clock of its own calls :meth:`wake`.

    The loop has descriptors from its first use on, until it is stopped and the last of its threads has ended.
    """

    # Slots, because instances with more than 30 attributes no longer share one table of names, and then each method
    # call looks twice.
    __slots__ = (
        "_after_input",
        "_after_work",
        "_at_fd",
        "_call",
        "_callbacks",
        "_calls",
        "_catch_up",
        "_epoll",
        "_first",
        "_monitor",
        "_monitor_bell",
        "_monitor_parked",
        "_parked",
        "_parked_seconds",
        "_polled_at",
        "_pool_lock",
        "_ready",
        "_round_end",
        "_rounds",
        "_runner",
        "_runner_task",
        "_set_lock",
        "_soon",
        "_steps",
        "_stopping",
        "_suspended",
        "_thread_count",
        "_threads",
        "_timer_count",
        "_timer_lock",
        "_timers",
        "_wake_fd",
        "_watch",
        "min_spare_threads",
        "name",
        "now",
        "on_dead",
        "on_standstill",
        "thread_prefix",
    )

    @staticmethod
    def new_socket(family: int) -> socket.socket:
        """A stream socket for this loop.

        Raises:
            OSError: the kernel has none to give.
        """
        return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    def __init__(
        self, name: str = "reactor", min_spare_threads: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.min_spare_threads = min_spare_threads
        #: The loop's time, in seconds.
        self.now = clock
        #: The prefix of the threads' names.
        self.thread_prefix = f"{name}-exec-"
        self._parked_seconds: float | None = None
        self._callbacks: dict[int, Callable[[int], None]] = {}
        #: Descriptors that are read before all others after a standstill, with their events.
        self._first: dict[int, int] = {}
        #: Called in the runner after a standstill, once the first sockets are read. Each function begins to bring
        #: something up to date, and returns a condition that becomes true when that is done, or None.
        self.on_standstill: list[Callable[[], Callable[[], bool] | None]] = []
        self._polled_at = float("inf")
        self._catch_up: _CatchUp | None = None
        self._ready: deque[tuple[int, int]] = deque()
        self._soon: deque[Task] = deque()
        # A thread that has just lost the role may still append to these.
        self._after_input: deque[Task] = deque()
        self._after_work: deque[Task] = deque()
        self._round_end: deque[Task] = deque()
        self._steps = (self._after_input, self._after_work, self._round_end)
        self._timers: list[tuple[float, int, Timer]] = []
        self._timer_count = itertools.count()
        self._timer_lock = threading.Lock()
        self._epoll: select.epoll | None = None  # none yet
        self._wake_fd = -1  # none
        #: Called once, with the reason, when no thread can run the loop any more. It should end the process.
        self.on_dead: Callable[[str], None] | None = None
        self._rounds = 0  # rounds that ended in the thread that began them
        self._at_fd = -1  # the descriptor whose callback runs
        #: Descriptors taken out of the poll set because their callback does not return, with the events that they wait
        #: for.
        self._suspended: dict[int, int] = {}
        #: Held while a descriptor enters or leaves the poll set, so that the notes about it stay consistent: the
        #: monitor may suspend one while another thread closes it.
        self._set_lock = threading.Lock()
        self._watch = _Watch(self)
        self._runner: int | None = None  # thread ident
        self._runner_task = 0  # the kernel's id of the same thread
        self._threads: set[threading.Thread] = set()
        self._thread_count = itertools.count(1)
        self._parked: list[queue.SimpleQueue[Task]] = []  # mailboxes of parked threads, the last to park first
        self._pool_lock = threading.Lock()
        #: The call in progress, a list with one element: the function to call when the role is taken from it. Whoever
        #: pops the element owns the role: either the runner, when the call returns, or the monitor. ``list.pop`` is
        #: atomic, so this needs no lock.
        self._call: list[Task] = NO_CALL
        self._calls = 0  # calls so far; not exact when two threads call at once
        self._monitor: threading.Thread | None = None
        self._monitor_parked = False
        self._monitor_bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopping = False

    def _open(self) -> select.epoll:
        """Get descriptors. The constructor does not, because a process that forks would share them, and a loop that is
        only configured does not need them.
        """
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._callbacks[self._wake_fd] = self._drain_wakes
        self._epoll.register(self._wake_fd, READ)
        return self._epoll

    def _close(self) -> None:
        with self._set_lock:
            # forgotten before it is closed: the next file that is opened gets its number
            fd, self._wake_fd = self._wake_fd, -1
            if self._epoll is not None and fd >= 0:
                self._epoll.close()
                os.close(fd)

    @property
    def in_runner(self) -> bool:
        """True when the calling thread is the runner."""
        return self._runner == get_ident()

    @property
    def runs(self) -> bool:
        """True from :meth:`start` to :meth:`stop`, also while no thread has the role for a moment."""
        return self._monitor is not None and not self._stopping

    @property
    def thread_count(self) -> int:
        """The number of its threads at the moment, with parked ones, without the monitor."""
        return len(self._threads)

    def keep_threads(self, min_spare: int, idle_seconds: float) -> None:
        """Keep as many threads, for as long, as one user of the pool wants; the largest wishes of all users count.

        Args:
            min_spare: parked threads that never end for want of work.
            idle_seconds: seconds after which other idle threads end.
        """
        self.min_spare_threads = max(self.min_spare_threads, min_spare)
        self._parked_seconds = max(self._parked_seconds or 0.0, idle_seconds)

    # Sockets, timers, calls from other threads.

    def register(self, sock: HasFileno, events: int, callback: Callable[[int], None], *, first: bool = False) -> None:
        """Call ``callback(events)`` whenever the socket is ready (level triggered). Any thread.

        Args:
            first: after a standstill of the loop, read this socket before those without the mark.
        """
        fd = sock.fileno()
        with self._set_lock:
            self._callbacks[fd] = callback
            if first:
                self._first[fd] = events
            self._suspended.pop(fd, None)
            (self._epoll or self._open()).register(fd, events)

    def modify(self, sock: HasFileno, events: int) -> None:
        """Wait for other events; with 0 only for errors."""
        fd = sock.fileno()
        with self._set_lock:
            if fd in self._first:
                self._first[fd] = events
            if fd in self._suspended:
                self._suspended[fd] = events
            else:
                (self._epoll or self._open()).modify(fd, events)

    def unregister(self, sock: HasFileno) -> None:
        """Forget the socket; call it before closing the socket. Unknown sockets are ignored."""
        fd = sock.fileno()
        with self._set_lock:
            self._first.pop(fd, None)
            if self._callbacks.pop(fd, None) is None or self._suspended.pop(fd, None) is not None:
                return
            if self._epoll is not None and self._wake_fd >= 0:  # otherwise the loop is stopped, and waits for nothing
                self._epoll.unregister(fd)

    def call_soon(self, callback: Task) -> None:
        """Run ``callback`` in the runner, in the order of the calls. Any thread."""
        self._soon.append(callback)
        if not self.in_runner:
            self.wake()

    def call_later(self, seconds: float, callback: Task) -> Timer:
        """Run ``callback`` in the runner after ``seconds``. Any thread."""
        timer = Timer(self.now() + seconds, callback)
        with self._timer_lock:
            heapq.heappush(self._timers, (timer.deadline, next(self._timer_count), timer))
        if not self.in_runner:
            self.wake()
        return timer

    # The steps of a round. A call in another thread than the runner's counts for the next round.

    def after_input(self, callback: Task) -> None:
        """Run ``callback`` once, when all ready sockets have been read."""
        self._after_input.append(callback)
        if self._runner != get_ident():
            self.wake()

    def after_work(self, callback: Task) -> None:
        """Run ``callback`` once, after the callbacks of :meth:`after_input`."""
        self._after_work.append(callback)
        if self._runner != get_ident():
            self.wake()

    def at_round_end(self, callback: Task) -> None:
        """Run ``callback`` once, after everything else in this round."""
        self._round_end.append(callback)
        if self._runner != get_ident():
            self.wake()

    def wake(self) -> None:
        """Make a waiting poll return. Any thread, at any time."""
        with self._set_lock:  # a thread that closes the descriptor gives its number to the next file that is opened
            if self._wake_fd >= 0:  # otherwise nobody waits: the loop was not used yet, or is stopped
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_write(self._wake_fd, 1)

    def _drain_wakes(self, _: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)

    # The role and the threads.

    def run_call(self, call: Task, on_handover: Task) -> bool:
        """Run foreign code in the runner, although it may turn out slow.

        Args:
            call: the code; its exceptions go to the caller.
            on_handover: called in another thread when the role is taken from this call, before any thread runs the loop
                again: it must take the call's sockets out of the poll set.

        Returns:
            True when the caller is still the runner. Otherwise it must touch nothing that belongs to the runner any
            more, and end soon.
        """
        token = [on_handover]
        self._call = token
        self._calls += 1
        if self._monitor_parked:
            self._monitor_parked = False
            self._monitor_bell.put(None)
        try:
            call()
        finally:
            still_runner = True
            try:
                token.pop()
                self._call = NO_CALL
            except IndexError:
                still_runner = False
                while self.in_runner:  # the monitor has taken the call and gives the role away within microseconds
                    time.sleep(0)
        return still_runner

    @contextlib.contextmanager
    def blocking(self) -> Iterator[None]:
        """Wait inside this block: if the caller is the runner, another thread takes over the role for good."""
        if self.in_runner:
            call = self._call
            if call is not NO_CALL:
                self._take_role(call)
            elif self.in_runner:  # asked again, because the monitor gives the role away before it clears the call
                self._hand_over()
        yield

    def event(self) -> Waitable:
        """A flag to wait for inside :meth:`blocking`."""
        return threading.Event()

    def submit(self, task: Task) -> None:
        """Run ``task`` in a thread that is not the runner: a parked one, or a new one. Any thread."""
        with self._pool_lock:
            if self._parked:
                self._parked.pop().put(task)
                return
            thread = threading.Thread(
                target=self._thread_main,
                args=(task,),
                name=f"{self.thread_prefix}{next(self._thread_count)}",
                daemon=True,
            )
            self._threads.add(thread)
            try:
                thread.start()  # under the lock, because stop() joins every thread that it finds
            except BaseException:  # there is no memory, or the limit of threads is reached
                self._threads.discard(thread)
                raise

    def start(self) -> None:
        """Start a thread that runs the loop, and the monitor.

        Raises:
            OSError: there are no more descriptors.
        """
        with self._set_lock:
            if self._epoll is None:
                self._open()
        self._monitor = threading.Thread(target=self._monitor_main, name=f"{self.name}-monitor", daemon=True)
        self._monitor.start()
        self.submit(self._run)

    def stop(self, timeout: float = 10.0) -> None:
        """End the loop and join its threads; registered sockets stay open. A thread of the loop that calls this is not
        joined.

        Args:
            timeout: seconds for calls in progress; the log names threads that are still inside one afterwards.
        """
        self._stopping = True
        self.wake()
        self._monitor_bell.put(None)
        with self._pool_lock:
            for mailbox in self._parked:
                mailbox.put(_nothing)
            self._parked.clear()
        if self._monitor is not None:
            self._monitor.join()  # first, because it makes threads
        deadline = time.monotonic() + timeout
        me = threading.current_thread()
        while others := self._other_threads(me):
            others[0].join(max(0.0, deadline - time.monotonic()))
            if others[0].is_alive():
                names = ", ".join(thread.name for thread in others)
                log.warning("Threads [%s] are still inside calls after [%s] seconds", names, timeout)
                return
            self._threads.discard(others[0])
        if not self._threads:
            self._close()

    def _other_threads(self, me: threading.Thread) -> list[threading.Thread]:
        with self._pool_lock:  # a thread that is about to start is among them already, and cannot be joined
            return [thread for thread in tuple(self._threads) if thread is not me]

    def _hand_over(self) -> None:
        self._runner = None
        self._call = NO_CALL
        try:
            self.submit(self._run)
        except (RuntimeError, MemoryError):  # there are no more threads; the monitor tries again
            log.critical("%s: no thread can be started for the event loop", self.name, exc_info=True)

    def _thread_main(self, task: Task) -> None:
        mailbox: queue.SimpleQueue[Task] = queue.SimpleQueue()
        try:
            while True:
                self._guard(task)
                with self._pool_lock:
                    if self._stopping:
                        return
                    self._parked.append(mailbox)
                following = self._wait_for_task(mailbox)
                if following is None:
                    return
                task = following
        finally:
            self._threads.discard(threading.current_thread())
            if self._stopping and not self._threads:  # stop() did not wait for this thread, or was called in it
                self._close()

    def _wait_for_task(self, mailbox: queue.SimpleQueue[Task]) -> Task | None:
        """The next task for a parked thread; None when enough other threads are parked and this one may end."""
        while True:
            try:
                return mailbox.get(timeout=self._parked_seconds or PARKED_SECONDS)
            except queue.Empty:
                with self._pool_lock:
                    # A thread that is no longer parked has just been given a task.
                    if mailbox in self._parked and len(self._parked) > self.min_spare_threads:
                        self._parked.remove(mailbox)
                        return None

    def _monitor_main(self) -> None:
        while not self._stopping:
            try:
                self._monitor_calls()
            except BaseException:  # without a monitor the first slow call would stop the loop
                log.exception("%s: the monitor of the event loop failed; it goes on", self.name)
                time.sleep(WATCH_SECONDS)

    def _monitor_calls(self) -> None:
        idle = counted = calm = 0
        pause = TICK
        seen = _Sighting(NO_CALL, 0.0)
        now = self.now()
        while not self._stopping:
            if now >= self._watch.due:
                self._watch.look(now)
            if idle >= IDLE_TICKS:
                idle = self._monitor_rests()
                now = self.now()
                continue
            before = now
            time.sleep(pause)
            now = self.now()
            call = self._call
            calm = calm + 1 if calm < CALM_LOOKS + LAZY_LOOKS else 0
            if call is not seen.call:
                seen, idle = _Sighting(call, now), 0
            elif not call:
                idle += 1
            elif self._is_slow(seen, now, is_late=now - before > pause + LATE_MARGIN):
                calm = 0
                self._take_role(call)
            calls, counted = self._calls - counted, self._calls
            pause = LAZY_TICK if calm > CALM_LOOKS and calls > QUICK_CALLS * (now - before) else TICK

    def _monitor_rests(self) -> int:
        """Wait for a call, at most until the next check of the runner; returns the number of idle looks to continue
        with.
        """
        self._monitor_parked = True
        called = bool(self._call)  # a call that began before it could see the flag did not ring
        if not called:
            with contextlib.suppress(queue.Empty):
                self._monitor_bell.get(timeout=max(0.0, self._watch.due - self.now()))
                called = True
        self._monitor_parked = False
        return 0 if called else IDLE_TICKS

    def _is_slow(self, seen: _Sighting, now: float, is_late: bool) -> bool:
        """True when a call that was seen before should no longer hold the loop."""
        state, *fields = self._runner_stat()
        if not state:  # the thread has ended
            return True
        if state != b"R":  # the thread sleeps in the kernel; in state R it runs, or waits for a processor
            return not is_late or now - seen.at > LATE_PATIENCE
        cpu_seconds = (int(fields[10]) + int(fields[11])) / CLOCK_TICKS
        if seen.cpu_seconds is None:
            seen.cpu_seconds = cpu_seconds
        return cpu_seconds - seen.cpu_seconds > COMPUTING_SECONDS

    def _runner_stat(self) -> list[bytes]:
        """The state and the numbers of the runner's thread (proc(5), stat); an empty state when it has ended."""
        try:
            with open(f"/proc/self/task/{self._runner_task}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()
        except OSError:
            return [b""]

    def _take_role(self, call: list[Task]) -> None:
        try:
            on_handover = call.pop()
        except IndexError:
            return  # the call has just returned, or another thread is taking the role
        self._guard(on_handover)
        self._hand_over()

    # The loop.

    def _run(self) -> None:
        me = get_ident()
        self._runner_task = threading.get_native_id()
        self._runner = me
        try:
            while not self._stopping:
                self.run_round()
                if self._runner != me:
                    return
        except BaseException:  # noqa: BLE001 - logged, and the role goes on
            try:
                log.critical("%s: the event loop failed in its runner", self.name, exc_info=True)
            finally:
                if self._runner == me:
                    self._watch.lost("its runner failed")
            return
        self._runner = None

    def run_round(self, timeout: float | None = None) -> None:
        """Poll once and run what is ready. Only the runner calls this."""
        me = get_ident()
        ready, callbacks = self._ready, self._callbacks
        if self._after_work and not self._run_step(self._after_work, me):
            return  # the role moved in the middle of a round: finished work goes first, whatever else waits
        if not ready:
            ready.extend(self._poll(self._poll_seconds(timeout)))
        while ready:
            fd, events = ready.popleft()
            on_ready = callbacks.get(fd)
            if on_ready is None:
                continue
            self._at_fd = fd
            try:
                on_ready(events)
            except BaseException:
                log.exception(FAILED, on_ready)
            if self._runner != me:
                if self._suspended:
                    self._resume(fd)
                return
        self._at_fd = -1
        if self._timers and not self._run_timers(me):
            return
        for _ in range(len(self._soon)):
            self._guard(self._soon.popleft())
            if self._runner != me:
                return
        for step in self._steps:
            if step and not self._run_step(step, me):
                return
        self._rounds += 1

    def _poll(self, seconds: float) -> list[tuple[int, int]]:
        """The events that are ready; after a standstill only those of the first sockets."""
        if self._catch_up is not None:
            return self._catch_up.poll(seconds)
        began = self.now()
        ready = (self._epoll or self._open()).poll(seconds)
        self._polled_at, before = (now := self.now()), self._polled_at
        if now - before < STILL_SECONDS or not self._first:  # the usual case
            return ready
        # The monitor wakes a waiting poll every WATCH_SECONDS.
        longest = WATCH_SECONDS if self._monitor is not None else float("inf")
        meant = longest if seconds < 0 else min(seconds, longest)
        if max(began - before, now - began - meant) < STILL_SECONDS:
            return ready
        log.warning("%s: the event loop stood still for [%d] ms; the messages of the group are read first",
                    self.name, int((now - before) * 1000))  # fmt: skip
        self._catch_up = _CatchUp(self, now)
        return [each for each in ready if each[0] in self._first or each[0] == self._wake_fd]

    def _run_step(self, step: deque[Task], me: int) -> bool:
        """Run the tasks of a step, and those added meanwhile; returns False when the role was handed on."""
        while step:
            callback = step.popleft()
            try:  # as _guard, without its call, because each request is here twice
                callback()
            except BaseException:
                log.exception(FAILED, callback)
            if self._runner != me:
                return False
        return True

    def _poll_seconds(self, timeout: float | None) -> float:
        if self._soon or self._after_input or self._after_work or self._round_end:
            return 0.0
        if self._timers:
            with self._timer_lock:
                while self._timers and self._timers[0][2].callback is None:
                    heapq.heappop(self._timers)
                if self._timers:
                    due = max(0.0, self._timers[0][0] - self.now())
                    return due if timeout is None else min(due, timeout)
        return -1.0 if timeout is None else timeout

    def _run_timers(self, me: int) -> bool:
        """Run due timers; returns False when the role was handed on meanwhile."""
        now = self.now()
        while True:
            with self._timer_lock:
                if not self._timers or self._timers[0][0] > now:
                    return True
                timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                self._guard(timer.callback)
                if self._runner != me:
                    return False

    def _guard(self, callback: Task) -> None:
        """Run a callback. A fault in it must not end the loop that serves everybody else."""
        try:
            callback()
        except BaseException:
            log.exception(FAILED, callback)

    # A runner that stands still.

    def _suspend(self) -> None:
        """Take the descriptor whose callback does not return out of the poll set, so that no second thread enters the
        callback.
        """
        with self._set_lock:
            fd = self._at_fd
            if fd not in self._callbacks or fd in self._suspended:
                return
            epoll = self._epoll or self._open()
            with open(f"/proc/self/fdinfo/{epoll.fileno()}") as file:
                rows = [line.split() for line in file if line.startswith("tfd:")]
            events = next((int(row[3], 16) for row in rows if int(row[1]) == fd), None)
            if events is not None:
                self._suspended[fd] = events
                epoll.unregister(fd)

    def _resume(self, fd: int) -> None:
        """Put the descriptor back: its callback has returned after all."""
        with self._set_lock:
            events = self._suspended.pop(fd, None)
            if events is not None and fd in self._callbacks:
                (self._epoll or self._open()).register(fd, events)


class _CatchUp:
    """The time after a standstill, in which the loop reads only the first sockets."""

    def __init__(self, reactor: Reactor, now: float) -> None:
        self._reactor = reactor
        self._until = now + CATCH_UP_SECONDS
        self._read_until = now + CATCH_UP_SECONDS / 2  # a limit, because others may go on sending
        self._conditions: list[Callable[[], bool]] | None = None  # None until the first sockets were read

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """The events that are ready on the first sockets and the wake descriptor."""
        reactor = self._reactor
        poll = select.poll()
        poll.register(reactor._wake_fd, READ)
        for fd, events in tuple(reactor._first.items()):
            if fd not in reactor._suspended:
                poll.register(fd, events)
        wait = 0.0 if self._conditions is None or seconds == 0 else CATCH_UP_TICK
        # POLLNVAL: closed by another thread
        ready = [each for each in poll.poll(wait * 1000) if not each[1] & select.POLLNVAL]
        now = reactor.now()
        if self._conditions is not None:
            self._conditions = [condition for condition in self._conditions if self._call(condition) is False]
        elif now >= self._read_until or (seconds and not any(fd != reactor._wake_fd for fd, _ in ready)):
            begun = [self._call(begin) for begin in tuple(reactor.on_standstill)]
            self._conditions = [condition for condition in begun if condition is not None]
        if now >= self._until or self._conditions == []:
            reactor._catch_up, reactor._polled_at = None, now
        return ready

    def _call(self, callback: Callable[[], T]) -> T | None:
        try:
            return callback()
        except BaseException:
            log.exception(FAILED, callback)
            return None


class _Watch:
    """Checks once a second that there is a runner and that it makes progress. The monitor's thread calls it."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self.due = 0.0
        self._rounds = -1
        self._runner: int | None = None
        self._looks = 0  # checks in a row that found the same round
        self._lost = 0

    def look(self, now: float) -> None:
        reactor = self._reactor
        is_late = now > self.due + WATCH_SECONDS
        self.due = now + WATCH_SECONDS
        rounds, runner = reactor._rounds, reactor._runner
        if rounds != self._rounds:
            self._lost = 0
        if rounds != self._rounds or runner != self._runner:
            self._rounds, self._runner, self._looks = rounds, runner, 0
        elif runner is None:
            self._say("has no runner")
            self.lost("no thread runs it")
        elif not reactor._call and not is_late:
            self._looks += 1
            self._look_closer(runner)
        reactor.wake()  # a runner that only waits for input then ends its round

    def _look_closer(self, runner: int) -> None:
        reactor = self._reactor
        state = reactor._runner_stat()[0]
        if not state:
            self._say("has lost its runner: the thread has ended")
        elif self._looks >= (COMPUTING_LOOKS if state == b"R" else SILENT_LOOKS):
            self._say(f"stands still for {self._looks} s; another thread goes on. It is here:\n{_stack(runner)}")
            reactor._suspend()
        else:
            return
        self._looks = 0
        self.lost("its runner stood still or ended")

    def lost(self, why: str) -> None:
        """The runner is lost: make another thread the runner, or give up."""
        reactor = self._reactor
        self._lost += 1
        if self._lost <= LOST_RUNNERS:
            reactor._hand_over()
            return
        reactor._runner = None
        if self._lost == LOST_RUNNERS + 1:
            self._say(f"is given up after {LOST_RUNNERS} runners: {why}")
            if reactor.on_dead is not None:
                reactor.on_dead(f"{reactor.name}: {why}")

    def _say(self, text: str) -> None:
        log.critical("%s: the event loop %s", self._reactor.name, text, extra={"keeps_lines": True})


def _stack(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    return "" if frame is None else "".join(traceback.format_stack(frame))


def _nothing() -> None:
    """The task that wakes a parked thread to its end when the reactor stops."""
