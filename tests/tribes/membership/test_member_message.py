from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.membership.member_message import MSG_PING, MSG_START, MSG_STOP, MemberMessage
from tests.support.work import assert_linear
from tests.tribes.wire import cases

CASES = [case for case in cases("rpc") if case["name"].startswith("Static")]


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
