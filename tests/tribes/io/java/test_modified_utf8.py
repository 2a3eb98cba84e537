from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("", b""),
        ("abc", b"abc"),
        ("\0", b"\xc0\x80"),
        ("caf\u00e9", b"caf\xc3\xa9"),
        ("\u20ac", b"\xe2\x82\xac"),
        ("\U0001f600", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("\ud83d", b"\xed\xa0\xbd"),
        ("\ude00\ud83d", b"\xed\xb8\x80\xed\xa0\xbd"),
    ],
)
def test_text_is_written_as_java_writes_it(text: str, wire: bytes) -> None:
    assert encode_modified_utf8(text) == wire
    assert decode_modified_utf8(wire) == text


def test_a_bare_zero_byte_is_accepted() -> None:
    assert decode_modified_utf8(b"a\0b") == "a\0b"
    assert decode_modified_utf8("a\0\u20ac".encode()) == "a\0\u20ac"


@pytest.mark.parametrize("wire", [b"\xf0\x9f\x98\x80", b"\xff", b"\xc3", b"\xe2\x82", b"\x80", b"\xc1\xbf"])
def test_what_java_refuses_is_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError, match="modified UTF-8"):
        decode_modified_utf8(b"x" + wire)


def test_the_error_says_where_in_the_stream() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_modified_utf8(b"abc\xff", offset=100)
    assert caught.value.offset == 103


@given(st.text(st.characters(exclude_categories=[])))
def test_every_text_comes_back(text: str) -> None:
    # Two lone surrogates that meet are one character to Java, and so they are to us afterwards.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert decode_modified_utf8(encode_modified_utf8(text)) == joined


@given(st.binary())
def test_any_bytes_give_text_or_the_error(wire: bytes) -> None:
    try:
        assert isinstance(decode_modified_utf8(wire), str)
    except ProtocolError:
        pass
