from __future__ import annotations

from dataclasses import replace

import pytest

from catalina.errors import ChannelError
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, Delivery
from catalina.tribes.member import Member
from tests.ha.support import two_nodes

FIRST, SECOND = (Member(b"\x0a\x00\x00" + bytes([number]), 4000) for number in (1, 2))


def test_members_that_missed_something_and_are_still_there_are_taken_once() -> None:
    missed = MissedMessages()
    missed.handle_error(ChannelError("x", {FIRST: TimeoutError(), SECOND: TimeoutError()}), b"")
    assert missed.take([SECOND]) == [SECOND]
    assert missed.take([FIRST, SECOND]) == []


def test_a_delivery_counts_only_when_somebody_failed() -> None:
    missed = MissedMessages()
    good, bad = Delivery(1), Delivery(1)
    good.succeeded()
    bad.failed(FIRST, TimeoutError("no answer"))
    missed.delivered(good)
    missed.handle_completion(b"")
    assert (missed.take([FIRST]), list(missed.silent)) == ([], [])
    missed.delivered(bad)
    assert list(missed.silent) == [FIRST]


def test_a_silent_member_is_not_told_until_it_is_heard() -> None:
    missed = MissedMessages()
    bad = Delivery(1)
    bad.failed(FIRST, TimeoutError("no answer"))
    missed.delivered(bad)
    assert missed.take([FIRST]) == []
    missed.heard(FIRST)
    assert missed.take([FIRST]) == [FIRST]


def test_trouble_with_a_member_is_logged_once_until_it_has_been_dealt_with(caplog: pytest.LogCaptureFixture) -> None:
    missed = MissedMessages()
    for _ in range(3):
        missed.handle_error(ChannelError("x", {FIRST: TimeoutError("no answer")}), b"")
    missed.take([FIRST])
    missed.handle_error(ChannelError("x", {FIRST: TimeoutError("no answer")}), b"")
    assert caplog.text.count("Unable to send message through cluster sender to [tcp://10.0.0.1:4000]") == 2


def test_a_member_that_does_not_acknowledge_is_waited_for_once_and_told_when_it_is_heard_again() -> None:
    network, a, b = two_nodes(channel_send_options=6)
    session = a.manager.create_session()
    session.set_attribute("n", 1)
    a.request(session)
    network.immediate = False
    session.set_attribute("n", 2)
    a.request(session)
    _, _, _, delivery = network.on_the_way.pop()  # B reads nothing
    delivery.failed(b.channel.local_member, TimeoutError("no acknowledgement"))
    for number in range(3, 6):
        session.set_attribute("n", number)
        a.request(session)
    assert network.on_the_way == []
    network.immediate = True
    assert b.manager.find_session(session.id).get_attribute("n") == 1
    a.cluster.background_process()
    assert b.manager.find_session(session.id).get_attribute("n") == 5
    assert not a.cluster.missed.silent


def test_a_silent_java_node_is_told_without_waiting() -> None:
    _, a, b = two_nodes(channel_send_options=6)
    b.channel.local_member = java = replace(b.channel.local_member, payload=b"")
    failed = Delivery(1)
    failed.failed(java, TimeoutError("no acknowledgement"))
    a.cluster.missed.delivered(failed)
    session = a.manager.create_session()
    a.channel.sent.clear()
    a.request(session)
    assert [options & SEND_OPTIONS_ASYNCHRONOUS for _, options in a.channel.sent] == [SEND_OPTIONS_ASYNCHRONOUS]


def test_a_change_that_could_not_be_encoded_is_missed_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    _, a, b = two_nodes(channel_send_options=6)
    session = a.manager.create_session()
    session.set_attribute("n", 1)

    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(a.manager, "_take_from", no_memory)
    a.manager.requests_completed([(session, None, None)])
    assert a.cluster.missed.take(a.cluster.members) == [b.channel.local_member]
    monkeypatch.setattr(a.manager, "request_completed", no_memory)
    assert not a.manager.replicate(session, None)
    assert a.cluster.missed.take(a.cluster.members) == [b.channel.local_member]


@pytest.mark.parametrize("error", [ChannelError("connections to 1000 members"), MemoryError(), OSError("no buffers")])
def test_a_new_session_does_not_fail_because_the_group_cannot_be_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, a, b = two_nodes(channel_send_options=6)

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(a.channel, "post_all", refuse)
    session = a.manager.create_session()
    a.manager.change_session_id(session)
    session.expire()
    assert a.cluster.missed.take(a.cluster.members) == [b.channel.local_member]
