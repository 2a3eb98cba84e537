"""Questions and answers of configured members, one by one."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.java.encoded_value import NULL
from catalina.tribes.member import SHUTDOWN_COMMAND
from catalina.tribes.membership.member_message import MSG_PING, MSG_START, MSG_STOP, MemberMessage
from tests.tribes.fakes import a_member
from tests.tribes.groups import free_port, until
from tests.tribes.membership.test_static_membership_service import make

#: Stands in the configuration; nothing is there.
STRANGER = a_member(77)


@pytest.fixture
def started_one():
    channel, seen = make([free_port(socket.SOCK_STREAM)], 0)
    channel.start()
    channel.membership_service._provider._others = (STRANGER,)
    yield channel, seen, channel.membership_service._provider
    channel.stop()


@pytest.mark.parametrize("kind", [MSG_START, MSG_PING])
def test_a_question_brings_the_member_and_is_answered_with_this_one(started_one, kind):
    channel, seen, provider = started_one
    question = MemberMessage(b"group-StaticMembership", kind, STRANGER)
    answer = MemberMessage.decode(provider.reply_request(question.to_encoded(), STRANGER, b"").to_stream())
    assert seen.added == [STRANGER]
    assert (answer.type, answer.member, answer.membership_id) == (kind, channel.local_member, question.membership_id)


def test_a_goodbye_is_no_question(started_one):
    _, seen, provider = started_one
    question = MemberMessage(b"group-StaticMembership", MSG_STOP, STRANGER)
    assert provider.reply_request(question.to_encoded(), STRANGER, b"") is None
    assert seen.gone == []


def test_goodbyes_of_this_membership_are_taken(started_one):
    _, seen, provider = started_one
    for name, taken in ((b"group-StaticMembership", True), (b"other-StaticMembership", False)):
        data = MemberMessage(name, MSG_STOP, replace(STRANGER, command=SHUTDOWN_COMMAND)).encode()
        message = ChannelMessage(data, 0, 0, b"", STRANGER)
        assert provider.accept(message, STRANGER) is taken
    provider.left_over(MemberMessage(b"group-StaticMembership", MSG_PING, STRANGER).to_encoded(), STRANGER)
    provider.message_received(
        ChannelMessage(MemberMessage(b"group-StaticMembership", MSG_STOP, STRANGER).encode(), 0, 0, b"", STRANGER),
        STRANGER,
    )
    assert seen.added == [STRANGER]
    until(lambda: seen.gone == [STRANGER], "nobody takes a connection there")


def test_an_answer_that_is_not_understood_is_logged(started_one, caplog):
    started_one[2].left_over(NULL, STRANGER)
    assert "is not understood" in caplog.text


@pytest.mark.parametrize("kind", [MSG_START, MSG_PING, MSG_STOP])
def test_who_is_not_in_the_configuration_is_not_believed(started_one, kind, caplog):
    _, seen, provider = started_one
    other = a_member(78)
    provider.left_over(MemberMessage(b"group-StaticMembership", kind, other).to_encoded(), other)
    assert seen.added == seen.gone == []
    assert f"{other} says that it is a static member" in caplog.text
