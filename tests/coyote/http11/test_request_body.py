from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http11.request_body import BodyDecoder, ChunkedDecoder, LengthDecoder
from catalina.coyote.http_error import HttpError
from tests.support.work import assert_linear


def receive_all(decoder: BodyDecoder, portions: list[bytes]) -> tuple[bytes, bytes]:
    """(body, what came after it); bytes after the end are collected as a connection would."""
    body = b""
    rest = b""
    for portion in portions:
        if decoder.complete:
            rest += portion
            continue
        body += decoder.receive(portion)
        rest += decoder.unused
    return body, rest


def every_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


CHUNKED = b"5\r\nhello\r\n1;name=value\r\n \r\n5\r\nworld\r\n0\r\nDigest: abc \r\n\r\n"


def test_a_body_of_known_length_ends_there():
    decoder = LengthDecoder(5)
    assert receive_all(decoder, [b"he", b"llo, GET"]) == (b"hello", b", GET")
    assert decoder.complete


def test_a_body_of_length_zero_is_complete_at_once():
    assert LengthDecoder(0).complete


@pytest.mark.parametrize("portions", [[CHUNKED + b"GET"], [*every_byte(CHUNKED), b"GET"]])
def test_chunks_are_joined_however_they_arrive(portions):
    decoder = ChunkedDecoder()
    assert receive_all(decoder, portions) == (b"hello world", b"GET")
    assert decoder.complete
    assert decoder.trailers == [("digest", "abc")]


@pytest.mark.parametrize(
    "data",
    [
        b"5\nhello\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloX",
        b"5\r\nhelloXY",
        b"5\r\nhello\rX",
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"5\t\r\nhello\r\n",
        b"123456789\r\n",
        b"5\0\r\nhello\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"0\r\nbad name: x\r\n\r\n",
        b"0\r\n folded\r\n\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\na: b\n\r\n",
    ],
)
def test_malformed_chunks_are_refused_whole_and_byte_by_byte(data):
    for portions in ([data], every_byte(data)):
        with pytest.raises(HttpError) as caught:
            receive_all(ChunkedDecoder(), portions)
        assert caught.value.status == 400


def test_extensions_have_a_limit_over_the_whole_body():
    body = b"1;aaaa\r\nx\r\n" * 3
    assert ChunkedDecoder(max_extension=15).receive(body) == b"xxx"
    with pytest.raises(HttpError):
        ChunkedDecoder(max_extension=14).receive(body)


def test_trailers_have_a_limit_also_while_a_line_is_incomplete():
    with pytest.raises(HttpError):
        ChunkedDecoder(max_trailer=20).receive(b"0\r\nA: 1\r\nB: 22222222222222\r\n\r\n")
    with pytest.raises(HttpError):
        ChunkedDecoder(max_trailer=20).receive(b"0\r\n" + b"A" * 30)


def test_an_endless_size_line_is_refused():
    with pytest.raises(HttpError):
        ChunkedDecoder(max_extension=100).receive(b"1;" + b"a" * 200)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=6), st.data())
def test_any_cut_of_any_chunks_gives_the_same_body(bodies, data):
    wire = b"".join(b"%X\r\n%b\r\n" % (len(body), body) for body in bodies) + b"0\r\n\r\nnext"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    portions = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert receive_all(ChunkedDecoder(), portions) == (b"".join(bodies), b"next")


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_give_body_or_the_documented_error_the_same_in_any_portions(data, size):
    def outcome(portions: list[bytes]) -> object:
        decoder = ChunkedDecoder()
        try:
            return receive_all(decoder, portions), decoder.complete
        except HttpError:
            return "refused"

    portions = [data[i : i + size] for i in range(0, len(data), size)]
    assert outcome([data]) == outcome(portions) or not data


@pytest.mark.parametrize(
    "extension", [b";a=b=c", b";=", b';a="b', b";", b";;a", b"; =b", b';a="b"c', b";a b", b';"a"', b";a=\xff"]
)
def test_malformed_extensions_are_refused(extension):
    with pytest.raises(HttpError) as caught:
        ChunkedDecoder().receive(b"1" + extension + b"\r\nx\r\n0\r\n\r\n")
    assert caught.value.status == 400


@pytest.mark.parametrize("extension", [b";a", b";a=b", b';a="b;=\\" c\xff"', b" ; a = b ;c", b";a=b ", b' ;a= "" \t;b'])
def test_extensions_of_the_grammar_are_read_and_dropped(extension):
    assert ChunkedDecoder().receive(b"1" + extension + b"\r\nx\r\n0\r\n\r\n") == b"x"


@pytest.mark.parametrize(
    "piece", [b"1\r\nx\r\n", b"1;a=b\r\nx\r\n", b"0;a\r\n", b";a", b" ", b"0\r\nA: b\r\n", b"A: b\r\n"]
)
@pytest.mark.parametrize("portion", [1, 4096])
def test_the_work_is_linear(piece, portion):
    def make(size: int) -> Any:
        data = piece * size
        portions = [data[i : i + portion] for i in range(0, len(data), portion)]

        def call() -> None:
            decoder = ChunkedDecoder()
            with contextlib.suppress(HttpError):
                receive_all(decoder, [b"1\r\nx\r\n", *portions])

        return call

    assert_linear(make, 200)
