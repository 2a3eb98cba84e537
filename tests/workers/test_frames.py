"""Frames between keeper and workers."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.session.session_message import SessionMessage
from catalina.workers.frames import (
    MAX_PAYLOAD,
    CallError,
    Frame,
    FrameReader,
    Hello,
    Kind,
    decode_call,
    decode_forgotten,
    decode_hello,
    decode_keyed,
    decode_messages,
    decode_result,
    encode_call,
    encode_forgotten,
    encode_frame,
    encode_hello,
    encode_message,
    encode_messages,
    encode_result,
)
from tests.support.work import assert_linear

names = st.text(max_size=20)
keys = st.binary(max_size=20)


@given(st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=50))), st.data())
def test_a_stream_is_the_same_frames_however_it_is_cut(
    frames: list[tuple[Kind, int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(encode_frame(kind, payload, number) for kind, number, payload in frames)
    reader, found = FrameReader(), list[Frame]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert found == [Frame(*each) for each in frames]


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        list(FrameReader().feed(data))


def test_a_broken_frame_is_refused_with_its_place():
    reader = FrameReader()
    assert len(list(reader.feed(encode_frame(Kind.GIVEN)))) == 1
    with pytest.raises(ProtocolError, match=r"byte 9: expected .* got kind 99 and 0 bytes"):
        list(reader.feed(bytes(4) + b"\x63" + bytes(4)))


def test_a_frame_that_is_too_long_is_refused_before_it_comes():
    head = (MAX_PAYLOAD + 1).to_bytes(4, "big") + bytes([Kind.POST]) + bytes(4)
    with pytest.raises(ProtocolError, match=f"got kind 3 and {MAX_PAYLOAD + 1} bytes"):
        list(FrameReader().feed(head))


@given(keys, st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50), names, st.integers(0, 2**64 - 1))))
def test_messages_come_back_in_their_order(key: bytes, messages: list[tuple[int, bytes, str, int]]) -> None:
    encoded = [encode_message(event, "/shop", body, name, "free", at) for event, body, name, at in messages]
    expected = [SessionMessage(event, None, body, name or None, None, at) for event, body, name, at in messages]
    assert decode_messages(encode_messages(key, encoded)) == (key, expected)


def test_an_id_that_is_no_text_is_refused_with_its_place():
    payload = encode_messages(b"k", [encode_message(13, None, b"body", "id", None, 1)])
    with pytest.raises(ProtocolError, match="byte 18: expected an id in UTF-8"):
        decode_messages(payload.replace(b"id", b"\xff\xff"))


@given(keys, st.lists(st.tuples(names, st.integers(0, 2**32 - 1))))
def test_forgotten_sessions_come_back(key: bytes, sessions: list[tuple[str, int]]) -> None:
    assert decode_forgotten(encode_forgotten(key, sessions)) == (key, sessions)


@given(st.binary(max_size=100))
@pytest.mark.parametrize("decode", [decode_messages, decode_forgotten, decode_keyed, decode_hello, decode_call])
def test_any_payload_is_a_value_or_the_documented_error(decode: Any, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode(data)


@given(st.binary(max_size=100))
def test_any_result_is_a_value_or_a_documented_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError, CallError):
        decode_result(data)


def test_a_worker_says_who_it_is():
    (frame,) = FrameReader().feed(encode_hello(Hello(True, 7, 4711)))
    assert decode_hello(frame.payload) == Hello(True, 7, 4711)


def test_a_call_and_its_result_travel_as_json():
    assert decode_call(encode_call("deploy", {"name": "/shop"})) == ("deploy", {"name": "/shop"})
    assert decode_result(encode_result([1, "two"])) == [1, "two"]


def test_an_error_of_the_other_side_is_raised_here():
    with pytest.raises(CallError, match="no such application"):
        decode_result(encode_result(error="no such application"))


def test_many_messages_cost_as_much_as_they_are_long():
    def decoding(size: int) -> Any:
        payload = encode_messages(b"k", [encode_message(13, None, b"x", "id", None, 1)] * size)
        return lambda: decode_messages(payload)

    assert_linear(decoding, 200)
