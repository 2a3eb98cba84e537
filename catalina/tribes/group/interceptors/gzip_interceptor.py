"""Compresses messages (Tomcat: interceptors/GzipInterceptor.java)."""

from __future__ import annotations

import logging
import struct
import threading
import zlib
from collections.abc import Sequence
from typing import ClassVar

from catalina.attributes import Attribute
from catalina.errors import LimitError, ProtocolError
from catalina.operations import operation
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["GzipInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.GzipInterceptor")

#: The head that Java writes: deflate, no flags, no time, system unknown.
_HEAD = bytes.fromhex("1f8b08000000000000ff")
_TAIL = struct.Struct("<II")
_GZIP_WINDOW = 31
_STEP = 1024 * 1024
#: Bytes fed to the decompressor in the first and in the largest step. Steps begin small at each stream, because the
#: bytes behind its end are copied back, and then grow.
_FIRST_BITE, _LARGEST_BITE = 256, 64 * 1024
#: Streams in one message. Every sender writes one; thousands of empty ones would only cost time.
_MAX_STREAMS = 16

_REPORT = (
    "GZip Interceptor Report[\n"
    "\tTotal Messages: %d\n"
    "\tTx Messages Compressed: %d\n"
    "\tTx Messages Uncompressed: %d\n"
    "\tRx Messages Compressed: %d\n"
    "\tRx Messages Uncompressed: %d\n"
    "\tTotal Tx bytes: %d\n"
    "\tCompressed Tx bytes: %d\n"
    "\tUncompressed Tx bytes: %d\n"
    "\tTotal Rx bytes: %d\n"
    "\tCompressed Rx bytes: %d\n"
    "\tUncompressed Rx bytes: %d\n"
    "]"
)


class GzipInterceptor(ChannelInterceptorBase):
    """Compresses messages longer than ``compression_min_size`` and marks them with the option flag.

    The receiver looks only at the flag, so members may have different sizes, but all need this layer with the same
    flag.
    """

    option_flag = Attribute(int, 0x100, doc="Bit that marks compressed messages; the same on all members.")
    compression_min_size = Attribute(int, 0, unit="bytes", doc="Messages up to this length are sent as they are.")
    stats_enabled = Attribute(bool, False, doc="Count messages and bytes.")
    interval = Attribute(int, 0, doc="With statistics, log a report every so many messages; 0 never.")
    max_size = Attribute(
        int,
        256 * 1024 * 1024,
        unit="bytes",
        doc="Largest message after decompression; a small message can claim to be very large.",
    )

    #: Java spells RX and TX in capitals.
    bean_names: ClassVar[dict[str, str]] = {
        f"{name}{end}": f"{name}{end.upper()}"
        for name in (
            "countCompressed", "countUncompressed", "size", "compressedSize", "uncompressedSize",
        )
        for end in ("Rx", "Tx")
    }  # fmt: skip

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._lock = threading.Lock()  # any thread sends messages
        self.reset()

    @operation
    def reset(self) -> None:
        """Set all counters to 0."""
        self.count = 0
        self.count_compressed_tx = self.count_uncompressed_tx = 0
        self.count_compressed_rx = self.count_uncompressed_rx = 0
        self.size_tx = self.compressed_size_tx = self.uncompressed_size_tx = 0
        self.size_rx = self.compressed_size_rx = self.uncompressed_size_rx = 0

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send the message, compressed if it is long enough."""
        data = message.data
        if len(data) > self.compression_min_size:
            sent = message.with_data(compress(data), message.options | self.option_flag)
        else:
            sent = message.with_data(data, message.options & ~self.option_flag)
        if self.stats_enabled:
            self._count_sent(len(data), len(sent.data), sent.options)
        super().send_message(to, sent, delivery)

    def message_received(self, message: ChannelMessage) -> None:
        """Deliver the message in its original form; log and drop one that cannot be decompressed, as Tomcat does."""
        data = message.data
        if message.options & self.option_flag:
            try:
                data = decompress(data, self.max_size)
            except ProtocolError as exc:
                log.error("Unable to decompress byte contents of a message from %s: %s", message.address, exc)
                return
        if self.stats_enabled:
            self._count_received(len(message.data), len(data), message.options)
        super().message_received(message.with_data(data))

    def _count_sent(self, plain: int, sent: int, options: int) -> None:
        with self._lock:
            self.size_tx += plain
            if options & self.option_flag:
                self.count_compressed_tx += 1
                self.compressed_size_tx += sent
            else:
                self.count_uncompressed_tx += 1
                self.uncompressed_size_tx += sent
            due = self._count_message()
        if due:
            self.report()

    def _count_received(self, received: int, plain: int, options: int) -> None:
        with self._lock:
            self.size_rx += plain
            if options & self.option_flag:
                self.count_compressed_rx += 1
                self.compressed_size_rx += received
            else:
                self.count_uncompressed_rx += 1
                self.uncompressed_size_rx += received
            due = self._count_message()
        if due:
            self.report()

    def _count_message(self) -> bool:
        self.count += 1
        return self.interval > 0 and self.count % self.interval == 0

    @operation
    def report(self) -> None:
        """Log the counters."""
        log.info(
            _REPORT,
            self.count,
            self.count_compressed_tx,
            self.count_uncompressed_tx,
            self.count_compressed_rx,
            self.count_uncompressed_rx,
            self.size_tx,
            self.compressed_size_tx,
            self.uncompressed_size_tx,
            self.size_rx,
            self.compressed_size_rx,
            self.uncompressed_size_rx,
        )


def compress(data: bytes) -> bytes:
    """A gzip stream with the head that Java writes."""
    deflate = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(
        (_HEAD, deflate.compress(data), deflate.flush(), _TAIL.pack(zlib.crc32(data), len(data) & 0xFFFFFFFF))
    )


def decompress(data: bytes, limit: int) -> bytes:
    """The content of one or several gzip streams, in time linear to its size.

    Raises:
        ProtocolError: the data is no gzip stream, or is cut off.
        LimitError: the content exceeds ``limit`` bytes, or there are more than 16 streams.
    """
    parts: list[bytes] = []
    size = at = 0
    for _ in range(_MAX_STREAMS):
        at, size = _inflate(memoryview(data), at, size, limit, parts)
        if at == len(data):
            return b"".join(parts)
    raise LimitError(f"more than {_MAX_STREAMS} gzip streams in a message of {len(data)} bytes")


def _inflate(data: memoryview, at: int, size: int, limit: int, parts: list[bytes]) -> tuple[int, int]:
    """Append the content of the stream at ``at`` to ``parts``, which has ``size`` bytes; returns the stream's end and
    the new size.
    """
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    bite = _FIRST_BITE
    part = b""
    rest: bytes | memoryview = b""
    while not inflate.eof:
        if not rest and at == len(data) and not part:
            raise ProtocolError("gzip stream ends too early" if len(data) else "empty gzip stream")
        if not rest:
            rest = data[at : at + bite]
            at += len(rest)
            bite = min(2 * bite, _LARGEST_BITE)
        try:
            part = inflate.decompress(rest, min(_STEP, limit - size + 1))
        except zlib.error as exc:
            raise ProtocolError(f"no gzip stream: {exc}") from exc
        rest = inflate.unconsumed_tail
        size += len(part)
        if size > limit:
            raise LimitError(f"decompressed message of more than {limit} bytes")
        if part:
            parts.append(part)
    return at - len(inflate.unused_data), size
