from __future__ import annotations

from collections.abc import Callable

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http2.hpack_decoder import HpackDecoder, HpackException, OversizedException
from tests.support.work import assert_linear

#: The examples of RFC 7541, sections C.3 and C.4: three requests on one connection, without and with Huffman.
PLAIN = (
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
HUFFMAN = (
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
HOST = (b":authority", b"www.example.com")
FIRST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), HOST]
REQUESTS = (
    FIRST,
    [*FIRST, (b"cache-control", b"no-cache")],
    [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/index.html"), HOST, (b"custom-key", b"custom-value")],
)


@pytest.mark.parametrize("blocks", [PLAIN, HUFFMAN], ids=["plain", "Huffman"])
def test_the_examples_of_the_rfc_are_decoded(blocks):
    decoder = HpackDecoder()
    for block, fields in zip(blocks, REQUESTS, strict=True):
        assert decoder.decode(bytes.fromhex(block)) == fields
    assert decoder.count == 5


@pytest.mark.parametrize(
    "block",
    [
        "80", "be", "ff80808080", "ffffffffffffff7f", "400561", "40", "4001", "00017882 1fff", "00017881 18",
        "000178 84ffffffff", "8220", "3fe21f", "7e0178", "0f", "7f",
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_the_error(block):
    with pytest.raises(HpackException):
        HpackDecoder().decode(bytes.fromhex(block))


def test_the_table_may_become_smaller_and_larger():
    decoder = HpackDecoder()
    decoder.decode(bytes.fromhex("400178 0131"))
    assert decoder.decode(b"\xbe") == [(b"x", b"1")]
    assert decoder.decode(b"\x20\x3f\xe1\x1f") == []
    with pytest.raises(HpackException):
        decoder.decode(b"\xbe")


def test_an_entry_larger_than_the_table_empties_it():
    decoder = HpackDecoder(100)
    decoder.decode(bytes.fromhex("400178 0131"))
    decoder.decode(b"\x40\x01y\x64" + b"1" * 100)
    with pytest.raises(HpackException):
        decoder.decode(b"\xbe")


def test_sizes_are_counted_as_tomcat_counts_and_bound_the_work():
    decoder = HpackDecoder()
    decoder.decode(b"\x00\x06cookie\x01a\x00\x06cookie\x01b\x82")
    assert (decoder.count, decoder.size) == (2, 2 * (3 + 6 + 1) + 3 + 7 + 3)
    with pytest.raises(OversizedException):
        decoder.decode(b"\x82" * 100, 1000)
    bomb = HpackDecoder()
    bomb.decode(b"\x40\x01x\x7f\xa1\x1e" + b"a" * 4000)
    with pytest.raises(OversizedException):
        bomb.decode(b"\xbe" * 1000, 16_384)


names = st.sampled_from([b":method", b"accept", b"cookie", b"x"]) | st.binary(max_size=8)


@given(st.lists(st.lists(st.tuples(names, st.binary(max_size=200)), max_size=6), max_size=6), st.booleans())
def test_what_the_library_encodes_is_decoded(blocks, huffman):
    encoder, decoder = hpack.Encoder(), HpackDecoder()
    for fields in blocks:
        assert decoder.decode(encoder.encode(fields, huffman=huffman)) == fields


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_give_what_the_library_gives(blocks):
    theirs, ours = hpack.Decoder(10**6), HpackDecoder()
    for block in blocks:
        try:
            expected = [tuple(map(bytes, field)) for field in theirs.decode(block, raw=True)]
        except hpack.HPACKError:
            with pytest.raises(HpackException):
                ours.decode(block)
            return
        try:
            assert ours.decode(block) == expected
        except HpackException as refused:
            assert "too large" in str(refused)  # noqa: PT017 - the library takes numbers of any size
            return


@pytest.mark.parametrize("unit", [b"\x82", b"\x11\x00", b"\x00\x00\x00", b"\x40\x01x\x011", b"\x00\x01x\x81\x07"])
def test_work_is_linear_in_the_block(unit):
    def make(size: int) -> Callable[[], object]:
        block = unit * size
        return lambda: HpackDecoder().decode(block)

    assert_linear(make, 300)
