from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http2.http2_error import ConnectionException, Http2Error
from catalina.coyote.http2.http2_parser import frame
from tests.coyote.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PRIORITY,
    SETTINGS,
    START,
    WINDOW_UPDATE,
    Server,
    block,
    data,
    headers,
    rst,
    settings,
    window_update,
)  # fmt: skip
from tests.support.work import assert_linear


def test_the_connection_begins_with_our_settings():
    server = Server(started=False, max_concurrent_streams=7, initial_window_size=70_000, max_header_size=9000)
    server.handler.start()
    kind, flags, number, payload = server.frames()[0]
    assert (kind, flags, number) == (SETTINGS, 0, 0)
    pairs = dict(struct.iter_unpack(">HI", payload))
    assert (pairs[3], pairs[4], pairs[6], pairs[9]) == (7, 70_000, 9000, 1)


def test_a_request_with_body_and_trailers_is_told_in_order():
    server = Server()
    server.receive(
        headers(1, ("content-length", "5"), end=False),
        data(1, b"abcde"),
        frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            block(("x-sum", "1"), method=None, scheme=None, path=None, authority=None),
        ),
    )
    assert server.told == [
        ("request", 1, False), ("data", 1, b"abcde", 5), ("trailers", 1, [(b"x-sum", b"1")]), ("end", 1),
    ]  # fmt: skip


def test_an_answer_goes_as_far_as_the_windows_and_ends_the_stream():
    server = Server()
    server.receive(settings((4, 10)), headers(1), window_update(0, 5000))
    handler = server.handler
    handler.send_headers(1, [(":status", "200")], end=False)
    assert handler.window(1, 100) == 10
    handler.send_data(1, b"0123456789", end=False)
    assert handler.window(1, 90) == 0
    server.receive(window_update(1, 30))
    assert handler.window(1, 90) == 30
    server.receive(settings((4, 5)))
    assert handler.window(1, 90) == 25
    handler.send_data(1, b"x" * 25, end=True)
    assert not handler.is_open(1)
    kinds = [(kind, flags) for kind, flags, number, _ in server.frames() if number == 1]
    assert kinds == [(HEADERS, END_HEADERS), (DATA, 0), (DATA, END_STREAM)]


def test_a_large_head_is_continued():
    server = Server()
    server.receive(headers(1))
    server.handler.send_headers(1, [(":status", "200"), ("x", "\x01" * 30_000)], end=True)
    frames = [(kind, flags) for kind, flags, number, _ in server.frames() if number == 1]
    assert frames[0] == (HEADERS, END_STREAM)
    assert [kind for kind, _ in frames[1:]] == [CONTINUATION] * (len(frames) - 1)
    assert frames[-1][1] == END_HEADERS


