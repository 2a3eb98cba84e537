"""Converts bytes in the notation of operators (Tomcat: tribes/util/Arrays.java, fromString and convert)."""

from __future__ import annotations

from catalina.attributes import AttributeRefused

__all__ = ["byte_list", "hex_key", "text_or_byte_list"]


def byte_list(text: str) -> bytes:
    """Convert ``{1,2,-3}``, signed bytes as in Java; 128 to 255 are accepted, too.

    Raises:
        AttributeRefused: there are no braces, or a number is no byte.
    """
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise AttributeRefused("bytes as {1,2,3}")
    try:
        numbers = [int(part) for part in text[1:-1].replace("{", ",").replace("}", ",").split(",") if part.strip()]
    except ValueError:
        raise AttributeRefused("bytes as {1,2,3}") from None
    if any(not -128 <= number <= 255 for number in numbers):
        raise AttributeRefused("bytes from -128 to 127")
    return bytes(number & 0xFF for number in numbers)


def hex_key(text: str) -> bytes:
    """Convert a key in hexadecimal digits; an error does not repeat the key."""
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        raise AttributeRefused("a key in hex digits") from None


def text_or_byte_list(text: str) -> bytes:
    """Convert ``{1,2,3}``, or text to its ISO-8859-1 bytes."""
    if text.strip().startswith("{"):
        return byte_list(text)
    try:
        return text.encode("iso-8859-1")
    except UnicodeEncodeError:
        raise AttributeRefused("text of ISO-8859-1, or bytes as {1,2,3}") from None
