"""The messages between two workers about a request."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.workers.frames import FrameReader, Kind
from catalina.workers.relay_frames import (
    ToldAnswer,
    ToldRequest,
    decode_answer,
    decode_request,
    decode_trailers,
    encode_told,
    encode_trailers,
)

REQUEST = ToldRequest(
    "GET", "/a%20b", None, "HTTP/2.0", [("host", "test"), ("x", "\xff")], -1, False, "192.0.2.1", 4711, None,
    "192.0.2.2", "shop", 443, "https", True, "shop.example.org", 443, "", None, None, False, {"a": ["b"], "c": 128},
)  # fmt: skip


def payload(data: bytes) -> bytes:
    (frame,) = FrameReader().feed(data)
    return frame.payload


def test_a_request_comes_back_with_the_bytes_behind_it() -> None:
    assert decode_request(payload(encode_told(Kind.REQUEST, REQUEST, b"body", is_all=True))) == (REQUEST, b"body")


def test_an_answer_comes_back() -> None:
    answer = ToldAnswer(404, "Not Found", [("X", "1"), ("X", "2")])
    assert decode_answer(payload(encode_told(Kind.HEAD, answer, b"", is_all=False))) == (answer, b"")


def test_trailers_come_back() -> None:
    assert decode_trailers(payload(encode_trailers([("x-sum", "12")]))) == [("x-sum", "12")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": True}, r"ToldAnswer\.status: expected int, got True"),
        ({"headers": [["a"]]}, "expected the name and the value of a header field"),
        ({"more": 1}, "expected the values of a ToldAnswer"),
    ],
)
def test_other_values_are_refused(change: dict[str, object], why: str) -> None:
    text = json.dumps({"status": 200, "reason": "OK", "headers": [], **change}).encode()
    with pytest.raises(ProtocolError, match=why):
        decode_answer(len(text).to_bytes(4, "big") + text)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_the_documented_error(data: bytes) -> None:
    for decode in (decode_request, decode_answer, decode_trailers):
        with contextlib.suppress(ProtocolError):
            decode(data)