def test_windows_open_again_when_half_was_consumed():
    server = Server()
    server.receive(headers(1, end=False), data(1, bytes(16_000)), data(1, bytes(16_000)), data(1, bytes(16_000)))
    server.handler.consumed(1, 16_000)
    assert server.frames() == []
    server.handler.consumed(1, 32_000)
    assert [(kind, number) for kind, _, number, _ in server.frames()] == [(WINDOW_UPDATE, 0), (WINDOW_UPDATE, 1)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (headers(1, ("content-length", "5")), Http2Error.PROTOCOL_ERROR),
        (headers(1, ("content-length", "5"), end=False) + data(1, b"abc", end=True), Http2Error.PROTOCOL_ERROR),
        (headers(1, ("content-length", "2"), end=False) + data(1, b"abc"), Http2Error.PROTOCOL_ERROR),
        (headers(1, ("X", "1")), Http2Error.PROTOCOL_ERROR),
        (headers(1, ("connection", "close")), Http2Error.PROTOCOL_ERROR),
        (headers(1, end=False) + headers(1, end=False), Http2Error.PROTOCOL_ERROR),
        (headers(1, end=False) + headers(1), Http2Error.PROTOCOL_ERROR),  # pseudo fields in trailers
        (headers(1, end=False) + window_update(1, 2**31 - 1), Http2Error.FLOW_CONTROL_ERROR),
        (headers(1, *[(f"x-{number}", "1") for number in range(101)]), Http2Error.ENHANCE_YOUR_CALM),
        (headers(1, ("x", "1" * 9000)), Http2Error.ENHANCE_YOUR_CALM),
        (headers(1, end=False) + 4 * data(1, bytes(16_384)), Http2Error.FLOW_CONTROL_ERROR),
        (frame(PRIORITY, 0, 1, bytes(4)), Http2Error.FRAME_SIZE_ERROR),
        (headers(1, end=False) + rst(1) + data(1, b"late"), Http2Error.STREAM_CLOSED),
        (headers(1) + headers(1), Http2Error.STREAM_CLOSED),
        (headers(1) + data(1, b"x"), Http2Error.STREAM_CLOSED),
    ],
)  # fmt: skip
def test_errors_of_a_stream_leave_the_others_alone(sent, code):
    server = Server(initial_window_size=65_535, connection_window=100_000)
    server.receive(sent)
    assert server.resets() == {1: code}
    server.receive(headers(3))
    assert server.told[-1] == ("request", 3, True)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (headers(2), Http2Error.PROTOCOL_ERROR),
        (headers(5) + headers(3), Http2Error.PROTOCOL_ERROR),
        (data(1, b"x"), Http2Error.PROTOCOL_ERROR),
        (rst(1), Http2Error.PROTOCOL_ERROR),
        (window_update(1, 9), Http2Error.PROTOCOL_ERROR),
        (window_update(0, 2**31 - 1), Http2Error.FLOW_CONTROL_ERROR),
        (settings((4, 2**31)), Http2Error.FLOW_CONTROL_ERROR),
        (settings((2, 2)), Http2Error.PROTOCOL_ERROR),
        (settings((5, 2**14 - 1)), Http2Error.PROTOCOL_ERROR),
        (settings((9, 0)) + settings((9, 1)), Http2Error.PROTOCOL_ERROR),
        (headers(1) + window_update(1, 2**30) + settings((4, 2**31 - 1)), Http2Error.FLOW_CONTROL_ERROR),
        (frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff"), Http2Error.COMPRESSION_ERROR),
        (frame(HEADERS, 5, 1, b"\xbf"), Http2Error.COMPRESSION_ERROR),
        (frame(HEADERS, 5, 1, b"\x40\x05ab"), Http2Error.COMPRESSION_ERROR),
        (headers(1, ("x", "1" * 14_000), ("y", "1" * 9000)), Http2Error.ENHANCE_YOUR_CALM),
        (headers(1, end=False) + 80 * data(1, b""), Http2Error.ENHANCE_YOUR_CALM),
        (12 * frame(PING, 0, 0, bytes(8)), Http2Error.ENHANCE_YOUR_CALM),
        (12 * settings((3, 1)), Http2Error.ENHANCE_YOUR_CALM),
        (12 * frame(PRIORITY, 0, 1, bytes(5)), Http2Error.ENHANCE_YOUR_CALM),
        (12 * frame(99, 0, 0), Http2Error.ENHANCE_YOUR_CALM),
        (headers(1) + 3 * window_update(0, 1), Http2Error.ENHANCE_YOUR_CALM),
        (20 * frame(PING, 1, 0, bytes(8)), Http2Error.ENHANCE_YOUR_CALM),
        (20 * frame(SETTINGS, 1, 0), Http2Error.ENHANCE_YOUR_CALM),
        (20 * frame(GOAWAY, 0, 0, bytes(8)), Http2Error.ENHANCE_YOUR_CALM),
        (headers(1, end=False) + rst(1) + 20 * window_update(1, 5000), Http2Error.ENHANCE_YOUR_CALM),
        (b"".join(headers(number) + rst(number) for number in range(1, 11, 2)), Http2Error.ENHANCE_YOUR_CALM),
    ],
)  # fmt: skip
def test_errors_of_the_connection_end_it(sent, code):
    with pytest.raises(ConnectionException) as caught:
        Server(initial_window_size=65_535).receive(sent)
    assert caught.value.code is code


def test_more_streams_than_allowed_are_refused_and_cost():
    server = Server(max_concurrent_streams=2)
    server.receive(headers(1), headers(3), headers(5))
    assert server.resets() == {5: Http2Error.REFUSED_STREAM}
    with pytest.raises(ConnectionException, match="ENHANCE_YOUR_CALM"):
        server.receive(b"".join(headers(number) for number in range(7, 27, 2)))


def test_what_comes_late_for_a_stream_that_we_reset_is_ignored_and_counted():
    server = Server()
    server.receive(headers(1, end=False))
    server.handler.cancel(1, Http2Error.CANCEL)
    server.handler.cancel(1, Http2Error.CANCEL)
    assert server.resets() == {1: Http2Error.CANCEL}
    server.receive(data(1, b"late"), window_update(1, 5000), rst(1), headers(1, ("x-dynamic", "value")), headers(3))
    assert server.told[-1] == ("request", 3, True)


