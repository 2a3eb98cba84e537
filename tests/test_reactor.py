from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

import catalina.reactor as module
from catalina.reactor import READ, Reactor
from tests.support.waiting import assert_stays, let_pass, take_time, wait_until

PATIENCE = 5.0


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor("test")
    reactor.start()
    yield reactor
    reactor.stop()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def in_loop(reactor: Reactor, callback: Callable[[], object]) -> object:
    """Run ``callback`` in the runner and return what it returned."""
    done = threading.Event()
    results: list[object] = []

    def run() -> None:
        results.append(callback())
        done.set()

    reactor.call_soon(run)
    assert done.wait(PATIENCE)
    return results[0]


def test_a_ready_socket_calls_its_callback_in_the_runner(reactor, pair):
    left, right = pair
    seen = threading.Event()
    where: list[bool] = []

    def on_ready(events: int) -> None:
        right.recv(10)
        where.append(reactor.in_runner)
        seen.set()

    reactor.register(right, READ, on_ready)
    left.send(b"x")
    assert seen.wait(PATIENCE)
    assert where == [True]
    reactor.unregister(right)


def test_calls_run_in_the_order_they_were_made(reactor):
    order: list[int] = []
    done = threading.Event()
    for number in range(100):
        reactor.call_soon(lambda number=number: order.append(number))
    reactor.call_soon(done.set)
    assert done.wait(PATIENCE)
    assert order == list(range(100))


def test_a_timer_fires_once_and_a_cancelled_one_never(reactor):
    fired: list[str] = []
    done = threading.Event()
    cancelled = reactor.call_later(0.01, lambda: fired.append("cancelled"))
    reactor.call_later(0.02, lambda: fired.append("kept"))
    reactor.call_later(0.05, done.set)
    cancelled.cancel()
    assert done.wait(PATIENCE)
    assert fired == ["kept"]


def test_the_end_of_a_round_comes_after_every_callback_of_the_round(reactor):
    order: list[str] = []
    done = threading.Event()

    def first() -> None:
        reactor.at_round_end(lambda: (order.append("end"), done.set()))
        reactor.call_soon(lambda: order.append("next round"))
        order.append("first")

    def both() -> None:
        first()
        order.append("second")

    reactor.call_soon(both)
    assert done.wait(PATIENCE)
    assert order[:3] == ["first", "second", "end"]


def test_each_step_of_a_round_is_done_for_all_before_the_next_begins(reactor):
    order: list[str] = []
    done = threading.Event()

    def request(name: str) -> None:
        order.append(f"read {name}")
        reactor.at_round_end(lambda: (order.append(f"tell {name}"), name == "b" and done.set()))
        reactor.after_input(lambda: run(name))

    def run(name: str) -> None:
        order.append(f"run {name}")
        reactor.after_work(lambda: order.append(f"answer {name}"))

    reactor.call_soon(lambda: [request("a"), request("b")])
    assert done.wait(PATIENCE)
    assert order == ["read a", "read b", "run a", "run b", "answer a", "answer b", "tell a", "tell b"]


def test_a_step_that_another_thread_asks_for_does_not_wait_for_input(reactor):
    for ask in (reactor.after_input, reactor.after_work, reactor.at_round_end):
        done = threading.Event()
        ask(done.set)
        assert done.wait(PATIENCE)


def test_when_the_role_moves_the_new_runner_goes_on_with_the_step(reactor):
    done, slow_ended = threading.Event(), threading.Event()
    ended_first: list[bool] = []

    def slow() -> None:
        reactor.run_call(lambda: done.wait(PATIENCE), lambda: None)
        slow_ended.set()

    def quick() -> None:
        ended_first.append(slow_ended.is_set())
        done.set()

    reactor.call_soon(lambda: [reactor.after_input(slow), reactor.after_input(quick)])
    assert slow_ended.wait(PATIENCE)
    assert ended_first == [False]


def test_when_the_role_moves_what_is_done_goes_before_what_is_to_be_done(reactor):
    order: list[str] = []
    release, done = threading.Event(), threading.Event()

    def slow(name: str) -> None:
        reactor.run_call(lambda: release.wait(PATIENCE), lambda: order.append(f"handed on in {name}"))

    def quick() -> None:
        reactor.after_work(lambda: order.append("answer"))

    reactor.call_soon(
        lambda: [reactor.after_input(task) for task in (quick, lambda: slow("1"), lambda: slow("2"), done.set)]
    )
    assert done.wait(PATIENCE)
    release.set()
    assert order == ["handed on in 1", "answer", "handed on in 2"]


