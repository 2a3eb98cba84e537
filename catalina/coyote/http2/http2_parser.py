"""Parses HTTP/2 frames, with the checks that need no knowledge of streams (RFC 9113 sections 4 and 6).

Tomcat: Http2Parser.java, FrameType.java. No socket, no thread, no clock.
"""

from __future__ import annotations

import struct
from typing import Protocol

from catalina.coyote.http2.http2_error import ConnectionException, Http2Error, StreamException

__all__ = ["MAX_FRAME_SIZE", "PREFACE", "FrameType", "Http2Parser", "Output", "frame"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: Bytes of a payload: every receiver has to accept that many, and we accept no more.
MAX_FRAME_SIZE = 2**14
HEADER_SIZE = 9
LAST_31_BITS = 2**31 - 1

END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 0x1, 0x1, 0x4, 0x8, 0x20


class FrameType:
    """Numbers of the kinds of frame; plain integers, because each frame is compared with one."""

    DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
    PRIORITY_UPDATE = 16


#: Kinds that belong to the connection, and to a stream; WINDOW_UPDATE to either.
OF_CONNECTION = {FrameType.SETTINGS, FrameType.PING, FrameType.GOAWAY, FrameType.PRIORITY_UPDATE}
OF_STREAM = {
    FrameType.DATA, FrameType.HEADERS, FrameType.PRIORITY, FrameType.RST, FrameType.PUSH_PROMISE,
    FrameType.CONTINUATION,
}  # fmt: skip
#: Bytes of a payload: exactly, at least, a multiple of.
EXACT_SIZE = {FrameType.PRIORITY: 5, FrameType.RST: 4, FrameType.PING: 8, FrameType.WINDOW_UPDATE: 4}
LEAST_SIZE = {FrameType.PUSH_PROMISE: 4, FrameType.GOAWAY: 8, FrameType.PRIORITY_UPDATE: 4}
SETTING_SIZE = 6


def frame(kind: int, flags: int, number: int, payload: bytes = b"") -> bytes:
    """A frame, ready to be sent."""
    return struct.pack(">IBBI", len(payload), kind, flags, number)[1:] + payload


class Output(Protocol):
    """The receiver of the frames. Each method may raise ConnectionException or StreamException."""

    #: Bytes of a header block with its continuations, before it is decoded.
    header_block_limit: int

    def on_data(self, number: int, data: bytes, counted: int, ended: bool) -> None:
        """DATA without its padding; ``counted`` bytes count in the windows."""

    def on_headers(self, number: int, block: bytes, ended: bool) -> None:
        """HEADERS with all its CONTINUATIONs."""

    def on_continuation(self, size: int, is_last: bool) -> None:
        """One CONTINUATION; its bytes come with on_headers."""

    def on_priority(self) -> None:
        """PRIORITY, whose content has no meaning any more."""

    def on_rst(self, number: int, code: int) -> None:
        """RST_STREAM."""

    def on_settings(self, pairs: list[tuple[int, int]], is_ack: bool) -> None:
        """SETTINGS."""

    def on_ping(self, payload: bytes, is_ack: bool) -> None:
        """PING."""

    def on_goaway(self, last: int, code: int) -> None:
        """GOAWAY."""

    def on_window_update(self, number: int, increment: int) -> None:
        """WINDOW_UPDATE; number 0 is the connection."""

    def on_priority_update(self, number: int) -> None:
        """PRIORITY_UPDATE for a stream (RFC 9218)."""

    def on_unknown(self) -> None:
        """A frame of a kind that may be unknown."""

    def on_stream_error(self, error: StreamException) -> None:
        """An error that one of these methods, or a check of the parser, has raised; the parser continues."""

    def after_frame(self) -> None:
        """A frame was processed."""


class Http2Parser:
    """Parses the bytes of a client, in whatever pieces, from the preface on.

    Args:
        output: called for each frame.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._buffer = bytearray()
        self._begun = False  # the preface has come
        self._settled = False  # the client's first SETTINGS have come
        self._block = bytearray()
        self._block_number = 0  # stream of the header block that is under way
        self._block_ends_stream = False

    @property
    def waits_for_rest(self) -> bool:
        """True when something has begun whose rest must come: the preface, a frame, a header block."""
        return bool(self._buffer) or self._block_number != 0 or not self._settled

    @property
    def buffered(self) -> int:
        """Bytes of incomplete frames and header blocks."""
        return len(self._buffer) + len(self._block)

    def receive(self, data: bytes) -> None:
        """Process all complete frames.

        Raises:
            ConnectionException: the connection must end.
        """
        buffer = self._buffer
        buffer += data
        at = 0
        if not self._begun:
            if not PREFACE.startswith(buffer[: len(PREFACE)]):
                raise ConnectionException(Http2Error.PROTOCOL_ERROR, "the connection preface is none")
            if len(buffer) < len(PREFACE):
                return
            self._begun = True
            at = len(PREFACE)
        try:
            while len(buffer) - at >= HEADER_SIZE:
                size = int.from_bytes(buffer[at : at + 3])
                if size > MAX_FRAME_SIZE:
                    raise ConnectionException(
                        Http2Error.FRAME_SIZE_ERROR, f"a frame of {size} bytes, at most {MAX_FRAME_SIZE} are taken"
                    )
                start = at + HEADER_SIZE
                if len(buffer) - start < size:
                    break
                kind, flags = buffer[at + 3], buffer[at + 4]
                number = int.from_bytes(buffer[at + 5 : start]) & LAST_31_BITS
                at = start + size
                try:
                    self._take(kind, flags, number, bytes(buffer[start:at]))
                except StreamException as error:
                    self._output.on_stream_error(error)
                self._output.after_frame()
        finally:
            del buffer[:at]

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if not self._settled:
            if kind != FrameType.SETTINGS or flags & ACK:
                raise ConnectionException(Http2Error.PROTOCOL_ERROR, "the first frame is no SETTINGS")
            self._settled = True
        if self._block_number and (kind != FrameType.CONTINUATION or number != self._block_number):
            raise ConnectionException(
                Http2Error.COMPRESSION_ERROR,
                f"a frame of kind {kind} for stream {number} inside of the header block of stream {self._block_number}",
            )
        _check(kind, number, len(payload))
        take = self._takers.get(kind)
        if take is None:
            self._output.on_unknown()
        else:
            take(self, flags, number, payload)

    def _data(self, flags: int, number: int, payload: bytes) -> None:
        data = payload
        if flags & PADDED:
            data = _unpad(payload, 0, number)
        self._output.on_data(number, data, len(payload), bool(flags & END_STREAM))

    def _headers(self, flags: int, number: int, payload: bytes) -> None:
        skipped = 5 if flags & PRIORITY_FLAG else 0
        if len(payload) < skipped + bool(flags & PADDED):
            raise ConnectionException(
                Http2Error.FRAME_SIZE_ERROR, f"HEADERS of {len(payload)} bytes on stream {number}"
            )
        if flags & PADDED:
            payload = _unpad(payload, skipped + 1, number)  # Tomcat demands a byte of the block
        block, ended = payload[skipped:], bool(flags & END_STREAM)
        if flags & END_HEADERS:
            self._output.on_headers(number, block, ended)
            return
        self._block_number, self._block_ends_stream = number, ended
        self._add_to_block(block)

    def _continuation(self, flags: int, number: int, payload: bytes) -> None:
        if not self._block_number:
            raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"CONTINUATION of nothing on stream {number}")
        is_last = bool(flags & END_HEADERS)
        self._output.on_continuation(len(payload), is_last)
        self._add_to_block(payload)
        if is_last:
            block = bytes(self._block)
            self._block.clear()
            self._block_number = 0
            self._output.on_headers(number, block, self._block_ends_stream)

    def _add_to_block(self, data: bytes) -> None:
        self._block += data
        if len(self._block) > self._output.header_block_limit:
            raise ConnectionException(
                Http2Error.ENHANCE_YOUR_CALM,
                f"a header block of more than {self._output.header_block_limit} bytes on stream {self._block_number}",
            )

    def _priority(self, flags: int, number: int, payload: bytes) -> None:
        self._output.on_priority()

    def _rst(self, flags: int, number: int, payload: bytes) -> None:
        self._output.on_rst(number, int.from_bytes(payload))

    def _settings(self, flags: int, number: int, payload: bytes) -> None:
        if flags & ACK and payload:
            raise ConnectionException(Http2Error.FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS with content")
        self._output.on_settings(list(struct.iter_unpack(">HI", payload)), bool(flags & ACK))

    def _push_promise(self, flags: int, number: int, payload: bytes) -> None:
        raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"PUSH_PROMISE of a client on stream {number}")

    def _ping(self, flags: int, number: int, payload: bytes) -> None:
        self._output.on_ping(payload, bool(flags & ACK))

    def _goaway(self, flags: int, number: int, payload: bytes) -> None:
        last, code = struct.unpack_from(">II", payload)
        self._output.on_goaway(last & LAST_31_BITS, code)

    def _window_update(self, flags: int, number: int, payload: bytes) -> None:
        increment = int.from_bytes(payload) & LAST_31_BITS
        if increment == 0:
            text = "WINDOW_UPDATE by nothing"
            if number == 0:
                raise ConnectionException(Http2Error.PROTOCOL_ERROR, text)
            raise StreamException(number, Http2Error.PROTOCOL_ERROR, text)
        self._output.on_window_update(number, increment)

    def _priority_update(self, flags: int, number: int, payload: bytes) -> None:
        stream = int.from_bytes(payload[:4]) & LAST_31_BITS
        if stream == 0:
            raise ConnectionException(Http2Error.PROTOCOL_ERROR, "PRIORITY_UPDATE for stream 0")
        self._output.on_priority_update(stream)

    _takers = {
        FrameType.DATA: _data,
        FrameType.HEADERS: _headers,
        FrameType.PRIORITY: _priority,
        FrameType.RST: _rst,
        FrameType.SETTINGS: _settings,
        FrameType.PUSH_PROMISE: _push_promise,
        FrameType.PING: _ping,
        FrameType.GOAWAY: _goaway,
        FrameType.WINDOW_UPDATE: _window_update,
        FrameType.CONTINUATION: _continuation,
        FrameType.PRIORITY_UPDATE: _priority_update,
    }


def _check(kind: int, number: int, size: int) -> None:
    """Check that the frame stands where its kind belongs, and has a valid length."""
    if (kind in OF_STREAM and number == 0) or (kind in OF_CONNECTION and number != 0):
        raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"a frame of kind {kind} on stream {number}")
    exact = EXACT_SIZE.get(kind, size)
    if size == exact and size >= LEAST_SIZE.get(kind, 0) and (kind != FrameType.SETTINGS or size % SETTING_SIZE == 0):
        return
    text = f"a frame of kind {kind} with {size} bytes"
    if kind == FrameType.PRIORITY:
        raise StreamException(number, Http2Error.FRAME_SIZE_ERROR, text)
    raise ConnectionException(Http2Error.FRAME_SIZE_ERROR, text)


def _unpad(payload: bytes, least: int, number: int) -> bytes:
    """The content without its padding; it has at least that many bytes."""
    if not payload:
        raise ConnectionException(Http2Error.FRAME_SIZE_ERROR, f"a padded frame without content on stream {number}")
    end = len(payload) - payload[0]
    if end < 1 + least:
        raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"{payload[0]} bytes of padding on stream {number}")
    if payload[end:].strip(b"\0"):
        raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"padding with content on stream {number}")
    return payload[1:end]