@pytest.mark.parametrize("late", [data(1, b"", True), headers(1), data(1, b"x" * 100, True)])
def test_a_flood_for_a_stream_that_we_reset_is_a_flood(late):
    server = Server()
    server.receive(headers(1, end=False))
    server.handler.cancel(1, Http2Error.CANCEL)
    with pytest.raises(ConnectionException, match="ENHANCE_YOUR_CALM"):
        server.receive(20 * late)


def test_a_large_body_on_its_way_to_a_stream_that_we_reset_is_none():
    server = Server(connection_window=10**6)
    server.receive(headers(1, end=False))
    server.handler.cancel(1, Http2Error.CANCEL)
    server.receive(30 * data(1, bytes(16_384)), headers(3))
    assert server.told[-1] == ("request", 3, True)


def test_after_goaway_requests_are_finished_pings_answered_and_new_streams_ignored():
    server = Server()
    server.receive(headers(1), frame(GOAWAY, 0, 0, bytes(8)), frame(PING, 0, 0, b"12345678"), headers(3))
    assert server.told == [("request", 1, True), ("goaway",)]
    assert server.frames() == [(PING, 1, 0, b"12345678")]
    server.handler.send_headers(1, [(":status", "204")], end=True)
    assert server.frames()[0][:3] == (HEADERS, END_HEADERS | END_STREAM, 1)


def test_goaway_says_the_last_stream_and_why():
    server = Server()
    server.receive(headers(1), headers(3))
    server.handler.goaway(Http2Error.COMPRESSION_ERROR, "why")
    assert server.frames() == [(GOAWAY, 0, 0, struct.pack(">II", 3, 9) + b"why")]


def test_trailers_have_limits_of_their_own():
    many = [(f"x-{number}", "1") for number in range(3)]
    nothing: dict[str, Any] = {"method": None, "scheme": None, "path": None, "authority": None}
    for server in (Server(max_trailer_count=2), Server(max_trailer_size=20)):
        server.receive(headers(1, end=False), headers(1, *many, **nothing))
        assert server.resets() == {1: Http2Error.ENHANCE_YOUR_CALM}


def test_a_request_of_http_1_1_is_the_first_stream():
    server = Server(started=False)
    server.handler.upgrade(struct.pack(">HI", 4, 77))
    server.handler.start()
    server.receive(START, headers(3))
    assert server.handler.window(1, 100) == 77
    assert server.told[-1] == ("request", 3, True)
    server.receive(data(1, b"x"))
    assert server.resets() == {1: Http2Error.STREAM_CLOSED}
    with pytest.raises(ConnectionException):
        Server(started=False).handler.upgrade(b"12345")


def test_the_window_is_the_default_until_the_client_knows_ours():
    server = Server(initial_window_size=10)
    server.receive(headers(1, end=False), data(1, bytes(100)))
    assert server.resets() == {}
    server.receive(frame(SETTINGS, 1, 0), headers(3, end=False), data(3, bytes(11)))
    assert server.resets() == {3: Http2Error.FLOW_CONTROL_ERROR}


a_frame = st.one_of(
    st.builds(headers, st.integers(1, 9), end=st.booleans()),
    st.builds(data, st.integers(1, 9), st.binary(max_size=20), st.booleans()),
    st.builds(rst, st.integers(1, 9)),
    st.builds(window_update, st.integers(0, 9), st.integers(0, 2**31 - 1)),
    st.builds(frame, st.integers(0, 17), st.integers(0, 255), st.integers(0, 9), st.binary(max_size=20)),
)


@given(st.lists(a_frame, max_size=12))
def test_any_frames_are_taken_or_give_the_error(frames):
    server = Server()
    try:
        server.receive(b"".join(frames))
    except ConnectionException:
        return
    server.frames()


def test_work_is_linear_in_the_requests():
    def make(size: int) -> Callable[[], object]:
        sent = [headers(2 * number + 1) + window_update(0, 5000) for number in range(size)]

        def serve() -> None:
            server = Server(max_concurrent_streams=100)
            for number, one in enumerate(sent):
                server.receive(one)
                server.handler.send_headers(2 * number + 1, [(":status", "200")], end=True)

        return serve

    assert_linear(make, 200)