def test_a_callback_that_raises_leaves_the_loop_running(reactor, caplog):
    def fail() -> None:
        raise ValueError("broken callback")

    reactor.call_soon(fail)
    assert in_loop(reactor, lambda: 7) == 7
    assert "broken callback" in caplog.text


def test_a_quick_call_keeps_the_role(reactor):
    handed: list[int] = []
    assert in_loop(reactor, lambda: reactor.run_call(lambda: None, lambda: handed.append(1))) is True
    assert handed == []


def test_a_slow_call_loses_the_role_and_the_loop_goes_on_meanwhile(reactor):
    release = threading.Event()
    answers: list[bool] = []
    handed = threading.Event()
    ended = threading.Event()

    def slow() -> None:
        answers.append(reactor.run_call(lambda: release.wait(PATIENCE) and None, handed.set))
        ended.set()

    reactor.call_soon(slow)
    assert handed.wait(PATIENCE)
    assert in_loop(reactor, lambda: "served") == "served"  # while the call is still inside
    assert not ended.is_set()
    release.set()
    assert ended.wait(PATIENCE)
    assert answers == [False]


def test_a_call_that_lost_the_role_returns_only_when_that_has_been_told(reactor):
    order: list[str] = []
    told = threading.Event()
    done = threading.Event()

    def tell() -> None:
        told.set()
        take_time(0.05)  # the call ends meanwhile
        order.append("told")

    def run() -> None:
        reactor.run_call(lambda: told.wait(PATIENCE) and None, tell)
        order.append("returned")
        done.set()

    reactor.call_soon(run)
    assert done.wait(PATIENCE)
    assert order == ["told", "returned"]


def test_a_call_that_computes_keeps_the_role_a_little_and_then_loses_it(reactor):
    def compute(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(100))

    assert in_loop(reactor, lambda: reactor.run_call(lambda: compute(1.0), lambda: None)) is False


def test_while_calls_are_quick_the_monitor_looks_rarely_and_makes_sure_now_and_then(reactor, monkeypatch):
    pauses: list[float] = []

    class Clock:
        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            take_time(seconds)

    monkeypatch.setattr(module, "time", Clock)
    monkeypatch.setattr(module, "LAZY_LOOKS", 20)

    def call() -> None:
        reactor.run_call(lambda: None, lambda: None)
        if not ends.is_set():
            reactor.call_soon(call)

    ends = threading.Event()

    reactor.call_soon(call)
    wait_until(lambda: module.LAZY_TICK in pauses, "a lazy look")
    seen = len(pauses)
    wait_until(lambda: module.TICK in pauses[seen:], "a close look")
    wait_until(lambda: module.LAZY_TICK in pauses[len(pauses) - 10 :], "a lazy look again")
    ends.set()
    reactor.stop()


def test_many_slow_calls_run_side_by_side(reactor):
    barrier = threading.Barrier(8, timeout=PATIENCE)
    passed: list[int] = []

    def slow() -> None:
        reactor.run_call(lambda: passed.append(barrier.wait()), lambda: None)

    for _ in range(8):
        reactor.call_soon(slow)
    wait_for(lambda: len(passed) == 8)
    assert sorted(passed) == list(range(8))  # the barrier opens only when all eight are inside at once


def test_waiting_inside_blocking_lets_the_loop_deliver_what_is_waited_for(reactor):
    answer = threading.Event()

    def wait_for_the_loop() -> bool:
        reactor.call_soon(answer.set)
        with reactor.blocking():
            return answer.wait(PATIENCE)

    assert in_loop(reactor, wait_for_the_loop) is True


def test_blocking_inside_a_call_tells_the_call_that_the_role_is_gone(reactor):
    handed: list[int] = []
    answer = threading.Event()

    def call() -> None:
        reactor.call_soon(answer.set)
        with reactor.blocking():
            assert answer.wait(PATIENCE)

    assert in_loop(reactor, lambda: reactor.run_call(call, lambda: handed.append(1))) is False
    assert handed == [1]


def test_there_is_one_runner_at_a_time_however_the_role_moves(reactor):
    inside = 0
    worst = 0
    done = threading.Semaphore(0)

    def callback(number: int) -> None:
        nonlocal inside, worst
        inside += 1
        worst = max(worst, inside)
        inside -= 1
        if number % 3 == 0:
            with reactor.blocking():
                take_time(0.001)
        elif number % 3 == 1:
            reactor.run_call(lambda: take_time(0.003), lambda: None)
        done.release()

    for number in range(150):
        reactor.call_soon(lambda number=number: callback(number))
    for _ in range(150):
        assert done.acquire(timeout=PATIENCE)
    assert worst == 1
    assert in_loop(reactor, lambda: "alive") == "alive"


