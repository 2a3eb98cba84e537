"""Bytes as operators write them."""

from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.tribes.byte_text import byte_list, text_or_byte_list


def test_a_list_of_signed_bytes_is_read():
    assert byte_list("{0,1, -1,127,-128}") == bytes([0, 1, 255, 127, 128])
    assert byte_list(" {} ") == b""


def test_text_is_taken_as_latin_1():
    assert text_or_byte_list("bücher") == b"b\xfccher"
    assert text_or_byte_list("{1,2}") == b"\1\2"


@pytest.mark.parametrize("text", ["1,2", "{1,2", "{a}", "{256}", "{-129}"])
def test_what_is_no_list_of_bytes_is_refused(text):
    with pytest.raises(AttributeRefused, match="bytes"):
        byte_list(text)


def test_text_beyond_latin_1_is_refused():
    with pytest.raises(AttributeRefused, match="ISO-8859-1"):
        text_or_byte_list("日本")
