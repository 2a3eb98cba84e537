from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http2.http2_error import ConnectionException, Http2Error, StreamException
from catalina.coyote.http2.http2_parser import PREFACE, Http2Parser, frame
from tests.coyote.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST,
    SETTINGS,
    START,
    WINDOW_UPDATE,
)  # fmt: skip
from tests.support.work import assert_linear


class Noted:
    """An output that notes every call."""

    header_block_limit = 100

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith(("on_", "after_")):
            raise AttributeError(name)

        def note(*values: Any) -> None:
            if name != "after_frame":
                self.calls.append((name, *values))

        return note


def parse(*parts: bytes) -> list[tuple[Any, ...]]:
    """Calls for what comes behind the preface and the first SETTINGS."""
    noted = Noted()
    Http2Parser(noted).receive(START + b"".join(parts))
    return noted.calls[1:]


def test_frames_are_told_one_by_one():
    assert parse(
        frame(DATA, END_STREAM, 1, b"abc"),
        frame(DATA, PADDED, 1, b"\x02abc\0\0"),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, b"block"),
        frame(HEADERS, END_HEADERS | PADDED | HAS_PRIORITY, 5, b"\x01\0\0\0\0\x10block\0"),
        frame(RST, 0, 3, b"\0\0\0\x08"),
        frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x05"),
        frame(SETTINGS, 1, 0),
        frame(PING, 1, 0, b"12345678"),
        frame(GOAWAY, 0, 0, b"\x80\0\0\x03\0\0\0\x01why"),
        frame(WINDOW_UPDATE, 0, 7, b"\x80\0\0\x09"),
        frame(PRIORITY, 0, 9, b"12345"),
        frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x07u=1"),
        frame(99, 0, 0, b"unknown"),
    ) == [
        ("on_data", 1, b"abc", 3, True),
        ("on_data", 1, b"abc", 6, False),
        ("on_headers", 3, b"block", True),
        ("on_headers", 5, b"block", False),
        ("on_rst", 3, 8),
        ("on_settings", [(3, 5)], False),
        ("on_settings", [], True),
        ("on_ping", b"12345678", True),
        ("on_goaway", 3, 1),
        ("on_window_update", 7, 9),
        ("on_priority",),
        ("on_priority_update", 7),
        ("on_unknown",),
    ]


def test_a_header_block_is_put_together():
    assert parse(
        frame(HEADERS, END_STREAM, 1, b"a"), frame(CONTINUATION, 0, 1, b"b"), frame(CONTINUATION, END_HEADERS, 1, b"c")
    ) == [("on_continuation", 1, False), ("on_continuation", 1, True), ("on_headers", 1, b"abc", True)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(HEADERS, 0, 1, b"a") + frame(PING, 0, 0, bytes(8)), Http2Error.COMPRESSION_ERROR),
        (frame(HEADERS, 0, 1, b"a") + frame(CONTINUATION, 4, 3, b"a"), Http2Error.COMPRESSION_ERROR),
        (frame(HEADERS, 0, 1, b"a" * 101), Http2Error.ENHANCE_YOUR_CALM),
        (frame(HEADERS, 0, 1) + 11 * frame(CONTINUATION, 0, 1, b"a" * 10), Http2Error.ENHANCE_YOUR_CALM),
        (frame(CONTINUATION, 4, 1, b"a"), Http2Error.PROTOCOL_ERROR),
        (frame(DATA, 0, 0, b"a"), Http2Error.PROTOCOL_ERROR),
        (frame(HEADERS, 4, 0, b"a"), Http2Error.PROTOCOL_ERROR),
        (frame(SETTINGS, 0, 1), Http2Error.PROTOCOL_ERROR),
        (frame(PING, 0, 1, bytes(8)), Http2Error.PROTOCOL_ERROR),
        (frame(GOAWAY, 0, 1, bytes(8)), Http2Error.PROTOCOL_ERROR),
        (frame(RST, 0, 0, bytes(4)), Http2Error.PROTOCOL_ERROR),
        (frame(PRIORITY, 0, 0, bytes(5)), Http2Error.PROTOCOL_ERROR),
        (frame(PRIORITY_UPDATE, 0, 1, bytes(5)), Http2Error.PROTOCOL_ERROR),
        (frame(PRIORITY_UPDATE, 0, 0, bytes(5)), Http2Error.PROTOCOL_ERROR),
        (frame(PUSH_PROMISE, 4, 1, bytes(5)), Http2Error.PROTOCOL_ERROR),
        (frame(WINDOW_UPDATE, 0, 0, bytes(4)), Http2Error.PROTOCOL_ERROR),
        (frame(DATA, PADDED, 1, b"\x01"), Http2Error.PROTOCOL_ERROR),
        (frame(DATA, PADDED, 1, b"\x01a\x07"), Http2Error.PROTOCOL_ERROR),
        (frame(HEADERS, 4 | PADDED, 1, b"\x01a"), Http2Error.PROTOCOL_ERROR),
        (frame(DATA, PADDED, 1), Http2Error.FRAME_SIZE_ERROR),
        (frame(HEADERS, 4 | HAS_PRIORITY, 1, bytes(4)), Http2Error.FRAME_SIZE_ERROR),
        (frame(RST, 0, 1, bytes(3)), Http2Error.FRAME_SIZE_ERROR),
        (frame(SETTINGS, 0, 0, bytes(5)), Http2Error.FRAME_SIZE_ERROR),
        (frame(SETTINGS, 1, 0, bytes(6)), Http2Error.FRAME_SIZE_ERROR),
        (frame(PING, 0, 0, bytes(7)), Http2Error.FRAME_SIZE_ERROR),
        (frame(GOAWAY, 0, 0, bytes(7)), Http2Error.FRAME_SIZE_ERROR),
        (frame(WINDOW_UPDATE, 0, 1, bytes(3)), Http2Error.FRAME_SIZE_ERROR),
        (b"\0\x40\x01" + bytes(6), Http2Error.FRAME_SIZE_ERROR),  # said by the header: the rest is not waited for
    ],
)
def test_what_breaks_the_rules_ends_the_connection(sent, code):
    with pytest.raises(ConnectionException) as caught:
        parse(sent)
    assert caught.value.code is code


