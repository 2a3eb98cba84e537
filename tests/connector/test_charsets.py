from __future__ import annotations

import codecs

import pytest

from catalina.attributes import AttributeRefused
from catalina.connector.charsets import _BY_NAME, charset, find_charset
from tests.support.work import assert_linear


@pytest.mark.parametrize("codec", sorted(set(_BY_NAME.values())))
def test_each_charset_is_a_codec_that_gives_a_text_for_any_bytes(codec: str) -> None:
    assert codecs.lookup(codec)._is_text_encoding
    assert isinstance(bytes(range(256)).decode(codec, "replace"), str)


@pytest.mark.parametrize("codec", sorted(set(_BY_NAME.values())))
def test_decoding_is_linear(codec: str) -> None:
    assert_linear(lambda size: lambda: (b"\x1b$)A%81" * size).decode(codec, "replace"), 1000)


@pytest.mark.parametrize(
    "name",
    ["UTF-8", "utf8", " ISO-8859-1 ", "windows-1252", "Shift_JIS", "GBK", "EUC-KR", "KOI8-R", "UTF-16LE", "IBM850"],
)
def test_the_names_of_java_are_known(name: str) -> None:
    assert find_charset(name) is not None


@pytest.mark.parametrize(
    "name",
    ["punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7", "utf7", "hz", "base64", "rot13",
     "zlib", "mbcs", "utf-8-sig", "", "x" * 100_000, "../utf-8", "utf-8\0"],
)  # fmt: skip
def test_what_else_python_calls_a_codec_is_not(name: str) -> None:
    assert find_charset(name) is None


def test_the_attribute_type_keeps_the_spelling_and_refuses_the_rest() -> None:
    assert charset(" UTF-8 ") == "UTF-8"
    with pytest.raises(AttributeRefused):
        charset("punycode")