def test_the_exception_of_a_call_reaches_the_caller_and_the_role_stays(reactor):
    def fail() -> None:
        raise KeyError("from the application")

    def run() -> bool:
        with pytest.raises(KeyError):
            reactor.run_call(fail, lambda: None)
        return bool(reactor.in_runner)

    assert in_loop(reactor, run) is True


def test_a_submitted_task_runs_outside_of_the_runner(reactor):
    where: list[bool] = []
    done = threading.Event()
    reactor.submit(lambda: (where.append(reactor.in_runner), done.set()))
    assert done.wait(PATIENCE)
    assert where == [False]


def test_threads_are_used_again(reactor):
    for _ in range(20):
        done = threading.Event()
        reactor.submit(done.set)
        assert done.wait(PATIENCE)
        wait_for(lambda: reactor._parked)
    assert reactor.thread_count < 6


def test_an_idle_reactor_burns_no_cpu(reactor):
    in_loop(reactor, lambda: reactor.run_call(lambda: None, lambda: None))
    wait_for(lambda: reactor._monitor_parked)
    before = time.process_time()
    let_pass(0.3, "processor time is counted over it")
    assert time.process_time() - before < 0.01


def both(*calls: Callable[[], object]) -> None:
    for call in calls:
        call()


def open_descriptors() -> set[int]:
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if os.path.lexists(f"/proc/self/fd/{fd}")}


def test_a_loop_that_is_only_made_has_no_descriptors():
    before = open_descriptors()
    loop = Reactor()
    loop.call_soon(lambda: None)
    loop.call_later(1.0, lambda: None)
    loop.wake()
    assert open_descriptors() == before
    loop.stop()


def test_what_was_asked_for_before_the_start_runs_after_it():
    loop = Reactor("early")
    ran = threading.Event()
    loop.call_soon(ran.set)
    loop.start()
    assert ran.wait(PATIENCE)
    loop.stop()


def test_a_wake_after_the_stop_writes_into_no_file_that_was_opened_since():
    before = open_descriptors()
    loop = Reactor("woken")
    loop.start()
    in_loop(loop, lambda: None)
    loop.stop()
    assert open_descriptors() == before
    files = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(4)]  # they get the numbers that the loop had
    try:
        loop.wake()
        loop.call_soon(lambda: None)
        for fd in files:
            with pytest.raises(BlockingIOError):
                os.eventfd_read(fd)
    finally:
        for fd in files:
            os.close(fd)


def test_a_loop_that_is_stopped_in_its_own_thread_closes_when_that_ends():
    before = open_descriptors()
    loop = Reactor("own end")
    loop.start()
    stopped = threading.Event()
    loop.submit(functools.partial(both, loop.stop, stopped.set))
    assert stopped.wait(PATIENCE)
    wait_for(lambda: open_descriptors() == before)


def test_a_loop_closes_when_the_last_call_returns_that_stop_did_not_wait_for(caplog):
    before = open_descriptors()
    loop = Reactor("late end")
    loop.start()
    entered, release = threading.Event(), threading.Event()
    loop.submit(functools.partial(both, entered.set, functools.partial(release.wait, PATIENCE)))
    assert entered.wait(PATIENCE)
    loop.stop(timeout=0.01)
    assert "are still inside calls" in caplog.text
    assert open_descriptors() != before
    release.set()
    wait_for(lambda: open_descriptors() == before)


def test_a_socket_can_be_forgotten_after_the_stop(pair):
    loop = Reactor("forgetful")
    loop.register(pair[0], READ, lambda _: None)
    loop.start()
    loop.stop()
    loop.unregister(pair[0])


def test_stop_joins_its_threads():
    reactor = Reactor("ending")
    reactor.start()
    in_loop(reactor, lambda: None)
    reactor.submit(lambda: None)
    reactor.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ending")]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, BaseException])
@pytest.mark.parametrize("place", ["call_soon", "after_input", "after_work", "at_round_end", "timer", "socket"])
def test_no_exception_of_any_class_ends_the_runner(reactor, pair, caplog, kind, place):
    left, right = pair

    def fail(*_: int) -> None:
        if place == "socket":
            reactor.unregister(right)
        raise kind(f"raised in {place}")

    if place == "timer":
        reactor.call_later(0.0, fail)
    elif place == "socket":
        reactor.register(right, READ, fail)
        left.send(b"x")
    else:
        getattr(reactor, place)(fail)
    assert in_loop(reactor, lambda: "alive") == "alive"
    wait_for(lambda: f"raised in {place}" in caplog.text)
    assert "has lost its runner" not in caplog.text