def test_some_errors_are_those_of_a_stream_and_it_goes_on():
    calls = parse(frame(PRIORITY, 0, 1, bytes(4)), frame(WINDOW_UPDATE, 0, 3, bytes(4)), frame(PING, 0, 0, bytes(8)))
    errors = [call[1] for call in calls if call[0] == "on_stream_error"]
    assert [(error.number, error.code) for error in errors] == [
        (1, Http2Error.FRAME_SIZE_ERROR), (3, Http2Error.PROTOCOL_ERROR),
    ]  # fmt: skip
    assert all(isinstance(error, StreamException) for error in errors)
    assert calls[-1] == ("on_ping", bytes(8), False)


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n", PREFACE + frame(PING, 0, 0, bytes(8)), PREFACE + frame(SETTINGS, 1, 0)]
)
def test_the_preface_is_as_it_must_be(sent):
    with pytest.raises(ConnectionException):
        Http2Parser(Noted()).receive(sent)


def test_it_says_what_it_waits_for():
    parser = Http2Parser(Noted())
    assert parser.waits_for_rest
    parser.receive(START[:30])
    assert parser.waits_for_rest
    parser.receive(START[30:])
    assert not parser.waits_for_rest
    parser.receive(b"\0")
    assert (parser.waits_for_rest, parser.buffered) == (True, 1)
    parser.receive(frame(HEADERS, 0, 1, b"abc")[1:])
    assert (parser.waits_for_rest, parser.buffered) == (True, 3)
    parser.receive(frame(CONTINUATION, END_HEADERS, 1))
    assert not parser.waits_for_rest


a_frame = st.builds(frame, st.integers(0, 17), st.integers(0, 255), st.integers(0, 5), st.binary(max_size=12))


@given(st.lists(a_frame | st.binary(max_size=10), max_size=8).map(b"".join), st.lists(st.integers(0, 90), max_size=5))
def test_any_bytes_are_frames_or_the_error_however_they_are_cut(sent, cuts):
    def run(parts: list[bytes]) -> tuple[list[Any], Any]:
        noted = Noted()
        parser = Http2Parser(noted)
        try:
            for part in [START, *parts]:
                parser.receive(part)
        except ConnectionException as error:
            return [str(call) for call in noted.calls], error.code
        return [str(call) for call in noted.calls], None

    edges = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    assert run([sent]) == run([sent[a:b] for a, b in itertools.pairwise(edges)])


def test_work_is_linear_in_the_bytes():
    def make(size: int) -> Callable[[], object]:
        sent = START + size * frame(DATA, 0, 1, b"x")
        return lambda: Http2Parser(Noted()).receive(sent)

    assert_linear(make, 500)
