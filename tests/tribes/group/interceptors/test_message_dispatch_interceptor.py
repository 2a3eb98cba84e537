"""Sending in the background."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import Delivery
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from tests.support.narrowing import there
from tests.tribes.fakes import PEER, Stack, a_member


def waiting(**settings: Any) -> tuple[Stack, MessageDispatchInterceptor]:
    """A stack whose network answers only when told."""
    layer = MessageDispatchInterceptor(**settings)
    stack = Stack(layer)
    stack.bottom.unanswered = []
    return stack, layer


def test_an_asynchronous_message_is_done_when_it_is_queued():
    stack, layer = waiting()
    delivery = stack.send(b"12345", 8)
    assert delivery.done
    assert layer.current_size == 5
    stack.bottom.answer_all()
    assert layer.current_size == 0


def test_other_messages_wait_for_their_members():
    stack, layer = waiting()
    delivery = stack.send(b"12345", 6)
    assert not delivery.done
    assert layer.current_size == 0
    stack.bottom.answer_all()
    assert delivery.done


def test_with_a_full_queue_the_sender_waits():
    stack, _ = waiting(max_queue_size=10)
    assert stack.send(b"x" * 8, 8).done
    direct = stack.send(b"x" * 8, 8)
    assert not direct.done
    stack.bottom.answer_all()
    assert direct.done
    assert stack.send(b"x" * 8, 8).done


def test_or_the_message_is_refused():
    stack, _ = waiting(max_queue_size=10, always_send=False)
    stack.send(b"x" * 8, 8)
    with pytest.raises(ChannelError, match=r"reached its limit of \[10\] bytes, current:\[8\] bytes"):
        stack.send(b"x" * 8, 8)
    assert len(stack.sent) == 1


def test_a_message_that_is_refused_below_takes_no_room():
    stack, layer = waiting()

    def refuse(to: Any, message: Any, delivery: Any) -> None:
        raise ChannelError("no")

    layer._send_below = refuse
    with pytest.raises(ChannelError, match="no"):
        stack.send(b"12345", 8)
    assert layer.current_size == 0


def test_failures_reach_only_the_handler():
    stack, _ = waiting()
    stack.bottom.failing[PEER] = OSError("no")
    told = []

    class Handler:
        def handle_error(self, error: Any, unique_id: Any) -> None:
            told.append((error.faulty.keys(), unique_id))

        def handle_completion(self, unique_id: Any) -> None:
            told.append(unique_id)

    for member, name in ((PEER, b"1"), (a_member(3), b"2")):
        message = stack.message(b"x", 8, name)
        delivery = Delivery(1, name, handler=Handler())
        there(stack.top.next).send_message([member], message, delivery)
        assert not delivery.faulty
    stack.bottom.answer_all()
    assert told == [({PEER: 0}.keys(), b"1"), b"2"]


def test_without_a_handler_failures_are_logged(caplog):
    stack, _ = waiting()
    stack.bottom.failing[PEER] = OSError("no")
    stack.send(b"x", 8)
    stack.bottom.answer_all()
    assert "Error while processing async message" in caplog.text


def test_another_flag_is_warned_about_and_honoured(caplog):
    stack, _ = waiting(option_flag=0x200)
    assert "overriding the asynchronous option flag" in caplog.text
    assert not stack.send(b"x", 8).done
    assert stack.send(b"x", 0x200).done


def test_the_defaults_are_tomcats():
    layer = MessageDispatchInterceptor()
    assert (layer.option_flag, layer.max_queue_size, layer.always_send) == (8, 67108864, True)
    assert (layer.max_threads, layer.max_spare_threads, layer.keep_alive_time) == (10, 2, 5000)


def test_messages_that_go_together_are_queued_as_one():
    stack, layer = waiting()
    delivery = stack.send_together(b"123", b"45", options=8)
    assert delivery.done
    assert layer.current_size == 5
    stack.bottom.answer_all()
    assert layer.current_size == 0
