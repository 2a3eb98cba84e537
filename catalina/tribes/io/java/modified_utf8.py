"""Java's modified UTF-8 (java.io.DataInput): U+0000 is ``c080``, characters beyond U+FFFF are two surrogates.

Lone surrogates are legal, as they are in a Java String and in a Python str. As in Java, a bare 00 byte is accepted and
a 4-byte sequence is refused.
"""

from __future__ import annotations

import re

from catalina.errors import ProtocolError

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def encode_modified_utf8(text: str) -> bytes:
    """The bytes of ``text``, without a length."""
    if text.isascii():
        data = text.encode("ascii")
    else:
        data = _ASTRAL.sub(_split, text).encode("utf-8", "surrogatepass")
    return data.replace(b"\0", b"\xc0\x80") if b"\0" in data else data


def decode_modified_utf8(data: bytes, offset: int = 0) -> str:
    """The text of ``data``.

    Args:
        offset: where ``data`` stands in its stream, for the error.

    Raises:
        ProtocolError: the bytes are not modified UTF-8.
    """
    if data.isascii():
        return data.decode("ascii")
    try:
        # c080 is the only overlong form in use; a byte c0 occurs in no other place of valid data.
        text = data.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as exc:
        raise ProtocolError(
            f"expected modified UTF-8, got {data[exc.start : exc.start + 4]!r}", offset + exc.start
        ) from None
    if _ASTRAL.search(text):
        raise ProtocolError("expected modified UTF-8, got a 4-byte sequence", offset)
    return _SURROGATE_PAIR.sub(_join, text)


def _split(match: re.Match[str]) -> str:
    point = ord(match[0]) - 0x10000
    return chr(0xD800 + (point >> 10)) + chr(0xDC00 + (point & 0x3FF))


def _join(match: re.Match[str]) -> str:
    high, low = map(ord, match[0])
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
