"""Looking after members."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.tribes.group.interceptors.static_membership_interceptor import StaticMembershipInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.group.interceptors.tcp_ping_interceptor import TCP_PING_DATA, TcpPingInterceptor
from tests.tribes.fakes import PEER, Stack
from tests.tribes.wire import cases


def test_the_ping_is_tomcats():
    stack = Stack(TcpPingInterceptor())
    stack.heartbeat()
    assert [[message.options, message.data.hex()] for message in stack.sent] == cases("interceptors", "tcp_ping")[0][
        "sent"
    ]
    assert stack.bottom.sent[0][0] == (PEER,)


def test_pings_end_here_and_nothing_else_does():
    stack = Stack(TcpPingInterceptor())
    stack.receive(stack.message(TCP_PING_DATA))
    stack.receive(stack.message(TCP_PING_DATA[:-1]))
    assert stack.delivered == [TCP_PING_DATA[:-1]]


def test_another_flag_means_another_message():
    stack = Stack(TcpPingInterceptor(option_flag=0x200))
    stack.receive(stack.message(TCP_PING_DATA, 0))
    stack.receive(stack.message(TCP_PING_DATA, 0x200))
    assert stack.delivered == [TCP_PING_DATA]


def test_with_a_failure_detector_below_that_checks_all_members(monkeypatch):
    checked = []
    monkeypatch.setattr(TcpFailureDetector, "check_members", lambda self: checked.append(self))
    detector = TcpFailureDetector()
    stack = Stack(TcpPingInterceptor(), detector, members=())
    stack.heartbeat()
    assert checked == [detector]
    assert stack.sent == []


def test_a_timer_can_do_it():
    layer = TcpPingInterceptor(use_thread=True, interval=500)
    stack = Stack(layer)
    stack.heartbeat()
    assert stack.sent == []
    stack.reactor.advance(1.6)
    assert len(stack.sent) == 3
    layer.stop(15)
    stack.reactor.advance(5)
    assert len(stack.sent) == 3


@pytest.mark.parametrize("static_only", [True, False])
def test_without_members_nothing_is_sent(static_only):
    stack = Stack(TcpPingInterceptor(static_only=static_only), StaticMembershipInterceptor(), members=())
    stack.heartbeat()
    assert stack.sent == []


def test_a_ping_that_cannot_be_sent_is_logged(caplog, monkeypatch):
    stack = Stack(TcpPingInterceptor())

    def refuse(to: Any, message: Any, delivery: Any) -> None:
        raise ChannelError("full")

    monkeypatch.setattr(stack.bottom, "send_message", refuse)
    stack.heartbeat()
    assert "Unable to send TCP ping. full" in caplog.text