def wait_for(condition: Callable[[], object]) -> None:
    wait_until(condition, "what the test waits for", PATIENCE)


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reactor]:
    """A reactor that is looked after twenty times a second."""
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(module, "SILENT_LOOKS", 3)
    reactor = Reactor("watchful")
    reactor.start()
    yield reactor
    reactor.stop()


def test_a_runner_that_stands_still_is_replaced_and_its_stack_is_logged(watchful, caplog):
    release, back = threading.Event(), threading.Event()

    def stand_still() -> None:
        release.wait(PATIENCE)
        back.set()

    watchful.call_soon(stand_still)
    assert in_loop(watchful, lambda: "served") == "served"
    assert "stand_still" in caplog.text  # the stack
    release.set()
    assert back.wait(PATIENCE)
    assert in_loop(watchful, lambda: "served") == "served"


def test_no_second_thread_enters_the_callback_of_a_socket_that_stands_still(watchful, pair):
    left, right = pair
    release = threading.Event()
    entered: list[int] = []

    def on_ready(_: int) -> None:
        entered.append(threading.get_ident())
        if len(entered) == 1:
            release.wait(PATIENCE)
        right.recv(1)

    watchful.register(right, READ, on_ready)
    left.send(b"xy")
    assert in_loop(watchful, lambda: "served") == "served"
    assert len(entered) == 1
    release.set()
    wait_for(lambda: len(entered) == 2)  # it is watched again when the callback has returned
    watchful.unregister(right)


def test_a_socket_can_be_forgotten_while_the_monitor_takes_it_out_of_the_poll_set(pair):
    loop = Reactor()  # not started: this test plays the monitor, and the thread that closes
    sock = pair[0]
    done = threading.Event()

    def monitor() -> None:
        while not done.is_set():
            loop._suspend()
            loop._resume(sock.fileno())

    loop._at_fd = sock.fileno()
    thread = threading.Thread(target=monitor)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(2000):
            loop.register(sock, READ, lambda _: None)
            loop.unregister(sock)
    finally:
        sys.setswitchinterval(interval)
        done.set()
        thread.join()
        loop.stop()


def test_a_runner_that_waits_for_input_is_not_silent(watchful, caplog):
    assert_stays(lambda: "stands still" not in caplog.text, "nobody complains", 0.5)
    assert in_loop(watchful, lambda: "served") == "served"


def test_a_runner_whose_round_fails_is_replaced(reactor, monkeypatch, caplog):
    rounds = Reactor.run_round

    def fail_once(_: Reactor) -> None:
        monkeypatch.setattr(Reactor, "run_round", rounds)
        raise SystemExit("a fault of the loop itself")

    monkeypatch.setattr(Reactor, "run_round", fail_once)
    reactor.wake()
    assert in_loop(reactor, lambda: "served") == "served"
    wait_for(lambda: "a fault of the loop itself" in caplog.text)


def test_a_runner_whose_thread_has_ended_is_replaced(watchful, caplog):
    release = threading.Event()

    def vanish() -> None:
        watchful._runner_task = 2**22 + 1  # the kernel knows no such thread
        release.wait(PATIENCE)

    watchful.call_soon(vanish)
    assert in_loop(watchful, lambda: "served") == "served"
    release.set()
    assert "has lost its runner" in caplog.text


def test_without_a_thread_for_the_loop_the_monitor_tries_again(watchful, monkeypatch, caplog):
    submit = Reactor.submit
    refusals = [1, 1]

    def refuse(reactor: Reactor, task: Callable[[], None]) -> None:
        if refusals:
            refusals.pop()
            raise RuntimeError("can't start new thread")
        submit(reactor, task)

    monkeypatch.setattr(Reactor, "submit", refuse)

    def give_away() -> None:
        with watchful.blocking():
            pass

    watchful.call_soon(give_away)
    assert in_loop(watchful, lambda: "served") == "served"
    assert "no thread can be started" in caplog.text


def test_a_loop_that_nobody_can_run_is_given_up_once(monkeypatch, caplog):
    told: list[str] = []
    reactor = Reactor("broken")
    reactor.on_dead = told.append
    monkeypatch.setattr(Reactor, "run_round", lambda _: 1 / 0)
    reactor.start()
    wait_for(lambda: told)
    reactor.stop()
    assert told == ["broken: its runner failed"]
    assert caplog.text.count("is given up") == 1


