"""Questions and answers of configured members, one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.java import dumps
from catalina.tribes.io.java.encoded_value import NULL
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import SHUTDOWN_COMMAND, Member
from catalina.tribes.membership.static_membership_provider import MSG_PING, MSG_START, MSG_STOP, MemberMessage
from tests.support.ports import free_port
from tests.support.work import assert_linear
from tests.tribes.fakes import a_member
from tests.tribes.groups import until
from tests.tribes.membership.test_static_membership_service import make
from tests.tribes.wire import cases

#: Stands in the configuration; nothing is there.
STRANGER = a_member(77)
CASES = [case for case in cases("rpc") if case["name"].startswith("Static")]


@pytest.fixture
def started_one():
    channel, seen = make([free_port()], 0)
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_message_is_read_and_written_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    message = MemberMessage.decode(wire)
    assert message.type == case["input"]["type"]
    assert message.membership_id.hex() == case["input"]["membershipId"]
    assert message.member.unique_id.hex() == case["input"]["member"]["uniqueId"]
    assert message.encode() == wire
    assert MemberMessage.matches(wire)


def test_all_three_kinds_are_captured() -> None:
    kinds = [MemberMessage.decode(bytes.fromhex(case["hex"])).type for case in CASES]
    assert kinds == [MSG_START, MSG_STOP, MSG_PING]


def test_the_member_is_written_for_the_version_that_reads_it() -> None:
    message = MemberMessage.decode(bytes.fromhex(CASES[0]["hex"]))
    assert MemberMessage.decode(message.encode(MEMBER_IMPL_SUIDS[2])).suid == MEMBER_IMPL_SUIDS[2]
    assert MemberMessage.decode(message.to_encoded().to_stream()) == message


@pytest.mark.parametrize("data", [b"", dumps(1), dumps([1]), bytes.fromhex(CASES[0]["hex"])[:-30]])
def test_other_messages_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        MemberMessage.decode(data)


def test_the_work_grows_with_the_message_and_no_faster() -> None:
    def read(size: int) -> Callable[[], object]:
        member = Member(bytes(4), 4000, payload=bytes(size))
        data = MemberMessage(bytes(size), MSG_PING, member).encode()
        return lambda: MemberMessage.decode(data)

    assert_linear(read, 4000)


@given(st.binary(max_size=200), st.data())
def test_any_bytes_give_a_message_or_the_documented_error(noise: bytes, data: st.DataObject) -> None:
    wire = bytearray(bytes.fromhex(CASES[0]["hex"]))
    at = data.draw(st.integers(0, len(wire)))
    wire[at : at + data.draw(st.integers(0, 20))] = noise
    with contextlib.suppress(ProtocolError):
        assert isinstance(MemberMessage.decode(bytes(wire)).member, Member)
