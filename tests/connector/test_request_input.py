from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.connector.request_input import EMPTY_INPUT, RequestInput


def make(*portions: bytes, ready: bytes = b"") -> RequestInput:
    rest = list(portions)
    return RequestInput(lambda: rest.pop(0) if rest else b"", ready)


def test_read_gives_all_or_as_much_as_asked():
    body = make(b"cd", b"ef", ready=b"ab")
    assert body.read(3) == b"abc"
    assert body.read() == b"def"
    assert body.read() == b""
    assert body.read(5) == b""
    assert body.bytes_read == 6


def test_lines_end_at_newlines_across_portions():
    body = make(b"ne\nse", b"cond", ready=b"o")
    assert body.readline() == b"one\n"
    assert body.readline(3) == b"sec"
    assert list(body) == [b"ond"]


def test_readlines_stops_at_the_hint():
    assert make(ready=b"a\nb\nc\n").readlines(3) == [b"a\n", b"b\n"]


def test_what_was_read_can_be_put_back():
    body = make(b"def", ready=b"abc")
    assert body.read(4) == b"abcd"
    body.push_back(b"abcd")
    assert body.read() == b"abcdef"
    assert body.bytes_read == 6


def test_portions_are_taken_as_they_come():
    body = make(b"def", b"gh", ready=b"abc")
    assert (body.take_ready(), body.take_ready(), body.is_over) == (b"abc", b"", False)
    assert [body.take_portion() for _ in range(3)] == [b"def", b"gh", b""]
    assert (body.is_over, body.bytes_read) == (True, 8)


def test_a_request_without_a_body_reads_as_nothing():
    assert EMPTY_INPUT.read() == EMPTY_INPUT.readline() == b""
    assert list(EMPTY_INPUT) == EMPTY_INPUT.readlines() == []
    with pytest.raises(TypeError):
        EMPTY_INPUT.push_back(b"x")


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.lists(st.integers(0, 30), max_size=8))
def test_any_portions_and_sizes_give_the_same_bytes(portions, sizes):
    body = make(*portions)
    data = b"".join(body.read(size) for size in sizes)
    assert data + body.read() == b"".join(portions)


@given(st.lists(st.sampled_from([b"a", b"\n", b"bc\n"]), max_size=10), st.integers(1, 5))
def test_lines_are_those_of_a_file(portions, size):
    import io

    whole = io.BytesIO(b"".join(portions))
    body = make(*portions)
    assert [body.readline(size) for _ in range(12)] == [whole.readline(size) for _ in range(12)]
