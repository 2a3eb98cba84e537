"""Messages that are delivered when confirmed."""

from __future__ import annotations

import pytest

from catalina.errors import LimitError
from catalina.tribes.group.interceptors.two_phase_commit_interceptor import (
    END_DATA,
    START_DATA,
    TwoPhaseCommitInterceptor,
)
from tests.tribes.fakes import PEER, Stack, a_member
from tests.tribes.wire import cases


def test_message_and_confirmation_are_tomcats():
    [case] = cases("interceptors", "two_phase_commit")
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.send(bytes.fromhex(case["data"]), case["options"], unique_id=bytes.fromhex(case["unique_id"]))
    assert [[message.options, message.data.hex()] for message in stack.sent] == [sent[:2] for sent in case["sent"]]
    first, second = stack.sent
    assert second.timestamp_ms == first.timestamp_ms
    assert second.unique_id != first.unique_id


def test_a_message_is_delivered_with_its_confirmation():
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.send(b"commit me", 6)
    stack.receive(stack.sent[0])
    assert stack.delivered == []
    stack.receive(stack.sent[1])
    assert stack.delivered == [b"commit me"]


def test_the_confirmation_waits_for_every_member():
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.bottom.unanswered = []
    delivery = stack.send(b"x", 6, to=(PEER, a_member(3)))
    assert len(stack.sent) == 1
    stack.bottom.answer_all()
    assert len(stack.sent) == 2
    assert delivery.done


def test_a_member_without_the_message_gets_no_confirmation():
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.bottom.failing[PEER] = OSError("no")
    delivery = stack.send(b"x", 6, to=(PEER, a_member(3)))
    assert [to for to, _ in stack.bottom.sent] == [(PEER, a_member(3)), (a_member(3),)]
    assert delivery.done
    assert delivery.faulty.keys() == {PEER}


def test_when_nobody_has_it_there_is_no_confirmation():
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.bottom.failing[PEER] = OSError("no")
    assert stack.send(b"x", 6).faulty
    assert len(stack.sent) == 1


def test_a_confirmation_without_its_message_is_logged(caplog):
    stack = Stack(TwoPhaseCommitInterceptor())
    stack.receive(stack.message(START_DATA + b"i" * 16 + END_DATA))
    assert "original message is missing" in caplog.text
    assert stack.delivered == []


def test_unconfirmed_messages_are_forgotten():
    layer = TwoPhaseCommitInterceptor(expire=60_000)
    stack = Stack(layer)
    stack.send(b"x", 6)
    stack.receive(stack.sent[0])
    stack.reactor.time += 61
    stack.heartbeat()
    stack.receive(stack.sent[1])
    assert stack.delivered == []
    assert layer._held_bytes == {True: 0, False: 0}


def test_repeated_messages_are_held_once_and_delivered_once():
    layer = TwoPhaseCommitInterceptor()
    stack = Stack(layer)
    stack.send(b"abc", 6)
    for message in (stack.sent[0], stack.sent[0], stack.sent[1], stack.sent[1]):
        stack.receive(message)
    assert stack.delivered == [b"abc"]
    assert layer._held_bytes == {True: 0, False: 0}


def test_what_waits_is_bounded():
    stack = Stack(TwoPhaseCommitInterceptor(max_held=1000))
    stack.receive(stack.message(b"12345678"))
    with pytest.raises(LimitError, match="limit 1000"):
        stack.receive(stack.message(b""))


def test_what_strangers_send_leaves_members_their_room():
    stack = Stack(TwoPhaseCommitInterceptor(max_held=600))
    stack.receive(stack.message(b"1", sender=a_member(9)))
    with pytest.raises(LimitError):
        stack.receive(stack.message(b"2", sender=a_member(9)))
    stack.receive(stack.message(b"3", sender=PEER))


def test_another_sender_can_neither_replace_nor_confirm_a_message():
    layer = TwoPhaseCommitInterceptor()
    stack = Stack(layer)
    stack.receive(stack.message(b"mine", unique_id=b"i" * 16))
    stack.receive(stack.message(b"evil", unique_id=b"i" * 16, sender=a_member(9)))
    stack.receive(stack.message(START_DATA + b"i" * 16 + END_DATA))
    assert stack.delivered == [b"mine"]


@pytest.mark.parametrize("data", [START_DATA + END_DATA, START_DATA + b"i" * 15 + END_DATA, b""])
def test_what_only_looks_like_a_confirmation_is_a_message(data):
    layer = TwoPhaseCommitInterceptor()
    stack = Stack(layer)
    stack.receive(stack.message(data))
    assert len(layer._held) == 1


def test_other_messages_pass_untouched():
    stack = Stack(TwoPhaseCommitInterceptor(option_flag=0x200))
    stack.send(b"plain", 0)
    stack.receive(stack.message(b"up", 0))
    assert (len(stack.sent), stack.delivered) == (1, [b"up"])
