"""A connection that is worked through, on a pair of sockets and a loop turned by hand."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from catalina.reactor import Reactor
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.io.x_byte_buffer import ACK
from catalina.tribes.transport.nio.nio_replication_task import BUDGET, NioReplicationTask
from catalina.tribes.transport.nio.receiver_limits import ReceiverLimits
from tests.tribes.fakes import PEER


class Turned:
    """A task whose loop runs only when the test says so."""

    def __init__(self) -> None:
        self.reactor = Reactor("test-task")
        self.here, there = socket.socketpair()
        there.setblocking(False)
        self.here.setblocking(False)
        self.delivered: list[bytes] = []
        self.limits = ReceiverLimits(100_000, 10, lambda: (PEER,), lambda member: member == PEER, time.monotonic)
        self.task = NioReplicationTask(
            there,
            "peer:1",
            self.reactor,
            lambda message: self.delivered.append(message.data),
            10_000,
            65536,
            self.limits,
        )

    def send(self, count: int, options: int) -> None:
        encoder = PackageEncoder()
        messages = (ChannelMessage(b"%d" % number, options, 1, bytes(16), PEER) for number in range(count))
        wire = b"".join(map(encoder.frame, messages))
        assert self.here.send(wire) == len(wire)

    def turn(self) -> None:
        self.reactor._runner = threading.get_ident()
        self.reactor.run_round(0)


@pytest.fixture
def turned():
    one = Turned()
    yield one
    one.task.close()
    one.here.close()
    one.reactor.stop()


def test_a_round_takes_no_more_than_the_budget_before_and_after_the_other_sockets(turned):
    turned.send(3 * BUDGET, 0)
    turned.turn()
    assert len(turned.delivered) == 2 * BUDGET
    turned.turn()
    assert len(turned.delivered) == 3 * BUDGET


def test_all_answers_of_a_round_leave_in_one_write(turned):
    turned.send(5, 6)
    turned.turn()
    assert turned.here.recv(1000) == ACK * 5


def test_the_end_of_the_connection_is_reported_once(turned):
    turned.here.close()
    turned.turn()
    assert turned.limits.tasks == set()
    turned.task.close()
