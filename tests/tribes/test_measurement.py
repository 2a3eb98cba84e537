"""Measuring a group."""

from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.io.java import decode_value, encode_value
from catalina.tribes.measurement import Measurement, MeasurementListener, measure
from tests.support.ports import free_udp_port
from tests.support.stand_in import stand_in
from tests.tribes.fakes import PEER, a_member
from tests.tribes.groups import make_channel, started


@pytest.fixture(scope="module")
def group():
    """Two that count and one that does not, as a Java member."""
    port = free_udp_port()
    (one, _), (two, _), (three, _) = make_channel(port), make_channel(port), make_channel(port)
    counters = [MeasurementListener(one), MeasurementListener(two)]
    with started(one, two, three):
        yield one, counters[0], two, three


@pytest.mark.parametrize("options", [0, 2, 6, 8])
def test_everything_is_counted_where_somebody_counts(group, options):
    one, counter, two, three = group
    result = measure(one, counter, [two.local_member, three.local_member], 2000, 300, options)
    assert (result.count, result.failed, result.lost) == (2000, 0, 0)
    assert result.received == {two.local_member: 2000}
    assert len(result.latencies) == 2000
    assert 0 < result.percentile(0.5) <= result.percentile(0.99) < 10
    assert "2000 messages in" in str(result)
    assert "0 failed, 0 lost" in str(result)


def test_a_member_that_is_not_there_makes_messages_fail(group):
    one, counter, _, _ = group
    result = measure(one, counter, [a_member(9).__class__(b"\x7f\0\0\1", 1)], 10, 100, 2)
    assert result.failed == 10
    assert result.received == {}
    assert "no member counts" in str(result)


def test_what_is_missing_is_lost():
    assert Measurement(10, 1.0, [0.1], 0, {PEER: 7, a_member(3): 10}).lost == 3


def test_counts_of_old_runs_are_forgotten(group):
    _, counter, _, _ = group
    for number in range(300):
        message = ChannelMessage(b"catalina.tribes.measurement/" + number.to_bytes(8, "big"), 1, 0, b"", PEER)
        assert counter.accept(message, PEER)
        counter.message_received(message, PEER)
    assert len(counter._counts) == 100


def test_a_question_that_names_no_run_is_answered_with_0(group):
    _, counter, _, _ = group
    for question in ("a text", b"unknown", None):
        assert decode_value(counter.reply_request(encode_value(question), PEER, b"")) == 0


def test_messages_that_stay_on_their_way_end_the_measurement():
    channel = stand_in(GroupChannel, post=lambda to, message, options, handler: Delivery(1))
    nobody_counts = stand_in(MeasurementListener, ask=lambda members, run, timeout: {})
    with pytest.raises(ChannelError, match="3 of 3 messages are still on their way"):
        measure(channel, nobody_counts, [PEER], 3, 100, 2, timeout=0.0)
