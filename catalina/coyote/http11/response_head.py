"""Encodes status and header fields (RFC 9112 section 4; Tomcat: Http11OutputBuffer.java)."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["CONTINUE", "chunk", "encode_head", "with_reason"]

CONTINUE = b"HTTP/1.1 100 \r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

#: Controls but TAB. Tomcat writes a space for each: a value must never end its line.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_TOKEN = re.compile(r"[^!#$%&'*+\-.0-9A-Z^_`a-z|~]")
#: Status lines in Tomcat's form: without a reason, but with the space.
_STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}


def encode_head(status: int, fields: Sequence[tuple[str, str]], tail: str) -> bytes:
    """The head up to and including the empty line.

    Args:
        status: 100 to 999.
        fields: name and value; controls in them become spaces, characters beyond latin-1 question marks.
        tail: finished field lines of the connection itself (Date, Connection ...), each with its CRLF.
    """
    text = ""
    for name, value in fields:
        text += f"{name}: {value}\r\n"
    # One field is one CR and one LF; another count means that a name or a value contains its own.
    if not text.count("\n") == text.count("\r") == len(fields) or "\0" in text:
        text = "".join(f"{_clean_name(name)}: {_CONTROLS.sub(' ', value)}\r\n" for name, value in fields)
    head = f"{_STATUS_LINES.get(status) or f'HTTP/1.1 {status} ' + chr(13) + chr(10)}{text}{tail}\r\n"
    return head.encode("latin-1", "replace")


def with_reason(head: bytes, reason: str) -> bytes:
    """A head of :func:`encode_head` with a reason behind its status; controls in it become spaces."""
    line, end, rest = head.partition(b"\r\n")
    return line + _CONTROLS.sub(" ", reason).encode("latin-1", "replace") + end + rest


def _clean_name(name: str) -> str:
    return _NOT_TOKEN.sub("_", name)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; ``data`` is not empty, because an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
