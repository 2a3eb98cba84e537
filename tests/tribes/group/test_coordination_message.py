"""The message of an election."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.group.coordination_message import COORD_ALIVE, COORD_CONF, COORD_REQUEST, CoordinationMessage
from tests.support.work import assert_linear
from tests.tribes.fakes import LOCAL, PEER
from tests.tribes.wire import cases, member

MESSAGE = CoordinationMessage(LOCAL, PEER, (LOCAL, PEER), b"i" * 16, COORD_CONF)


@pytest.mark.parametrize("case", cases("interceptors", "coordinator"), ids=lambda case: case["type"][:4])
def test_messages_of_tomcat_are_read_and_written_to_the_byte(case):
    wire = bytes.fromhex(case["wire"])
    message = CoordinationMessage.decode(wire)
    assert message.leader == member(case["leader"])
    assert message.source == member(case["source"])
    assert list(message.view) == [member(each) for each in case["view"]]
    assert (message.unique_id.hex(), message.kind.hex()) == (case["id"], case["type"])
    assert message.encode() == wire


def test_the_alive_message_is_tomcats():
    assert cases("interceptors", "coordinator_alive")[0]["wire"] == COORD_ALIVE.hex()
    assert COORD_REQUEST != COORD_CONF


@given(st.integers(0, len(MESSAGE.encode()) - 1))
def test_a_message_cut_short_is_refused(length):
    with pytest.raises(ProtocolError):
        CoordinationMessage.decode(MESSAGE.encode()[:length])


@given(st.integers(0, len(MESSAGE.encode()) - 1), st.integers(0, 255))
def test_a_damaged_message_is_a_message_or_the_documented_error(at, value):
    wire = bytearray(MESSAGE.encode())
    wire[at] = value
    with contextlib.suppress(ProtocolError):
        assert CoordinationMessage.decode(bytes(wire)).view


def test_a_view_larger_than_the_message_is_refused():
    wire = MESSAGE.encode()
    at = 16 + 2 * 81
    with pytest.raises(ProtocolError, match="view of 1000000"):
        CoordinationMessage.decode(wire[:at] + (1_000_000).to_bytes(4, "big") + wire[at + 4 :])


def test_the_work_grows_with_the_view_and_no_faster():
    def read(size: int) -> Callable[[], object]:
        data = CoordinationMessage(LOCAL, PEER, (PEER,) * size, b"i" * 16, COORD_CONF).encode()
        return lambda: CoordinationMessage.decode(data)

    assert_linear(read, 100)
