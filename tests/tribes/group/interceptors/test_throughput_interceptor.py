"""Counting."""

from __future__ import annotations

import logging

from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.throughput_interceptor import ThroughputInterceptor
from catalina.tribes.io.channel_data import framed_size
from tests.tribes.fakes import PEER, Stack, a_member


def test_messages_and_bytes_are_counted_both_ways():
    layer = ThroughputInterceptor()
    stack = Stack(layer)
    stack.send(b"x" * 100, to=(PEER, a_member(3)))
    message = stack.message(b"y" * 10)
    stack.receive(message)
    assert (layer.msg_tx_cnt, layer.msg_rx_cnt, layer.msg_tx_err) == (1, 1, 0)
    assert layer.bytes_app_tx == framed_size(stack.sent[0])
    assert layer.bytes_tx == 2 * layer.bytes_app_tx
    assert layer.bytes_rx == framed_size(message)
    assert stack.delivered == [b"y" * 10]


def test_failures_are_counted():
    layer = ThroughputInterceptor()
    stack = Stack(layer)
    stack.bottom.failing[PEER] = OSError("no")
    stack.send(b"x")
    assert (layer.msg_tx_cnt, layer.msg_tx_err) == (0, 1)


def test_the_time_with_messages_on_their_way_is_measured():
    layer = ThroughputInterceptor()
    stack = Stack(layer)
    stack.bottom.unanswered = []
    stack.send(b"1")
    stack.reactor.time += 2
    stack.send(b"2")
    stack.reactor.time += 1
    stack.bottom.answer_all()
    assert layer.time_tx == 3


def test_below_the_dispatcher_it_counts_what_has_really_left():
    layer = ThroughputInterceptor()
    stack = Stack(MessageDispatchInterceptor(), layer)
    stack.bottom.unanswered = []
    assert stack.send(b"x", SEND_OPTIONS_ASYNCHRONOUS).done
    assert layer.msg_tx_cnt == 0
    stack.bottom.answer_all()
    assert layer.msg_tx_cnt == 1


def test_a_report_comes_every_interval(caplog):
    stack = Stack(ThroughputInterceptor(interval=3))
    with caplog.at_level(logging.INFO):
        for _ in range(7):
            stack.send(b"x")
        assert caplog.text.count("ThroughputInterceptor Report[") == 2
        for _ in range(3):
            stack.receive(stack.message(b"x"))
    assert caplog.text.count("ThroughputInterceptor Report[") == 3
    assert "Rx Msg:3 messages" in caplog.text


def test_messages_that_go_together_are_counted_each(caplog):
    layer = ThroughputInterceptor(interval=3)
    stack = Stack(layer)
    with caplog.at_level(logging.INFO):
        stack.send_together(b"1", b"2")
        assert caplog.records == []
        stack.send_together(b"3", b"4")
    assert len(caplog.records) == 1, "the third was among them"
    assert (layer.msg_tx_cnt, layer.msg_tx_err) == (4, 0)
    assert layer.bytes_tx == sum(map(framed_size, stack.sent))
    stack.bottom.failing[PEER] = OSError("no")
    stack.send_together(b"5", b"6")
    assert (layer.msg_tx_cnt, layer.msg_tx_err) == (4, 2)
