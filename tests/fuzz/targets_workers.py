"""The messages that the processes of one node send each other."""

from __future__ import annotations

from catalina.errors import ProtocolError
from catalina.workers.connection_moves import MovedConnection, decode_moved, encode_moved
from catalina.workers.frames import (
    CallError,
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
    encode_keyed,
    encode_message,
    encode_messages,
    encode_result,
)
from catalina.workers.relay_frames import (
    ToldAnswer,
    ToldRequest,
    decode_answer,
    decode_request,
    decode_trailers,
    encode_told,
    encode_trailers,
)
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_PAYLOADS = {
    Kind.HELLO: decode_hello,
    Kind.POST: decode_messages,
    Kind.SHOW: decode_messages,
    Kind.ASK: decode_keyed,
    Kind.SHARED: decode_keyed,
    Kind.FORGET: decode_forgotten,
    Kind.CALL: decode_call,
    Kind.RESULT: decode_result,
}


def _frames(data: bytes) -> None:
    """A stream of frames, each with its payload."""
    for frame in FrameReader().feed(data):
        decode = _PAYLOADS.get(frame.kind)
        if decode is not None:
            decode(frame.payload)


def _streams() -> list[bytes]:
    key = b"Catalina/localhost//shop"
    messages = [
        encode_message(13, "/shop", b"body", "AB.n1", "AB.n1", 1),
        encode_message(101, None, b"", None, None, 1),
    ]
    return [
        encode_hello(Hello(False, 3, 4711)) + encode_frame(Kind.GIVEN),
        encode_frame(Kind.POST, encode_messages(key, messages), 7),
        encode_frame(Kind.ASK, encode_keyed(key, b"\x08\0\0\0\2AB"), 1),
        encode_frame(Kind.FORGET, encode_forgotten(key, [("AB.n1", 60_000), ("CD", 0)])),
        encode_frame(Kind.CALL, encode_call("deploy", {"name": "/shop"}), 1),
        encode_frame(Kind.RESULT, encode_result([1, "two"]), 1)
        + encode_frame(Kind.RESULT, encode_result(error="no"), 2),
    ]


def _moved() -> list[bytes]:
    return [
        encode_moved(MovedConnection(0, 1, 12, ("192.0.2.7", 40_000), b"GET / HTTP/1.1\r\n\r\n")),
        encode_moved(MovedConnection(3, 8, 0, ("2001:db8::1", 1), None)),
    ]


def _relayed(data: bytes) -> None:
    """A stream between two workers."""
    decoders = {Kind.REQUEST: decode_request, Kind.HEAD: decode_answer, Kind.BODY_END: decode_trailers}
    for frame in FrameReader().feed(data):
        decode = decoders.get(frame.kind)
        if decode is not None:
            decode(frame.payload)


def _relays() -> list[bytes]:
    request = ToldRequest(
        "GET", "/", "a=b", "HTTP/1.1", [("host", "test")], -1, False, "192.0.2.1", 4711, None, "192.0.2.2", "shop",
        80, "http", False, "shop", 80, "", None, None, False, {"a": ["b"]},
    )  # fmt: skip
    return [
        encode_told(Kind.REQUEST, request, b"body", is_all=True),
        encode_told(Kind.HEAD, ToldAnswer(200, "OK", [("X", "1")]), b"", is_all=False) + encode_trailers([("x", "1")]),
    ]


TARGETS = (
    Target("relayed_requests", _relayed, ("catalina.workers.relay_frames:decode_*",), _relays),
    Target(
        "worker_frames",
        _frames,
        ("catalina.workers.frames:decode_*",),
        _streams,
        (ProtocolError, CallError),
    ),
    Target("moved_connection", decode_moved, ("catalina.workers.connection_moves:decode_moved",), _moved),
)
