"""Status and header fields -> bytes (RFC 9112 section 4; Tomcat: Http11OutputBuffer.java)."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["CONTINUE", "chunk", "encode_head"]

CONTINUE = b"HTTP/1.1 100 \r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

#: Controls but TAB. Tomcat writes a space for each: a value must never end its line.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_TOKEN = re.compile(r"[^!#$%&'*+\-.0-9A-Z^_`a-z|~]")
#: Status lines as Tomcat writes them: without a reason, the space stays.
_STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}


def encode_head(status: int, fields: Sequence[tuple[str, str]], tail: str, reason: str = "") -> bytes:
    """The head up to and including the empty line.

    Args:
        status: 100 to 999.
        fields: name and value; controls in them become spaces, characters beyond latin-1 question marks.
        reason: text behind the status, none as a rule; controls in it become spaces.
        tail: finished field lines of the connection itself (Date, Connection ...), each with its CRLF.
    """
    text = ""
    for name, value in fields:
        text += f"{name}: {value}\r\n"
    # One field is one CR and one LF; another count means that a name or a value brought its own.
    if text.count("\n") != len(fields) or text.count("\r") != len(fields) or "\0" in text:
        text = "".join(f"{_clean_name(name)}: {_CONTROLS.sub(' ', value)}\r\n" for name, value in fields)
    line = _STATUS_LINES.get(status) if not reason else None
    if line is None:
        line = f"HTTP/1.1 {status} {_CONTROLS.sub(' ', reason)}\r\n"
    head = f"{line}{text}{tail}\r\n"
    return head.encode("latin-1", "replace")


def _clean_name(name: str) -> str:
    return _NOT_TOKEN.sub("_", name)


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; ``data`` is not empty, for an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
