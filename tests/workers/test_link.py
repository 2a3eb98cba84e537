"""A stream of frames on the event loop."""

import socket
import threading
from collections.abc import Iterator

import pytest

from catalina.reactor import Reactor
from catalina.workers.frames import Frame, Kind, encode_frame
from catalina.workers.link import Link
from tests.support.waiting import wait_until
from tests.workers.links import running_reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    with running_reactor() as running:
        yield running


class Heard:
    """The events that a link reports to its owner."""

    def __init__(self, reactor: Reactor, sock: socket.socket) -> None:
        self.frames: list[Frame] = []
        self.lost = threading.Event()
        self.link = Link(sock, reactor, "test", self.frames.append, self.lost.set)
        self.link.open()


def test_frames_arrive_in_order(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    heard = Heard(reactor, ours)
    for number in range(100):
        theirs.sendall(encode_frame(Kind.POST, b"x" * number, number))
    wait_until(lambda: len(heard.frames) == 100, "all frames")
    assert [frame.number for frame in heard.frames] == list(range(100))
    heard.link.close()
    theirs.close()


def test_a_peer_that_goes_is_noticed_once(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    heard = Heard(reactor, ours)
    theirs.close()
    assert heard.lost.wait(15)
    assert heard.link.send(b"nobody will read this")


def test_bytes_that_are_no_frame_end_the_link(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    heard = Heard(reactor, ours)
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert heard.lost.wait(15)
    assert theirs.recv(1) == b""
    theirs.close()


def test_whoever_sends_to_a_slow_peer_is_told_when_the_kernel_has_it(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    heard = Heard(reactor, ours)
    written = threading.Event()
    frame = encode_frame(Kind.POST, bytes(16 * 2**20))
    assert not heard.link.send(frame, written.set)
    assert not written.is_set()
    received = 0
    while received < len(frame):
        received += len(theirs.recv(2**20))
    assert written.wait(15)
    heard.link.close()
    theirs.close()


def test_a_closed_link_says_nothing_of_its_loss(reactor: Reactor) -> None:
    ours, theirs = socket.socketpair()
    heard = Heard(reactor, ours)
    heard.link.close()
    assert theirs.recv(1) == b""
    assert not heard.lost.is_set()
    theirs.close()
