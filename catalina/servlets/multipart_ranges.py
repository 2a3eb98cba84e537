"""Several ranges of a file in one body (RFC 9110 section 14.6; Tomcat: DefaultServlet.copy with Ranges)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.servlets.ranges import ByteRange

if TYPE_CHECKING:
    from catalina.webresources.resource import Resource

__all__ = ["multipart_type", "range_blocks"]

BOUNDARY = "CATALINA_MIME_BOUNDARY"
END = f"\r\n--{BOUNDARY}--".encode()
BLOCK = 64 * 1024


def multipart_type() -> str:
    """The Content-Type of such a body."""
    return f"multipart/byteranges; boundary={BOUNDARY}"


def range_blocks(entity: Resource, ranges: list[ByteRange], content_type: str | None) -> tuple[Iterator[bytes], int]:
    """The body and its length in bytes."""
    heads = [_head(one, entity.size, content_type) for one in ranges]
    length = sum(len(head) + one.length for head, one in zip(heads, ranges, strict=True)) + len(END)
    return _blocks(entity, ranges, heads), length


def _head(one: ByteRange, size: int, content_type: str | None) -> bytes:
    kind = f"Content-Type: {content_type}\r\n" if content_type is not None else ""
    return f"\r\n--{BOUNDARY}\r\n{kind}Content-Range: bytes {one.start}-{one.end}/{size}\r\n\r\n".encode("latin-1")


def _blocks(entity: Resource, ranges: list[ByteRange], heads: list[bytes]) -> Iterator[bytes]:
    with entity.open() as stream:
        for one, head in zip(ranges, heads, strict=True):
            yield head
            stream.seek(one.start)
            left = one.length
            while left > 0:
                data = stream.read(min(left, BLOCK))
                if not data:
                    raise OSError(f"{entity.path} has become shorter while it was sent")
                left -= len(data)
                yield data
    yield END
