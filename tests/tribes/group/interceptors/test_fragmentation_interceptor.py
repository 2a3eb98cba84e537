"""Large messages in pieces."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.group.interceptors.fragmentation_interceptor import FragmentationInterceptor
from tests.support.work import assert_linear
from tests.tribes.fakes import PEER, Stack, a_member
from tests.tribes.wire import cases

ID = b"i" * 16


@pytest.mark.parametrize("case", cases("interceptors", "fragmentation"), ids=lambda case: len(case["data"]) // 2)
def test_messages_are_cut_as_tomcat_does(case):
    stack = Stack(FragmentationInterceptor(max_size=100))
    unique_id = bytes.fromhex(case["unique_id"])
    assert stack.send(bytes.fromhex(case["data"]), case["options"], unique_id=unique_id).done
    sent = [[message.options, message.data.hex(), message.unique_id.hex()] for message in stack.sent]
    assert sent == case["sent"]


@given(st.binary(max_size=60), st.integers(1, 9), st.randoms())
def test_pieces_are_joined_in_any_order(data, size, random):
    stack = Stack(FragmentationInterceptor(max_size=size))
    stack.send(data)
    pieces = stack.sent
    random.shuffle(pieces)
    for piece in pieces:
        stack.receive(piece)
    assert stack.delivered == [data]


def test_the_delivery_waits_for_every_piece_of_every_member():
    stack = Stack(FragmentationInterceptor(max_size=2))
    stack.bottom.unanswered = []
    delivery = stack.send(b"12345", to=(PEER, a_member(3)))
    for _ in range(2):
        stack.bottom.answer(*stack.bottom.unanswered.pop(0))
    assert not delivery.done
    stack.bottom.answer_all()
    assert delivery.done


def test_repeated_pieces_change_nothing():
    stack = Stack(FragmentationInterceptor(max_size=2))
    stack.send(b"1234")
    first, second = stack.sent
    for piece in (first, first, second):
        stack.receive(piece)
    assert stack.delivered == [b"1234"]


def test_incomplete_messages_are_forgotten(caplog):
    layer = FragmentationInterceptor(max_size=2, expire=60_000)
    stack = Stack(layer)
    stack.send(b"1234")
    stack.receive(stack.sent[0])
    stack.reactor.time += 61
    stack.heartbeat()
    assert "is lost: 1 of 2 pieces came" in caplog.text
    stack.receive(stack.sent[1])
    assert stack.delivered == []
    stack.reactor.time += 61
    stack.heartbeat()
    assert layer._pending_bytes == {True: 0, False: 0}


def test_incomplete_messages_are_bounded():
    layer = FragmentationInterceptor(max_pending=500)
    stack = Stack(layer)
    stack.receive(stack.message(b"123456" + bytes([0, 0, 0, 0, 0, 0, 0, 2, 1]), unique_id=ID))
    with pytest.raises(LimitError, match="limit 500"):
        stack.receive(stack.message(b"123456" + bytes([0, 0, 0, 0, 0, 0, 0, 2, 1])))
    assert layer._pending_bytes[True] == 406


def test_pieces_without_bytes_are_bounded_too():
    stack = Stack(FragmentationInterceptor(max_pending=40_000))
    empty = bytes([0, 0, 0, 0, 0, 0, 0, 2, 1])
    for _ in range(100):
        stack.receive(stack.message(empty))
    with pytest.raises(LimitError, match="incomplete messages of 40400 bytes"):
        stack.receive(stack.message(empty))


def test_the_pieces_of_strangers_leave_members_their_room():
    stack = Stack(FragmentationInterceptor(max_pending=700))
    piece = bytes([0, 0, 0, 0, 0, 0, 0, 2, 1])
    stack.receive(stack.message(piece, sender=a_member(9)))
    with pytest.raises(LimitError, match="incomplete messages of nodes that are no members"):
        stack.receive(stack.message(piece, sender=a_member(9)))
    stack.receive(stack.message(piece, sender=PEER))


def test_another_sender_cannot_spoil_a_message_by_its_id():
    stack = Stack(FragmentationInterceptor())
    first, last = b"a" + bytes([0, 0, 0, 0, 0, 0, 0, 2, 1]), b"b" + bytes([0, 0, 0, 1, 0, 0, 0, 2, 1])
    stack.receive(stack.message(first, unique_id=ID))
    stack.receive(stack.message(b"evil" + bytes([0, 0, 0, 1, 0, 0, 0, 9, 1]), unique_id=ID, sender=a_member(9)))
    stack.receive(stack.message(last, unique_id=ID))
    assert stack.delivered == [b"ab"]


def test_the_work_grows_with_the_pieces_and_no_faster():
    def read(size: int) -> Callable[[], object]:
        stack = Stack(FragmentationInterceptor())
        messages = [
            stack.message(b"x" + struct.pack(">ii?", number, size, True), unique_id=ID) for number in range(size)
        ]

        def call() -> None:
            for message in messages:
                stack.receive(message)

        return call

    assert_linear(read, 300)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "without a tail"),
        (b"abc\1", "expected a tail of 9"),
        (bytes([0, 0, 0, 2, 0, 0, 0, 2, 1]), "piece 2 of 2"),
        (bytes([255, 255, 255, 255, 0, 0, 0, 2, 1]), "piece -1 of 2"),
        (bytes([0, 0, 0, 0, 255, 0, 0, 2, 1]), "piece 0 of -16777214"),
    ],
)
def test_foreign_tails_are_refused(data, why):
    stack = Stack(FragmentationInterceptor())
    with pytest.raises(ProtocolError, match=why):
        stack.receive(stack.message(data))


def test_pieces_that_contradict_each_other_are_refused():
    stack = Stack(FragmentationInterceptor())
    stack.receive(stack.message(b"a" + bytes([0, 0, 0, 0, 0, 0, 0, 2, 1]), unique_id=ID))
    with pytest.raises(ProtocolError, match="of 2 and of 3 pieces"):
        stack.receive(stack.message(b"a" + bytes([0, 0, 0, 1, 0, 0, 0, 3, 1]), unique_id=ID))


def test_a_huge_count_costs_nothing():
    stack = Stack(FragmentationInterceptor())
    stack.receive(stack.message(b"a" + bytes([0, 0, 0, 0, 127, 255, 255, 255, 1])))
    assert stack.delivered == []


def test_other_messages_are_sent_whole_with_their_tail():
    stack = Stack(FragmentationInterceptor(option_flag=0x200, max_size=1))
    stack.send(b"whole", 0)
    assert [message.data for message in stack.sent] == [b"whole\0"]


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_any_bytes_give_messages_or_the_documented_error(messages):
    stack = Stack(FragmentationInterceptor(max_pending=30))
    for data in messages:
        with contextlib.suppress(ProtocolError):
            stack.receive(stack.message(data, unique_id=ID))
    assert all(isinstance(data, bytes) for data in stack.delivered)
