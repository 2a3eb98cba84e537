"""The server's side of HTTP/2: streams, windows, header compression, settings.

RFC 9113; Tomcat: Http2UpgradeHandler.java. No socket, no thread, no clock: bytes come in by :meth:`receive` and cause
calls of a listener; output waits for :meth:`take_output`. The library hpack encodes the heads of answers.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from enum import Enum, auto
from typing import Protocol

from hpack import Encoder

from catalina.coyote.http2.hpack_decoder import HpackDecoder, HpackException, OversizedException
from catalina.coyote.http2.http2_error import ConnectionException, Http2Error, StreamException
from catalina.coyote.http2.http2_parser import ACK, END_HEADERS, END_STREAM, FrameType, Http2Parser, frame
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http2.overhead import Overhead
from catalina.coyote.http2.request_fields import RequestFields, check_trailers, request_fields

__all__ = ["Http2UpgradeHandler", "Listener"]

#: The window that every stream and connection begins with.
DEFAULT_WINDOW = 65_535
LAST_WINDOW = 2**31 - 1
#: Bytes of our dynamic table of HPACK, however large a table the client would keep.
TABLE_SIZE = 4096
#: Closed streams that are remembered, as a multiple of maxConcurrentStreams (as in Tomcat).
REMEMBERED = 5


class SettingCode:
    """Numbers of the settings we know."""

    HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)
    MAX_HEADER_LIST_SIZE = 6
    NO_RFC7540_PRIORITIES = 9


#: Values that are allowed, and the error of others.
SETTING_RANGES = {
    SettingCode.ENABLE_PUSH: (0, 1, Http2Error.PROTOCOL_ERROR),
    SettingCode.INITIAL_WINDOW_SIZE: (0, LAST_WINDOW, Http2Error.FLOW_CONTROL_ERROR),
    SettingCode.MAX_FRAME_SIZE: (2**14, 2**24 - 1, Http2Error.PROTOCOL_ERROR),
    SettingCode.NO_RFC7540_PRIORITIES: (0, 1, Http2Error.PROTOCOL_ERROR),
}


class Listener(Protocol):
    """The connection's reactions to input. None of these may raise."""

    def on_request(self, number: int, fields: RequestFields, ended: bool) -> None:
        """A request has begun."""

    def on_data(self, number: int, data: bytes, counted: int) -> None:
        """A part of a body; its ``counted`` bytes of window are given back by :meth:`Http2UpgradeHandler.consumed`."""

    def on_trailers(self, number: int, fields: list[tuple[bytes, bytes]]) -> None:
        """Fields behind a body."""

    def on_end(self, number: int) -> None:
        """The body is complete."""

    def on_reset(self, number: int) -> None:
        """The stream is over: the client does not want the answer, or has broken the rules."""

    def on_room(self) -> None:
        """A window has become larger."""

    def on_goaway(self) -> None:
        """The client will begin no more streams."""

    def on_stream_error(self, error: StreamException) -> None:
        """A stream was reset because of the client's frames; for the log."""


class _Stream:
    """A stream that is not closed."""

    __slots__ = (
        "consumed", "content_length", "local_ended", "receive_window", "received", "remote_ended", "send_window",
        "wanted",
    )  # fmt: skip

    def __init__(self, send_window: int, receive_window: int, content_length: int) -> None:
        self.send_window = send_window
        self.receive_window = receive_window
        self.consumed = 0  # bytes of window that were not given back yet
        self.content_length = content_length
        self.received = 0
        self.remote_ended = self.local_ended = False
        self.wanted = 0  # bytes that wait for the window


class _End(Enum):
    """The end of a stream, which decides which frames may still come."""

    COMPLETE = auto()
    RESET_BY_US = auto()  # the client may not know of it yet
    RESET_BY_CLIENT = auto()


