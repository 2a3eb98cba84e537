"""Makes the text of a record safe for a log: nobody can forge a line, or write to the operator's terminal.

A message may contain text of a client, a peer or an archive. A line end in a file name would begin a line that looks
like the server's own, and an escape sequence would move the cursor of the reader's terminal. So control characters are
written as escapes (``\\n``, ``\\x1b``, ``\\u2028``) wherever they come from, with two exceptions: the line ends of the
message's own template, and those of a record with ``extra={"keeps_lines": True}``, whose text its writer has laid out
(a thread's stack).
"""

from __future__ import annotations

import logging
import re

__all__ = ["escaped", "message_of"]

#: Control characters except the tab, surrogates, and characters that some readers take for a line end.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BUT_LINE_ENDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\f": "\\f"}
#: Stands for a line end of the template while those of the arguments are escaped. It is private use, so no text has it
#: by accident.
_LINE_END = "\ue006\ue00a\ue00d\ue006"


def escaped(text: str, keep_lines: bool = False) -> str:
    """The text with its control characters as escapes; with ``keep_lines`` line ends stay."""
    if text.isprintable():
        return text
    return (_BUT_LINE_ENDS if keep_lines else _CONTROLS).sub(_escape, text)


def message_of(record: logging.LogRecord) -> str:
    """The record's message for a log."""
    text = record.getMessage()
    if text.isprintable():
        return text
    if getattr(record, "keeps_lines", False):
        return escaped(text, keep_lines=True)
    if record.args and isinstance(record.msg, str) and "\n" in record.msg:
        text = record.msg.replace("\n", _LINE_END) % record.args
        return escaped(text).replace(_LINE_END, "\n")
    return escaped(text)


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    code = ord(char)
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
