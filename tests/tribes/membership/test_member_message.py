from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.membership.member_message import MSG_PING, MSG_START, MSG_STOP, MemberMessage
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
