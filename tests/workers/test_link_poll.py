"""The keeper reads the links of its workers together, and in pauses while nobody waits."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from catalina.reactor import READ, Reactor, Timer
from catalina.workers import link_poll
from catalina.workers.link_poll import CALM_SECONDS, PAUSE_SECONDS, LinkPoll
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


class Loop:
    """A loop that a test turns."""

    in_runner = True

    def __init__(self) -> None:
        self.time = 100.0
        self.events = 0
        self.later: list[Callable[[], None]] = []

    def now(self) -> float:
        return self.time

    def register(self, sock: object, events: int, callback: Callable[[int], None], *, first: bool) -> None:
        assert first, "before everything else after a standstill"
        self.events, self._callback = events, callback

    def modify(self, sock: object, events: int) -> None:
        self.events = events

    def unregister(self, sock: object) -> None:
        self.events = 0

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        assert seconds == PAUSE_SECONDS
        self.later.append(callback)

    def turn(self, seconds: float = 0.0) -> None:
        """Let time pass, and do what is due."""
        self.time += seconds
        due, self.later = (self.later, []) if seconds >= PAUSE_SECONDS else ([], self.later)
        for task in due:
            task()
        if self.events & READ:
            self._callback(READ)


class Links:
    """A poll of two links, and what was read from each."""

    def __init__(self) -> None:
        self.loop = Loop()
        loop: Any = self.loop
        self.poll = LinkPoll(loop)
        self.pairs = [socket.socketpair() for _ in range(2)]
        self.read: list[tuple[int, bytes]] = []
        for number, (ours, _) in enumerate(self.pairs):
            self.poll.register(ours, READ, lambda _, number=number: self._read(number))  # type: ignore[misc]

    def _read(self, number: int) -> None:
        self.read.append((number, self.pairs[number][0].recv(100)))

    def post(self, number: int, data: bytes) -> None:
        self.pairs[number][1].sendall(data)

    def pause(self) -> None:
        """Post so that a pause begins."""
        for _ in range(2):
            self.post(0, b"x")
            self.loop.turn(PAUSE_SECONDS / 2)
        self.read.clear()
        assert not self.loop.events

    def close(self) -> None:
        self.poll.close()
        for each in sum(self.pairs, ()):
            each.close()


@pytest.fixture
def links() -> Iterator[Links]:
    with ExitStack() as stack:
        made = Links()
        stack.callback(made.close)
        yield made


def test_a_post_now_and_then_is_read_at_once(links: Links) -> None:
    for number in (0, 1):
        links.post(number, b"a")
        links.loop.turn(2 * PAUSE_SECONDS)
        assert links.read.pop() == (number, b"a")
    assert links.loop.events == READ


def test_posts_that_follow_each_other_are_read_together_after_a_pause(links: Links) -> None:
    links.pause()
    for data in (b"a", b"b"):
        links.post(0, data)
        links.post(1, data)
        links.loop.turn(PAUSE_SECONDS / 10)
    assert links.read == []
    links.loop.turn(PAUSE_SECONDS)
    assert sorted(links.read) == [(0, b"ab"), (1, b"ab")]
    links.loop.turn(PAUSE_SECONDS)
    assert links.loop.events == READ, "nothing came, so the next post is read at once"
    assert links.loop.later == []


def test_there_is_no_pause_while_somebody_waits(links: Links) -> None:
    links.pause()
    links.poll.hurry()
    links.post(0, b"a")
    links.loop.turn(PAUSE_SECONDS)
    for number in (0, 1) * 10:
        links.post(number, b"b")
        links.loop.turn()
    assert links.read == [(0, b"a"), *[(0, b"b"), (1, b"b")] * 10]
    links.loop.turn(CALM_SECONDS)
    links.pause()


def test_a_fault_at_one_link_costs_the_others_nothing(links: Links, caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        links.poll.register(ours, READ, lambda _: 1 / 0)  # type: ignore[arg-type]
        theirs.sendall(b"x")
        links.post(1, b"a")
        links.loop.turn(PAUSE_SECONDS)
        links.poll.unregister(ours)
    assert links.read == [(1, b"a")]
    assert "A callback of the event loop failed" in caplog.text


def test_a_callback_that_hands_the_loop_on_is_the_last(links: Links) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def hand_on(_: int) -> None:
            ours.recv(1)
            links.loop.in_runner = False

        links.poll.register(ours, READ, hand_on)
        theirs.sendall(b"x")
        links.loop.turn()
        assert links.loop.events == READ, "the next runner polls"
        links.loop.in_runner = True
        links.post(1, b"a")
        links.loop.turn()
        links.poll.unregister(ours)
    assert links.read == [(1, b"a")]


def test_a_closed_poll_looks_no_more(links: Links) -> None:
    links.pause()
    links.poll.close()
    links.post(0, b"a")
    links.loop.turn(PAUSE_SECONDS)
    assert links.read == []


@pytest.fixture
def paused_node(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> SmallNode:
    """A node whose keeper reads nothing by itself any more."""
    pause = 3600.0
    monkeypatch.setattr(link_poll, "PAUSE_SECONDS", pause)
    paused = threading.Event()
    call_later = Reactor.call_later

    def later(self: Reactor, seconds: float, callback: Callable[[], None]) -> Timer:
        if seconds == pause:
            paused.set()
        return call_later(self, seconds, callback)

    monkeypatch.setattr(Reactor, "call_later", later)
    node = make_node()
    for _ in range(2):
        node.workers[0].request(count=0)
    assert paused.wait(15)
    return node


def test_a_session_of_which_the_keeper_has_not_read_yet_is_found_by_another_worker(paused_node: SmallNode) -> None:
    first, second = paused_node.workers
    session = first.request(count=1)
    assert session is not None
    first.request(session.id, count=2)
    assert session.id not in paused_node.keeper.manager.sessions
    found = second.manager.find_session(session.id)
    assert found is not None
    assert found.get_attribute("count") == 2


def test_who_has_a_session_is_known_before_the_keeper_has_read_of_it(paused_node: SmallNode) -> None:
    first, second = paused_node.workers
    session = first.request(count=1)
    assert session is not None
    assert second.manager.locate(session.id) == 0


def test_a_worker_that_has_died_is_noticed_while_another_asks_for_its_session(paused_node: SmallNode) -> None:
    first, second = paused_node.workers
    session = first.request(count=1)
    assert session is not None
    paused_node.keeper.read_all()
    first.end()
    found = second.manager.find_session(session.id)
    assert found is not None
    assert found.get_attribute("count") == 1
    assert len(paused_node.keeper.links.members) == 1
