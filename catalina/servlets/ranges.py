"""Range and Content-Range (RFC 9110 section 14; Tomcat: DefaultServlet.parseRange, util/http/parser/Ranges.java)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.webresources.resource import Resource

__all__ = [
    "ByteRange",
    "ContentRange",
    "UnsatisfiableError",
    "multipart_type",
    "parse_content_range",
    "parse_ranges",
    "range_blocks",
]

#: Java's largest long; a number past it is no position.
MAX_POSITION = 2**63 - 1

_UNIT = re.compile(r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=")
#: A part without blanks around it; between two repeats of blanks there is always a character that is none.
_RANGE = re.compile(r"(\d{0,19})[ \t]*-[ \t]*(\d{0,19})", re.ASCII)
_CONTENT_RANGE = re.compile(
    r"[ \t]*bytes[ \t]+(\d{1,19})[ \t]*-[ \t]*(\d{1,19})[ \t]*/[ \t]*(\d{1,19})[ \t]*", re.ASCII | re.IGNORECASE
)
BOUNDARY = "CATALINA_MIME_BOUNDARY"
END = f"\r\n--{BOUNDARY}--".encode()
BLOCK = 64 * 1024


class UnsatisfiableError(ValueError):
    """The Range field is malformed, lies outside the file, or asks for the same bytes twice: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``start`` to ``end``, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The place of a partial PUT's body in a file that then has ``size`` bytes."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """Number of bytes the body must have."""
        return self.end - self.start + 1


def parse_ranges(field: str, size: int) -> list[ByteRange] | None:
    """The ranges that a client asks for in a file of ``size`` bytes; None for another unit than bytes, which means the
    whole file.

    Raises:
        UnsatisfiableError: see there.
    """
    unit = _UNIT.match(field)
    if unit is None:
        raise UnsatisfiableError(field)
    # Tomcat looks at the form first, of any unit.
    positions = [_positions(part) for part in field[unit.end() :].split(",")]
    if unit[1].lower() != "bytes":
        return None
    ranges = [_in_file(start, end, size) for start, end in positions]
    if _overlaps(ranges) > 1:
        raise UnsatisfiableError(field)
    return ranges


def _overlaps(ranges: list[ByteRange]) -> int:
    """The number of ranges that begin inside another one; many make the server send far more than the file contains."""
    count, reached = 0, -1
    for one in sorted(ranges, key=lambda each: each.start):
        count += one.start <= reached
        reached = max(reached, one.end)
    return count


def _positions(part: str) -> tuple[int | None, int | None]:
    """``first-last``, ``first-`` or ``-count`` as numbers."""
    match = _RANGE.fullmatch(part.strip(" \t"))
    if match is None or (not match[1] and not match[2]):
        raise UnsatisfiableError(part)
    start, end = (int(group) if group else None for group in match.groups())
    if max(start or 0, end or 0) > MAX_POSITION or (start is not None and end is not None and start > end):
        raise UnsatisfiableError(part)
    return start, end


def _in_file(start: int | None, end: int | None, size: int) -> ByteRange:
    """The bytes of a file that a range stands for."""
    if start is None:
        start, end = max(0, size - (end or 0)), None
    last = size - 1 if end is None else min(end, size - 1)
    if start > last:
        raise UnsatisfiableError(f"{start}-{last} of {size} bytes")
    return ByteRange(start, last)


def parse_content_range(field: str) -> ContentRange:
    """Parse the place of a partial PUT.

    Raises:
        ValueError: it is not ``bytes first-last/size``, or the numbers make no range.
    """
    match = _CONTENT_RANGE.fullmatch(field)
    if match is None:
        raise ValueError(f"expected bytes first-last/size, got {field[:200]!r}")
    start, end, size = (int(group) for group in match.groups())
    if not start <= end < size <= MAX_POSITION:
        raise ValueError(f"no range: {field[:200]!r}")
    return ContentRange(start, end, size)


def multipart_type() -> str:
    """The Content-Type of a body with several ranges (RFC 9110 section 14.6)."""
    return f"multipart/byteranges; boundary={BOUNDARY}"


def range_blocks(entity: Resource, ranges: list[ByteRange], content_type: str | None) -> tuple[Iterator[bytes], int]:
    """The body with several ranges of a file, and its length in bytes (Tomcat: DefaultServlet.copy with Ranges)."""
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
