from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.group.rpc_message import NoRpcChannelReply, RpcMessage
from catalina.tribes.io.java import NULL, decode_value, dumps, encode_value
from tests.support.work import assert_linear
from tests.tribes.wire import cases

CASES = [case for case in cases("rpc") if "Message" in case["name"] and not case["name"].startswith("Static")]
NO_CHANNEL = next(bytes.fromhex(case["hex"]) for case in cases("rpc") if case["name"] == "NoRpcChannelReply")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_message_is_read_and_written_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    message = RpcMessage.decode(wire)
    assert isinstance(message, RpcMessage)
    assert message.uuid.hex() == case["input"]["uuid"]
    assert message.rpc_id.hex() == case["input"]["rpcId"]
    assert message.reply is case["input"]["reply"]
    assert message.encode() == wire
    assert RpcMessage.matches(wire)


def test_the_message_inside_stays_encoded() -> None:
    messages = {case["input"]["message"]: RpcMessage.decode(bytes.fromhex(case["hex"])) for case in CASES}
    values = {
        name: decode_value(message.message) for name, message in messages.items() if isinstance(message, RpcMessage)
    }
    assert values["null"] is None
    assert values["string"] == "payload"
    assert isinstance(values["list"], list)


def test_a_reply_that_there_is_no_channel_is_read_and_written_to_the_byte() -> None:
    message = RpcMessage.decode(NO_CHANNEL)
    assert isinstance(message, NoRpcChannelReply)
    assert message.encode() == NO_CHANNEL
    assert RpcMessage.matches(NO_CHANNEL)


def test_a_value_with_references_is_moved_behind_the_message_s_own_handles() -> None:
    message = RpcMessage(b"id", bytes(16), encode_value([1, 2, 3]), True)
    again = RpcMessage.decode(message.encode())
    assert again == message


def test_other_messages_are_not_taken_for_rpc() -> None:
    assert not RpcMessage.matches(dumps([1]))
    assert not RpcMessage.matches(b"")
    for data in (dumps([1]), b"", RpcMessage(b"", b"").encode()[:60]):
        with pytest.raises(ProtocolError):
            RpcMessage.decode(data)


def test_an_id_of_unbelievable_length_is_refused() -> None:
    wire = RpcMessage(b"i", bytes(16), NULL).encode()
    at = wire.index(b"\0\0\0\x10")
    with pytest.raises(ProtocolError, match="limit 4096"):
        RpcMessage.decode(wire[:at] + b"\x7f\xff\xff\xff" + wire[at + 4 :])


@settings(max_examples=200)
@given(st.sampled_from([bytes.fromhex(case["hex"]) for case in CASES] + [NO_CHANNEL]), st.data())
def test_any_byte_changed_gives_a_message_or_the_error(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        RpcMessage.decode(bytes(changed))
    except ProtocolError:
        pass


def test_the_work_grows_with_the_message_and_no_faster() -> None:
    def read(size: int) -> Callable[[], object]:
        wire = bytes(RpcMessage(b"rpc", bytes(16), encode_value([1] * size)).encode())
        return lambda: RpcMessage.decode(wire)

    assert_linear(read, 500)
