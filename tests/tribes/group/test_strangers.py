"""Early messages wait for their sender to join, bounded."""

from __future__ import annotations

import contextlib

import pytest

from catalina.errors import LimitError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group import strangers as module
from catalina.tribes.group.strangers import MAX_SENDER_BYTES, MAX_UNHEARD, PATIENCE_SECONDS, Strangers
from catalina.tribes.member import Member
from tests.tribes.fakes import FakeReactor, a_member


def a_message(sender: Member, data: bytes = b"early") -> ChannelMessage:
    return ChannelMessage(data, 1, 1, bytes(16), sender)


def a_stranger(number: int) -> Member:
    return Member(bytes([10, 9, number // 256, number % 256]), 4000)


@pytest.fixture
def reactor():
    return FakeReactor()


@pytest.fixture
def heard():
    return set()


@pytest.fixture
def strangers(reactor, heard):
    return Strangers(lambda member: member in heard, reactor.now)


def test_what_came_early_is_there_in_its_order_when_the_sender_joins(strangers, reactor):
    for data in (b"1", b"2", b"3"):
        strangers.keep(a_message(a_member(2), data), reactor)
    reactor.advance(PATIENCE_SECONDS - 1)
    assert [message.data for message in strangers.take(a_member(2))] == [b"1", b"2", b"3"]
    assert strangers.take(a_member(2)) == []


def test_who_does_not_join_is_dropped_and_named_once(strangers, reactor, caplog):
    strangers.keep(a_message(a_member(2)), reactor)
    reactor.advance(3)
    strangers.keep(a_message(a_member(3)), reactor)
    reactor.advance(PATIENCE_SECONDS - 2)
    assert strangers.take(a_member(2)) == []
    assert f"Refused [1] messages from {a_member(2)}, which is no member of the group" in caplog.text
    assert len(strangers.take(a_member(3))) == 1
    reactor.advance(PATIENCE_SECONDS)
    assert "10.0.0.3" not in caplog.text


def test_invented_senders_cost_no_node_that_was_heard_its_message(strangers, reactor, heard):
    for number in range(MAX_UNHEARD):
        strangers.keep(a_message(a_stranger(number)), reactor)
    with pytest.raises(LimitError, match="no members wait already"):
        strangers.keep(a_message(a_stranger(MAX_UNHEARD)), reactor)
    heard.add(a_member(2))
    strangers.keep(a_message(a_member(2)), reactor)
    assert len(strangers.take(a_member(2))) == 1


def test_one_sender_cannot_take_all_the_room(strangers, reactor):
    strangers.keep(a_message(a_stranger(1), bytes(MAX_SENDER_BYTES // 2)), reactor)
    with pytest.raises(LimitError):
        strangers.keep(a_message(a_stranger(1), bytes(MAX_SENDER_BYTES // 2)), reactor)


def test_messages_without_bytes_count_as_well(strangers, reactor):
    fitting = MAX_SENDER_BYTES // module._OVERHEAD
    for _ in range(fitting):
        strangers.keep(a_message(a_stranger(2), b""), reactor)
    with pytest.raises(LimitError):
        strangers.keep(a_message(a_stranger(2), b""), reactor)


def test_the_room_is_free_again_afterwards(strangers, reactor):
    for _ in range(3):
        for number in range(MAX_UNHEARD):
            strangers.keep(a_message(a_stranger(number)), reactor)
        reactor.advance(PATIENCE_SECONDS + 1)
    strangers.keep(a_message(a_stranger(1)), reactor)
    strangers.clear()
    assert strangers.take(a_stranger(1)) == []


def test_a_flood_of_refusals_is_counted_and_not_written(strangers, reactor, caplog):
    for number in range(500):
        with contextlib.suppress(LimitError):
            strangers.keep(a_message(a_stranger(number)), reactor)
    assert caplog.text.count("Refused") == 5
