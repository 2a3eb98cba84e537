"""Frames in a stream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, START_DATA, FrameDecoder, frame
from tests.support.work import assert_linear
from tests.tribes.wire import cases, cut_all_ways


def decode_all(chunks: list[bytes], decoder: FrameDecoder | None = None) -> list[bytes]:
    decoder = decoder or FrameDecoder()
    return [package for chunk in chunks for package in decoder.receive_data(chunk)]


@pytest.mark.parametrize("case", cases("frames"), ids=lambda case: case["name"])
def test_any_chunking_of_tomcats_frames_gives_the_same_packages(case):
    wire = bytes.fromhex(case["wire"])
    for chunks in cut_all_ways(wire):
        assert decode_all(chunks) == [wire[11:-7]]
    assert decode_all([wire * 3]) == [wire[11:-7]] * 3


def test_acknowledgements_have_tomcats_bytes():
    assert ACK.hex() == "464c543230303200000003060203544c4632303033"
    assert FAIL_ACK.hex() == "464c5432303032000000030b0005544c4632303033"


def test_markers_inside_a_package_mean_nothing():
    package = b"TLF2003FLT2002" + ACK
    assert decode_all([frame(package) + frame(b"")]) == [package, b""]


def test_an_unfinished_frame_waits_for_the_rest():
    decoder = FrameDecoder()
    assert decoder.receive_data(frame(b"one") + frame(b"two")[:12]) == [b"one"]
    assert decoder.buffered == 12
    assert decoder.receive_data(frame(b"two")[12:]) == [b"two"]
    assert decoder.buffered == 0


@pytest.mark.parametrize("rubbish", [b"G", b"GET / HTTP/1.1\r\n", b"FLT2003....", bytes(8)])
def test_what_is_no_frame_is_refused_at_its_first_bytes(rubbish):
    with pytest.raises(ProtocolError, match="expected b'FLT2002'"):
        FrameDecoder().receive_data(rubbish)


def test_rubbish_after_a_frame_is_refused_with_its_place():
    decoder = FrameDecoder()
    decoder.receive_data(ACK)
    with pytest.raises(ProtocolError, match="at byte 21 of the stream"):
        decoder.receive_data(b"rubbish")


def test_a_wrong_footer_is_refused():
    with pytest.raises(ProtocolError, match="no b'TLF2003' after 3 bytes"):
        FrameDecoder().receive_data(ACK[:-1] + b"4")


@pytest.mark.parametrize("size", [-1, -(2**31), 101, 2**31 - 1])
def test_a_length_beyond_the_limit_is_refused_before_its_bytes_come(size):
    with pytest.raises(LimitError, match="limit 100"):
        FrameDecoder(100).receive_data(START_DATA + size.to_bytes(4, "big", signed=True))


@given(st.lists(st.binary(max_size=50), max_size=8), st.data())
def test_packages_come_back_however_the_stream_is_cut(packages, data):
    wire = b"".join(frame(package) for package in packages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    chunks = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert decode_all(chunks) == packages


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_give_packages_or_the_documented_error(chunks):
    decoder = FrameDecoder(64)
    with contextlib.suppress(ProtocolError):
        for chunk in chunks:
            for package in decoder.receive_data(chunk):
                assert len(package) <= 64
    assert decoder.buffered <= sum(map(len, chunks))


def test_the_work_grows_with_the_stream_and_no_faster():
    """Many small packages, and one large one in many reads."""

    def small(size: int) -> Callable[[], object]:
        stream = frame(b"x") * size
        return lambda: FrameDecoder().receive_data(stream)

    def large(size: int) -> Callable[[], object]:
        stream = frame(bytes(size * 100))
        parts = [stream[at : at + 100] for at in range(0, len(stream), 100)]

        def call() -> None:
            decoder = FrameDecoder()
            for part in parts:
                decoder.receive_data(part)

        return call

    assert_linear(small, 500)
    assert_linear(large, 500)
