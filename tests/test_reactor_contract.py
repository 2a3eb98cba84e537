"""The promises of a loop that its users build on, kept by the Reactor and by those that stand for it in tests.

A test that runs on a stand-in says something about the product only as far as both behave alike.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import pytest

from catalina.reactor import Reactor, Timer, Waitable
from tests.simulation.world import Process, World
from tests.tribes.fakes import FakeReactor

Task = Callable[[], None]


class Loop(Protocol):
    """The part of a loop that the group needs, apart from sockets."""

    @property
    def in_runner(self) -> bool: ...

    def now(self) -> float: ...

    def call_soon(self, callback: Task) -> None: ...

    def call_later(self, seconds: float, callback: Task) -> Timer: ...

    def at_round_end(self, callback: Task) -> None: ...

    def event(self) -> Waitable: ...


class Turned:
    """A loop that goes on when the test says so."""

    def __init__(self, loop: Loop, advance: Callable[[float], None]) -> None:
        self.loop = loop
        #: Let seconds pass, and everything happen that is due then.
        self.advance = advance


def _real() -> Iterator[Turned]:
    time = [1000.0]
    reactor = Reactor("contract", clock=lambda: time[0])
    reactor._runner = threading.get_ident()  # the test is the thread that runs it

    def advance(seconds: float) -> None:
        time[0] += seconds
        for _ in range(20):
            reactor.run_round(0)

    yield Turned(reactor, advance)
    reactor.stop()


def _fake() -> Iterator[Turned]:
    reactor = FakeReactor()
    yield Turned(reactor, reactor.advance)


def _simulated() -> Iterator[Turned]:
    world = World(1)
    yield Turned(Process(world).reactor, lambda seconds: world.run_until(world.now + seconds))


@pytest.fixture(params=[_real, _fake, _simulated])
def turned(request: pytest.FixtureRequest) -> Iterator[Turned]:
    yield from request.param()


def test_calls_run_in_their_order_and_never_in_the_one_who_asks(turned: Turned) -> None:
    order: list[str] = []

    def first() -> None:
        turned.loop.call_soon(lambda: order.append("third"))
        order.append("first")

    turned.loop.call_soon(first)
    turned.loop.call_soon(lambda: order.append("second"))
    assert order == []
    turned.advance(0)
    assert order == ["first", "second", "third"]


def test_callbacks_run_in_the_runner(turned: Turned) -> None:
    where: list[bool] = []
    turned.loop.call_soon(lambda: where.append(turned.loop.in_runner))
    turned.loop.call_later(1, lambda: where.append(turned.loop.in_runner))
    turned.advance(2)
    assert where == [True, True]


def test_a_timer_runs_once_when_its_time_has_come_and_not_before(turned: Turned) -> None:
    ran: list[float] = []
    began = turned.loop.now()
    turned.loop.call_later(5, lambda: ran.append(turned.loop.now()))
    turned.advance(4)
    assert ran == []
    turned.advance(1)
    assert ran == [began + 5]
    turned.advance(100)
    assert len(ran) == 1


def test_timers_run_in_the_order_of_their_times(turned: Turned) -> None:
    order: list[int] = []
    for seconds in (3, 1, 2):
        turned.loop.call_later(seconds, partial(order.append, seconds))
    turned.advance(10)
    assert order == [1, 2, 3]


def test_a_cancelled_timer_never_runs(turned: Turned) -> None:
    ran: list[int] = []
    timer = turned.loop.call_later(1, lambda: ran.append(1))
    other = turned.loop.call_later(1, lambda: ran.append(2))
    timer.cancel()
    turned.advance(2)
    other.cancel()  # too late, and harmless
    assert ran == [2]


def test_a_timer_that_a_timer_makes_runs_in_its_turn(turned: Turned) -> None:
    ran: list[str] = []

    def first() -> None:
        turned.loop.call_later(1, lambda: ran.append("second"))

    turned.loop.call_later(1, first)
    turned.advance(1)
    assert ran == []
    turned.advance(1)
    assert ran == ["second"]


def test_the_end_of_a_round_comes_before_the_calls_that_were_asked_for_in_it(turned: Turned) -> None:
    order: list[str] = []

    def first() -> None:
        turned.loop.call_soon(lambda: order.append("next round"))
        turned.loop.at_round_end(lambda: order.append("end"))
        order.append("first")

    turned.loop.call_soon(first)
    turned.loop.call_soon(lambda: order.append("second"))
    turned.advance(0)
    assert order == ["first", "second", "end", "next round"]


def test_what_is_put_off_at_the_end_of_a_round_still_belongs_to_it(turned: Turned) -> None:
    order: list[str] = []
    turned.loop.call_soon(lambda: turned.loop.call_soon(lambda: order.append("next round")))
    turned.loop.at_round_end(lambda: turned.loop.at_round_end(lambda: order.append("end")))
    turned.advance(0)
    assert order == ["end", "next round"]


def test_an_event_is_set_until_it_is_cleared(turned: Turned) -> None:
    event = turned.loop.event()
    assert not event.is_set()
    event.set()
    assert event.is_set()
    assert event.wait(0)
    event.clear()
    assert not event.is_set()
