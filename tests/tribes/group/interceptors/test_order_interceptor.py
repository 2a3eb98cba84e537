"""Messages in the order they were sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.group.interceptors import order_interceptor as module
from catalina.tribes.group.interceptors.order_interceptor import OrderInterceptor
from tests.support.narrowing import there
from tests.support.work import assert_linear
from tests.tribes.fakes import PEER, Stack, a_member
from tests.tribes.wire import cases

D1, D2 = a_member(11), a_member(12)


def numbered(stack: Stack, number: int, options: int = 0, sender: Any = PEER) -> Any:
    return stack.message(b"m%d" % number + number.to_bytes(4, "big", signed=True), options, sender=sender)


def receive(stack: Stack, *numbers: int) -> list[bytes]:
    for number in numbers:
        stack.receive(numbered(stack, number))
    return stack.delivered


def test_messages_are_numbered_as_tomcat_does():
    [case] = cases("interceptors", "order")
    stack = Stack(OrderInterceptor())
    targets = ([D1, D2], [D2], [D1, D2])
    for data, to in zip(case["data"], targets, strict=True):
        assert stack.send(bytes.fromhex(data), 6, to).done
    assert [[message.options, message.data.hex()] for message in stack.sent] == case["sent"]
    assert [to[0] for to, _ in stack.bottom.sent] == [D1, D2, D2, D1, D2]


@given(st.permutations(range(1, 8)))
def test_any_order_of_arrival_gives_the_order_of_sending(numbers):
    assert receive(Stack(OrderInterceptor()), *numbers) == [b"m%d" % number for number in range(1, 8)]


def test_repeated_messages_are_delivered_at_once():
    assert receive(Stack(OrderInterceptor()), 1, 2, 1, 0, 3) == [b"m1", b"m2", b"m1", b"m0", b"m3"]


def test_senders_do_not_wait_for_each_other():
    stack = Stack(OrderInterceptor())
    stack.receive(numbered(stack, 2, sender=D1))
    stack.receive(numbered(stack, 1, sender=D2))
    assert stack.delivered == [b"m1"]


def test_what_waited_too_long_is_delivered_with_the_next_heartbeat():
    stack = Stack(OrderInterceptor(expire=3000))
    assert receive(stack, 3) == []
    stack.reactor.time += 3.1
    stack.heartbeat()
    assert stack.delivered == [b"m3"]
    assert receive(stack, 4) == [b"m3", b"m4"]


def test_or_dropped():
    stack = Stack(OrderInterceptor(expire=3000, forward_expired=False))
    receive(stack, 3)
    stack.reactor.time += 3.1
    assert receive(stack, 4) == [b"m4"]


def test_a_full_queue_is_delivered():
    assert receive(Stack(OrderInterceptor(max_queue=2)), 5, 6) == [b"m5", b"m6"]
    assert receive(Stack(OrderInterceptor(max_held=3)), 5, 6, 7) == [b"m5", b"m6", b"m7"]


def test_two_held_messages_with_one_number_are_refused():
    stack = Stack(OrderInterceptor())
    receive(stack, 5)
    with pytest.raises(ProtocolError, match="same counter"):
        receive(stack, 5)


def test_a_message_without_a_number_is_refused():
    stack = Stack(OrderInterceptor())
    with pytest.raises(ProtocolError, match="without a number"):
        stack.receive(stack.message(b"abc"))


def test_a_lost_member_gets_its_messages_delivered_and_is_counted_anew():
    stack = Stack(OrderInterceptor())
    receive(stack, 1, 3, 5)
    stack.send(b"x", to=[PEER])
    there(stack.bottom.previous).member_disappeared(PEER)
    assert stack.delivered == [b"m1", b"m3", b"m5"]
    assert receive(stack, 1)[-1] == b"m1"
    stack.send(b"x", to=[PEER])
    assert [message.data for message in stack.sent] == [b"x\0\0\0\1", b"x\0\0\0\1"]


def test_other_messages_pass_untouched():
    stack = Stack(OrderInterceptor(option_flag=0x200))
    stack.send(b"plain", 0)
    stack.send(b"numbered", 0x200)
    stack.receive(stack.message(b"up", 0))
    assert [message.data for message in stack.sent] == [b"plain", b"numbered\0\0\0\1"]
    assert stack.delivered == [b"up"]


def test_a_refusal_below_is_that_members_failure(monkeypatch):
    stack = Stack(OrderInterceptor())

    def refuse(to: Any, message: Any, delivery: Any) -> None:
        raise ChannelError("full")

    monkeypatch.setattr(stack.bottom, "send_message", refuse)
    delivery = stack.send(b"x", to=[PEER])
    stack.reactor.run()
    assert isinstance(delivery.faulty[PEER], ChannelError)


def test_invented_senders_do_not_displace_members(monkeypatch):
    monkeypatch.setattr(module, "_MAX_STRANGERS", 2)
    layer = OrderInterceptor()
    stack = Stack(layer)
    stack.receive(numbered(stack, 2))
    for number in range(20, 30):
        stack.receive(numbered(stack, 2, sender=a_member(number)))
    assert list(layer._strangers) == [a_member(28), a_member(29)]
    stack.receive(numbered(stack, 1))
    assert stack.delivered == [b"m1", b"m2"]


def test_the_numbers_of_a_node_that_joins_go_on():
    stack = Stack(OrderInterceptor())
    stack.receive(numbered(stack, 1, sender=D1))
    stack.receive(numbered(stack, 3, sender=D1))
    stack.bottom.known.append(D1)
    stack.receive(numbered(stack, 2, sender=D1))
    assert stack.delivered == [b"m1", b"m2", b"m3"]


def test_messages_without_bytes_are_held_in_bounds_too():
    layer = OrderInterceptor(max_held=10_000)
    stack = Stack(layer)
    for number in range(100, 2, -1):
        stack.receive(stack.message(number.to_bytes(4, "big")))
    assert layer._incoming[PEER].held_bytes <= 10_500
    assert len(stack.delivered) > 50


def test_the_work_for_a_message_does_not_grow_with_those_that_are_held():
    def read(size: int) -> Callable[[], object]:
        stack = Stack(OrderInterceptor(max_held=10**9))
        messages = [numbered(stack, number) for number in range(size + 1, 1, -1)]

        def call() -> None:
            for message in messages:
                stack.receive(message)

        return call

    assert_linear(read, 300)


@given(st.lists(st.binary(max_size=8), max_size=8))
def test_any_bytes_give_messages_or_the_documented_error(messages):
    stack = Stack(OrderInterceptor(max_held=1500))
    for data in messages:
        with contextlib.suppress(ProtocolError):
            stack.receive(stack.message(data))
    assert len(stack.delivered) <= len(messages)