def test_the_largest_wishes_for_spare_threads_count():
    reactor = Reactor("sparing")
    reactor.keep_threads(3, 0.05)
    reactor.keep_threads(2, 0.02)
    reactor.start()
    gate = threading.Barrier(6, timeout=PATIENCE)
    for _ in range(5):
        reactor.submit(functools.partial(both, gate.wait))
    gate.wait()
    wait_for(lambda: reactor.thread_count == 4)  # the runner, and three that stay
    assert_stays(lambda: reactor.thread_count == 4, "they stay", 0.15)
    reactor.stop()


class StoodStill:
    """A loop, run by the test, whose clock the test moves; a socket that comes first, and one that does not."""

    def __init__(self) -> None:
        self.now = 100.0
        self.reactor = Reactor("thawed", clock=lambda: self.now)
        self.reactor._runner = threading.get_ident()
        self.read: list[str] = []
        self.pairs = {name: socket.socketpair() for name in ("http", "group")}
        for name, (_, right) in self.pairs.items():
            self.reactor.register(right, READ, functools.partial(self._read, name), first=name == "group")
        self.rounds(1)
        for left, _ in self.pairs.values():
            left.send(b"xxx")

    def _read(self, name: str, _: int) -> None:
        self.pairs[name][1].recv(1)
        self.read.append(name)

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.reactor.run_round(0.001)

    def close(self) -> None:
        for left, right in self.pairs.values():
            self.reactor.unregister(right)
            left.close()
            right.close()
        self.reactor.stop()


@pytest.fixture
def stood_still() -> Iterator[StoodStill]:
    stood_still = StoodStill()
    yield stood_still
    stood_still.close()


def test_after_a_standstill_what_comes_first_is_read_before_anything_else(stood_still, caplog):
    stood_still.now += 3
    stood_still.rounds(8)
    assert stood_still.read[:3] == ["group"] * 3
    assert set(stood_still.read[3:]) == {"http"}
    assert "stood still for [3000] ms" in caplog.text


def test_a_loop_that_was_only_a_little_late_reads_everything_at_once(stood_still):
    stood_still.now += 0.5
    stood_still.rounds(1)
    assert set(stood_still.read) == {"http", "group"}


def test_other_sockets_wait_until_who_missed_something_has_it(stood_still):
    is_here: list[bool] = []
    asked: list[list[str]] = []

    def begin() -> Callable[[], bool]:
        asked.append(stood_still.read.copy())
        return lambda: bool(is_here)

    stood_still.reactor.on_standstill.append(begin)
    stood_still.now += 3
    stood_still.rounds(10)
    assert asked == [["group"] * 3]  # once, and when what had come was read
    assert "http" not in stood_still.read
    is_here.append(True)
    stood_still.rounds(2)
    assert stood_still.read[3:] == ["http"]


def test_other_sockets_wait_only_so_long(stood_still):
    stood_still.reactor.on_standstill.append(lambda: lambda: False)
    stood_still.now += 3
    stood_still.rounds(6)
    assert "http" not in stood_still.read
    stood_still.now += module.CATCH_UP_SECONDS
    stood_still.rounds(2)
    assert "http" in stood_still.read


def test_a_peer_that_never_stops_talking_does_not_keep_the_others_waiting(stood_still):
    _, right = stood_still.pairs["group"]
    stood_still.reactor.unregister(right)
    stood_still.reactor.register(right, READ, lambda _: stood_still.read.append("group"), first=True)
    stood_still.now += 3
    stood_still.rounds(3)
    assert set(stood_still.read) == {"group"}
    stood_still.now += module.CATCH_UP_SECONDS / 2
    stood_still.rounds(2)
    assert "http" in stood_still.read


def test_a_fault_of_who_is_told_of_a_standstill_is_logged_and_keeps_nobody_waiting(stood_still, caplog):
    def fail() -> None:
        raise RuntimeError("a fault")

    stood_still.reactor.on_standstill.append(fail)
    stood_still.now += 3
    stood_still.rounds(6)
    assert "http" in stood_still.read
    assert "a fault" in caplog.text


def test_whoever_wakes_a_loop_while_it_ends_touches_no_file_of_others():
    """The last thread closes the descriptor; the next file that is opened gets its number."""
    for _ in range(50):
        reactor = Reactor("ending")
        reactor.start()
        ends = threading.Event()

        def wake(reactor=reactor, ends=ends):
            while not ends.is_set():
                reactor.wake()

        waker = threading.Thread(target=wake)
        waker.start()
        try:
            reactor.stop()
        finally:
            ends.set()
            waker.join()
