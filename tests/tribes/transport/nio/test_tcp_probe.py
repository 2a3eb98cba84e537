"""Checks if a member is there."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from catalina.reactor import Reactor
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT, TcpProbe
from tests.support.ports import free_port
from tests.support.stand_in import stand_in
from tests.tribes.groups import LOOPBACK


@pytest.fixture
def reactor():
    reactor = Reactor("test-probe")
    reactor.start()
    yield reactor
    reactor.stop()


def verdict_of(reactor: Reactor, port: int, frame: bytes = b"", read_timeout: float | None = None) -> bool:
    verdicts, done = [], threading.Event()

    def judge(alive: bool) -> None:
        verdicts.append(alive)
        done.set()

    member = Member(socket.inet_aton(LOOPBACK), port)
    channel: Any = stand_in(GroupChannel, running_reactor=reactor, secure=False, tls=None)

    def begin() -> None:
        TcpProbe(channel, member, frame, 0.5, read_timeout, judge)

    run_in_runner(reactor, begin)
    assert done.wait(5)
    assert len(verdicts) == 1
    return verdicts[0]


def test_the_message_is_tomcats():
    assert len(TCP_FAIL_DETECT) == 64


def test_who_takes_a_connection_is_there(reactor):
    with socket.create_server((LOOPBACK, 0)) as server:
        assert verdict_of(reactor, server.getsockname()[1], b"probe")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b"probe"
            assert connection.recv(100) == b""


def test_a_closed_port_is_nobody(reactor):
    assert not verdict_of(reactor, free_port())


def test_an_impossible_address_is_nobody(reactor):
    assert not verdict_of(reactor, 0)


def test_an_answer_can_be_waited_for(reactor):
    with socket.create_server((LOOPBACK, 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(5)
                connection.send(b"!")

        thread = threading.Thread(target=answer)
        thread.start()
        assert verdict_of(reactor, server.getsockname()[1], b"probe", read_timeout=5)
        thread.join()


def test_who_never_answers_is_nobody(reactor):
    with socket.create_server((LOOPBACK, 0)) as server:
        assert not verdict_of(reactor, server.getsockname()[1], b"probe", read_timeout=0.05)


def test_who_hangs_up_instead_of_answering_is_nobody(reactor):
    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        assert not verdict_of(reactor, server.getsockname()[1], b"probe", read_timeout=5)
        thread.join()
