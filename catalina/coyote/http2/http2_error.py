"""Error codes of HTTP/2, and the two kinds of error (RFC 9113 sections 5.4 and 7; Tomcat: Http2Error.java)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ConnectionException", "Http2Error", "StreamException"]


class Http2Error(IntEnum):
    """The codes that RST_STREAM and GOAWAY carry."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class ConnectionException(Exception):
    """The connection cannot continue: send GOAWAY, and close."""

    def __init__(self, code: Http2Error, text: str) -> None:
        super().__init__(f"{code.name}: {text}")
        self.code = code
        self.text = text


class StreamException(Exception):
    """One stream cannot continue: send RST_STREAM; the others do."""

    def __init__(self, number: int, code: Http2Error, text: str) -> None:
        super().__init__(f"{code.name} on stream {number}: {text}")
        self.number = number
        self.code = code
        self.text = text
