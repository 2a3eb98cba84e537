"""Content codings of responses (Tomcat: coyote/CompressionConfig.java)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalina.java_pattern import pattern

if TYPE_CHECKING:
    from catalina.connector.outlet import Encoder
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol

__all__ = ["Compression", "acceptable_codings"]

#: The middle levels, as in gzip and nginx: higher ones cost CPU of the loop for a few percent.
GZIP_LEVEL, BROTLI_QUALITY, ZSTD_LEVEL = 6, 4, 3

_QUALITY = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*(?:;\s*q\s*=\s*([0-9.]{1,5})\s*)?")


class _Gzip:
    """gzip through zlib."""

    def __init__(self) -> None:
        self._encoder = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def compress(self, data: bytes) -> bytes:
        return self._encoder.compress(data)

    def flush(self) -> bytes:
        return self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._encoder.flush()


class _Brotli:
    """br, where the brotli package is installed."""

    def __init__(self) -> None:
        import brotli

        self._encoder: Any = brotli.Compressor(quality=BROTLI_QUALITY)

    def compress(self, data: bytes) -> bytes:
        return bytes(self._encoder.process(data))

    def flush(self) -> bytes:
        return bytes(self._encoder.flush())

    def finish(self) -> bytes:
        return bytes(self._encoder.finish())


class _Zstandard:
    """zstd, where the zstandard package is installed."""

    def __init__(self) -> None:
        import zstandard

        self._flush_block: int = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        self._encoder: Any = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()

    def compress(self, data: bytes) -> bytes:
        return bytes(self._encoder.compress(data))

    def flush(self) -> bytes:
        return bytes(self._encoder.flush(self._flush_block))

    def finish(self) -> bytes:
        return bytes(self._encoder.flush())


def _available() -> dict[str, Callable[[], Encoder]]:
    """Codings in the order of our preference: the one with the smaller result comes first."""
    found: dict[str, Callable[[], Encoder]] = {}
    for name, encoder in (("br", _Brotli), ("zstd", _Zstandard)):
        try:
            encoder()
        except ImportError:
            continue
        found[name] = encoder
    found["gzip"] = _Gzip
    return found


def acceptable_codings(field: str) -> dict[str, float]:
    """``gzip;q=0.5, br`` -> coding and its weight; unreadable items are left out (RFC 9110 section 12.5.3).

    The higher weight of a coding that is named twice counts, and ``*`` asks for none, as in Tomcat.
    """
    codings: dict[str, float] = {}
    for part in field.split(","):
        match = _QUALITY.fullmatch(part)
        if match is None:
            continue
        try:
            weight = float(match[2]) if match[2] else 1.0
        except ValueError:
            continue
        if weight > 1:
            continue
        name = match[1].lower()
        codings[name] = max(weight, codings.get(name, 0.0))
    return codings


class Compression:
    """Decides about one connector's responses.

    Args:
        handler: has the attributes ``compression`` ...
    """

    def __init__(self, handler: Http11NioProtocol) -> None:
        self.forced = handler.compression == "force"
        self.min_size = int(handler.compression) if handler.compression.isdecimal() else handler.compression_min_size
        self.mime_types = tuple(name.lower() for name in handler.compressible_mime_type)
        self.excluded_encodings = frozenset(name.lower() for name in handler.no_compression_encodings)
        self.excluded_agents = pattern(handler.no_compression_user_agents or "")
        self.encoders = _available()

    @classmethod
    def of(cls, handler: Http11NioProtocol) -> Compression | None:
        """None when compression is off."""
        return None if handler.compression == "off" else cls(handler)

    def choose(self, request: Request, response: Response, size: int, complete: bool) -> Encoder | None:
        """The encoder for a response about to be committed, whose header fields are set for it; None to leave it.

        Args:
            size: bytes of the body so far.
            complete: True when that is all of it.
        """
        if not self._may_compress(response, size, complete):
            return None
        _add_vary(response)
        name = self._negotiate(request.headers.get_all("accept-encoding"))
        if name is None or self._is_excluded(request):
            return None
        coding = response.get_header("content-encoding")
        response.set_header("Content-Encoding", name if coding is None else f"{coding}, {name}")
        response.remove_header("Content-Length")
        return self.encoders[name]()

    def _may_compress(self, response: Response, size: int, complete: bool) -> bool:
        coding = response.get_header("content-encoding")
        if coding is not None:
            codings = {part.strip().lower() for part in coding.split(",")}
            if "identity" in codings or not self.excluded_encodings.isdisjoint(codings):
                return False
        if response.get_header("content-range") is not None:
            return False  # its positions count in the plain form
        etag = response.get_header("etag")
        if etag is not None and not etag.lstrip().startswith("W/"):
            return False  # a strong tag names exactly these bytes
        if self.forced:
            return True
        length = size if complete else response.content_length
        if 0 <= length < self.min_size:
            return False
        return (response.content_type or "").strip().lower().startswith(self.mime_types)

    def _is_excluded(self, request: Request) -> bool:
        """True when the client's program cannot cope; with ``force`` no program is excluded."""
        if self.excluded_agents is None or self.forced:
            return False
        agent = request.headers.get("user-agent")
        return agent is not None and self.excluded_agents.fullmatch(agent) is not None

    def _negotiate(self, fields: list[str]) -> str | None:
        accepted: dict[str, float] = {}
        for field in fields:
            for name, weight in acceptable_codings(field).items():
                accepted[name] = max(weight, accepted.get(name, 0.0))
        best = max(accepted.get(name, 0.0) for name in self.encoders)
        if best <= 0:
            return None
        return next(name for name in self.encoders if accepted.get(name, 0.0) == best)


def _add_vary(response: Response) -> None:
    """Add Vary, so that caches keep both forms apart, even when this client gets the plain one."""
    vary = response.get_header("vary")
    if vary is None:
        response.set_header("Vary", "accept-encoding")
    elif vary.strip() != "*" and "accept-encoding" not in (part.strip().lower() for part in vary.split(",")):
        response.set_header("Vary", f"{vary},accept-encoding")