class Http2UpgradeHandler:
    """One connection.

    Args:
        protocol: settings and limits.
        listener: called for requests.
        scheme: the scheme of the connection.
        max_header_size, max_trailer_size: bytes of a header list; negative: no limit.
        connection_window: bytes that all streams together may send ahead, beyond :data:`DEFAULT_WINDOW`.
    """

    def __init__(
        self,
        protocol: Http2Protocol,
        listener: Listener,
        *,
        scheme: bytes = b"http",
        max_header_size: int = 8192,
        max_trailer_size: int = 8192,
        connection_window: int = 0,
    ) -> None:
        self._protocol = protocol
        self._listener = listener
        self._scheme = None if protocol.allow_scheme_mismatch else scheme
        self._max_header_size = max_header_size
        self._max_trailer_size = max_trailer_size
        largest = 2 * max(max_header_size, max_trailer_size)
        self.header_block_limit = largest if min(max_header_size, max_trailer_size) >= 0 else 2**24
        self.overhead = Overhead(protocol)
        self._parser = Http2Parser(self)
        self._decoder = HpackDecoder()
        self._encoder = Encoder()
        self._out: list[bytes] = []
        self._streams: dict[int, _Stream] = {}
        self._ended: OrderedDict[int, _End] = OrderedDict()
        self._remembered = REMEMBERED * (
            protocol.max_concurrent_streams if protocol.max_concurrent_streams > 0 else 100
        )
        self._last = 0
        self._send_window = DEFAULT_WINDOW
        self._connection_window = DEFAULT_WINDOW + connection_window
        self._receive_window = self._connection_window
        self._consumed = 0
        #: The client may use the default until it acknowledges our SETTINGS.
        self._stream_window = max(DEFAULT_WINDOW, protocol.initial_window_size)
        self._acknowledged = False
        self._peer_window = DEFAULT_WINDOW
        self._no_priorities: int | None = None
        #: Bytes of a DATA frame that the client accepts.
        self.max_frame_size = 2**14
        #: No further stream is begun.
        self.ending = False

    # Input

    def start(self) -> None:
        """Send our half of the preface."""
        settings = [
            (SettingCode.MAX_CONCURRENT_STREAMS, self._protocol.max_concurrent_streams),
            (SettingCode.INITIAL_WINDOW_SIZE, self._protocol.initial_window_size),
            (SettingCode.NO_RFC7540_PRIORITIES, 1),
        ]
        if self._max_header_size >= 0:
            settings.append((SettingCode.MAX_HEADER_LIST_SIZE, self._max_header_size))
        payload = b"".join(struct.pack(">HI", code, value & 0xFFFFFFFF) for code, value in settings)
        self._send(FrameType.SETTINGS, 0, 0, payload)
        if self._connection_window > DEFAULT_WINDOW:
            self._send(FrameType.WINDOW_UPDATE, 0, 0, struct.pack(">I", self._connection_window - DEFAULT_WINDOW))

    def upgrade(self, settings: bytes) -> None:
        """Begin with a request that came by HTTP/1.1, as stream 1, which is complete (RFC 7540 section 3.2).

        Args:
            settings: the decoded HTTP2-Settings field.

        Raises:
            ConnectionException: the settings are invalid.
        """
        if len(settings) % 6:
            raise ConnectionException(Http2Error.FRAME_SIZE_ERROR, f"HTTP2-Settings of {len(settings)} bytes")
        for code, value in struct.iter_unpack(">HI", settings):
            self._set(code, value)
        self._last = 1
        stream = self._streams[1] = _Stream(self._peer_window, self._stream_window, -1)
        stream.remote_ended = True

    def receive(self, data: bytes) -> None:
        """Process the client's bytes.

        Raises:
            ConnectionException: the connection must end, with :meth:`goaway`.
        """
        self._parser.receive(data)

    @property
    def waits_for_rest(self) -> bool:
        """True when something has begun whose rest must come: the preface, a frame, a header block."""
        return self._parser.waits_for_rest

    @property
    def buffered(self) -> int:
        """Bytes of incomplete frames and header blocks."""
        return self._parser.buffered

    # Events of the parser

    def on_headers(self, number: int, block: bytes, ended: bool) -> None:
        """A request, or the trailers of one."""
        stream = self._streams.get(number)
        if stream is None:
            self._on_request(number, block, ended)
            return
        fields = self._decode(number, block, self._protocol.max_trailer_count, self._max_trailer_size)
        if stream.remote_ended:
            raise StreamException(number, Http2Error.STREAM_CLOSED, "HEADERS behind the end of the request")
        if not ended:
            raise StreamException(number, Http2Error.PROTOCOL_ERROR, "trailers that are not the end")
        if isinstance(fields, StreamException):
            raise fields
        check_trailers(number, fields)
        self._check_length(number, stream)
        self._listener.on_trailers(number, fields)
        self._end_remote(number, stream)

    def _on_request(self, number: int, block: bytes, ended: bool) -> None:
        fields = self._decode(number, block, self._protocol.max_header_count, self._max_header_size)
        if number <= self._last or number % 2 == 0:
            self._on_late(number, "HEADERS")
            return
        self._last = number
        if self.ending:  # GOAWAY has announced that
            return
        if len(self._streams) >= self._protocol.max_concurrent_streams >= 0:
            self.overhead.useless()
            raise StreamException(number, Http2Error.REFUSED_STREAM, "more streams than maxConcurrentStreams")
        if isinstance(fields, StreamException):
            raise fields
        request = request_fields(number, fields, self._scheme)
        if ended and request.content_length > 0:
            raise StreamException(
                number, Http2Error.PROTOCOL_ERROR, f"a Content-Length of {request.content_length} without a body"
            )
        self.overhead.useful()
        stream = self._streams[number] = _Stream(self._peer_window, self._stream_window, request.content_length)
        stream.remote_ended = ended
        self._listener.on_request(number, request, ended)

    def _decode(self, number: int, block: bytes, count: int, size: int) -> list[tuple[bytes, bytes]] | StreamException:
        """Decode the fields. A first block over a limit is an error of the stream, a second one of the connection."""
        try:
            fields = self._decoder.decode(block, 2 * size if size >= 0 else self.header_block_limit)
        except OversizedException as exc:
            raise ConnectionException(Http2Error.ENHANCE_YOUR_CALM, f"{exc} on stream {number}") from None
        except HpackException as exc:
            raise ConnectionException(Http2Error.COMPRESSION_ERROR, f"{exc} on stream {number}") from exc
        if 0 <= size < self._decoder.size or 0 <= count < self._decoder.count:
            text = f"{self._decoder.count} fields with {self._decoder.size} bytes, limits {count} and {size}"
            return StreamException(number, Http2Error.ENHANCE_YOUR_CALM, text)
        return fields

    def _on_late(self, number: int, what: str) -> None:
        """Handle a frame for a stream that is closed, or never existed. Returns when the frame shall be ignored."""
        end = self._ended.get(number)
        if end is _End.RESET_BY_US:
            self.overhead.useless()
            return
        if end is _End.RESET_BY_CLIENT:
            raise StreamException(number, Http2Error.STREAM_CLOSED, f"{what} behind RST_STREAM")
        if end is _End.COMPLETE:
            raise ConnectionException(Http2Error.STREAM_CLOSED, f"{what} on stream {number}, which is closed")
        raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"{what} on stream {number}, after stream {self._last}")

    def on_data(self, number: int, data: bytes, counted: int, ended: bool) -> None:
        """A part of a body."""
        if not ended:
            self.overhead.data(len(data))
        self._receive_window -= counted
        if self._receive_window < 0:
            raise ConnectionException(Http2Error.FLOW_CONTROL_ERROR, "more DATA than the connection's window")
        stream = self._streams.get(number)
        if stream is None or stream.remote_ended:
            self._give_back(counted)
            if stream is not None:
                raise StreamException(number, Http2Error.STREAM_CLOSED, "DATA behind the end of the request")
            self._on_late(number, "DATA")
            if len(data) >= DEFAULT_WINDOW // 16:  # it was on its way
                self.overhead.useful()
            return
        self.overhead.useful()
        stream.receive_window -= counted
        stream.received += len(data)
        try:
            if stream.receive_window < 0:
                raise StreamException(number, Http2Error.FLOW_CONTROL_ERROR, "more DATA than the stream's window")
            if ended or stream.received > stream.content_length >= 0:
                self._check_length(number, stream)
        except StreamException:
            self._give_back(counted)
            raise
        self._listener.on_data(number, data, counted)
        if ended:
            self._end_remote(number, stream)

    @staticmethod
    def _check_length(number: int, stream: _Stream) -> None:
        if stream.content_length >= 0 and stream.content_length != stream.received:
            raise StreamException(
                number,
                Http2Error.PROTOCOL_ERROR,
                f"{stream.received} bytes of a body, the Content-Length was {stream.content_length}",
            )

    def _end_remote(self, number: int, stream: _Stream) -> None:
        stream.remote_ended = True
        if stream.local_ended:
            self._forget(number, _End.COMPLETE)
        self._listener.on_end(number)

    def on_continuation(self, size: int, is_last: bool) -> None:
        """Only small continuations in the middle are suspicious."""
        if not is_last:
            self.overhead.continuation(size)

    def on_priority(self) -> None:
        """Priorities of RFC 7540 mean nothing any more."""
        self.overhead.useless()

    def on_priority_update(self, number: int) -> None:
        """Priorities of RFC 9218 may be ignored."""
        self.overhead.useless()

    def on_unknown(self) -> None:
        """Nothing: unknown frames must be ignored."""
        self.overhead.useless()

    def on_rst(self, number: int, code: int) -> None:
        """The client gives up the stream."""
        self._check_not_idle(number, "RST_STREAM")
        if self._forget(number, _End.RESET_BY_CLIENT):
            self.overhead.reset()
            self._listener.on_reset(number)
        else:  # some clients answer each late frame this way, but no work was begun for it
            self.overhead.useless()

    def on_settings(self, pairs: list[tuple[int, int]], is_ack: bool) -> None:
        """The client's settings, or its acknowledgement of ours."""
        if is_ack:
            self._on_settings_ack()
            return
        for _ in pairs or (None,):
            self.overhead.useless()
        for code, value in pairs:
            self._set(code, value)
        self._send(FrameType.SETTINGS, ACK, 0)

    def _on_settings_ack(self) -> None:
        if self._acknowledged:
            self.overhead.useless()
            return
        self._acknowledged = True
        difference = self._protocol.initial_window_size - self._stream_window
        self._stream_window += difference
        for stream in self._streams.values():
            stream.receive_window += difference

    def _set(self, code: int, value: int) -> None:
        limits = SETTING_RANGES.get(code)
        if limits is not None and not limits[0] <= value <= limits[1]:
            raise ConnectionException(limits[2], f"setting {code} of {value}, expected {limits[0]} to {limits[1]}")
        if code == SettingCode.HEADER_TABLE_SIZE:
            self._encoder.header_table_size = min(value, TABLE_SIZE)
        elif code == SettingCode.MAX_FRAME_SIZE:
            self.max_frame_size = value
        elif code == SettingCode.INITIAL_WINDOW_SIZE:
            self._set_peer_window(value)
        elif code == SettingCode.NO_RFC7540_PRIORITIES:
            if self._no_priorities not in (None, value):
                raise ConnectionException(Http2Error.PROTOCOL_ERROR, "NO_RFC7540_PRIORITIES was changed")
            self._no_priorities = value

    def _set_peer_window(self, value: int) -> None:
        difference = value - self._peer_window
        self._peer_window = value
        for number, stream in self._streams.items():
            stream.send_window += difference
            if stream.send_window > LAST_WINDOW:
                raise ConnectionException(Http2Error.FLOW_CONTROL_ERROR, f"the window of stream {number} is too large")
        self._listener.on_room()

    def on_ping(self, payload: bytes, is_ack: bool) -> None:
        """Answer a ping; we send none."""
        self.overhead.useless()
        if not is_ack:
            self._send(FrameType.PING, ACK, 0, payload)

    def on_goaway(self, last: int, code: int) -> None:
        """The client begins no more streams; those under way are finished."""
        self.overhead.useless()
        self.ending = True
        self._listener.on_goaway()

    def on_window_update(self, number: int, increment: int) -> None:
        """The client accepts more."""
        if number == 0:
            self.overhead.window_update(increment, None)
            self._send_window += increment
            if self._send_window > LAST_WINDOW:
                raise ConnectionException(Http2Error.FLOW_CONTROL_ERROR, "the window of the connection is too large")
            self._listener.on_room()
            return
        self._check_not_idle(number, "WINDOW_UPDATE")
        stream = self._streams.get(number)
        if stream is None:  # it may have been on its way when the stream was closed
            self.overhead.useless()
            return
        self.overhead.window_update(increment, stream.wanted)
        stream.send_window += increment
        if stream.send_window > LAST_WINDOW:
            raise StreamException(number, Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
        self._listener.on_room()

    def on_stream_error(self, error: StreamException) -> None:
        """Reset the stream because of the client's frames: it counts as if the client had done it."""
        self._last = max(self._last, error.number)
        if not self._forget(error.number, _End.RESET_BY_US):
            self._remember(error.number, _End.RESET_BY_US)
        self.overhead.reset()
        self._send(FrameType.RST, 0, error.number, struct.pack(">I", error.code))
        self._listener.on_reset(error.number)
        self._listener.on_stream_error(error)

    def after_frame(self) -> None:
        """Check that the overhead is not too large."""
        if self.overhead.is_too_much:
            raise ConnectionException(Http2Error.ENHANCE_YOUR_CALM, "too much overhead")

    def _check_not_idle(self, number: int, what: str) -> None:
        if number > self._last or number % 2 == 0:
            raise ConnectionException(Http2Error.PROTOCOL_ERROR, f"{what} on stream {number}, which is idle")

    # Output

    def take_output(self) -> bytes:
        """Return and remove the bytes to send."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _send(self, kind: int, flags: int, number: int, payload: bytes = b"") -> None:
        self._out.append(frame(kind, flags, number, payload))

    def is_open(self, number: int) -> bool:
        """True when an answer can be sent on it."""
        stream = self._streams.get(number)
        return stream is not None and not stream.local_ended

    def window(self, number: int, wanted: int) -> int:
        """Bytes that may be sent now in one frame, of ``wanted`` ones; zero or negative for none."""
        stream = self._streams[number]
        stream.wanted = wanted
        return min(wanted, stream.send_window, self._send_window, self.max_frame_size)

    def send_headers(self, number: int, fields: list[tuple[str, str]], end: bool) -> None:
        """The head of an answer, or trailers."""
        block = self._encoder.encode([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
        kind, flags = FrameType.HEADERS, END_STREAM if end else 0
        for at in range(0, len(block) or 1, self.max_frame_size):
            is_last = at + self.max_frame_size >= len(block)
            part = block[at : at + self.max_frame_size]
            self._send(kind, flags | (END_HEADERS if is_last else 0), number, part)
            kind, flags = FrameType.CONTINUATION, 0
        if end:
            self._end_local(number)

    def send_data(self, number: int, data: bytes, end: bool) -> None:
        """Send a part of a body, at most as many bytes as :meth:`window` allows."""
        stream = self._streams[number]
        stream.send_window -= len(data)
        stream.wanted -= min(stream.wanted, len(data))
        self._send_window -= len(data)
        self._send(FrameType.DATA, END_STREAM if end else 0, number, data)
        self.overhead.useful()
        if end:
            self._end_local(number)

    def _end_local(self, number: int) -> None:
        stream = self._streams[number]
        stream.local_ended = True
        if stream.remote_ended:
            self._forget(number, _End.COMPLETE)

    def cancel(self, number: int, code: Http2Error) -> None:
        """End a stream for a reason of ours; does nothing when it is already closed."""
        if self._forget(number, _End.RESET_BY_US):
            self._send(FrameType.RST, 0, number, struct.pack(">I", code))

    def consumed(self, number: int, counted: int) -> None:
        """Bytes of window were read, so the client may send more; it is told when that is half a window."""
        self._give_back(counted)
        stream = self._streams.get(number)
        if stream is None or stream.remote_ended:
            return
        stream.consumed += counted
        if stream.consumed * 2 >= self._stream_window:
            self._send(FrameType.WINDOW_UPDATE, 0, number, struct.pack(">I", stream.consumed))
            stream.receive_window += stream.consumed
            stream.consumed = 0

    def _give_back(self, counted: int) -> None:
        self._consumed += counted
        if self._consumed >= DEFAULT_WINDOW // 2:
            self._send(FrameType.WINDOW_UPDATE, 0, 0, struct.pack(">I", self._consumed))
            self._receive_window += self._consumed
            self._consumed = 0

    def goaway(self, code: Http2Error, text: str = "") -> None:
        """Announce that no further stream is accepted, and the reason."""
        self.ending = True
        self._send(FrameType.GOAWAY, 0, 0, struct.pack(">II", self._last, code) + text.encode("utf-8", "replace"))

    def _forget(self, number: int, end: _End) -> bool:
        """Forget a stream; returns True if it was open."""
        if self._streams.pop(number, None) is None:
            return False
        self._remember(number, end)
        return True

    def _remember(self, number: int, end: _End) -> None:
        self._ended[number] = end
        while len(self._ended) > self._remembered:
            self._ended.popitem(last=False)
