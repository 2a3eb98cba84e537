"""Range and Content-Range (RFC 9110 section 14; Tomcat: DefaultServlet.parseRange, util/http/parser/Ranges.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ByteRange", "UnsatisfiableError", "parse_content_range", "parse_ranges"]

_RANGE = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)
_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18})\s*", re.ASCII)


class UnsatisfiableError(ValueError):
    """The Range field is malformed, lies outside of the file, or asks for the same bytes twice: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``start`` to ``end``, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.end - self.start + 1


def parse_ranges(field: str, size: int) -> list[ByteRange] | None:
    """The ranges a client wants of a file of ``size`` bytes; None for another unit than bytes: the whole file.

    Raises:
        UnsatisfiableError: see there.
    """
    unit, equals, rest = field.partition("=")
    if not equals:
        raise UnsatisfiableError(field)
    if unit.strip().lower() != "bytes":
        return None
    ranges = [_parse_range(part, size) for part in rest.split(",")]
    if _overlaps(ranges) > 1:
        raise UnsatisfiableError(field)
    return ranges


def _overlaps(ranges: list[ByteRange]) -> int:
    """How many ranges begin inside another one; many make the server send much more than the file has."""
    count, reached = 0, -1
    for one in sorted(ranges, key=lambda each: each.start):
        count += one.start <= reached
        reached = max(reached, one.end)
    return count


def _parse_range(part: str, size: int) -> ByteRange:
    match = _RANGE.fullmatch(part)
    if match is None or (not match[1] and not match[2]):
        raise UnsatisfiableError(part)
    if not match[1]:
        start, end = max(0, size - int(match[2])), size - 1
    else:
        start = int(match[1])
        end = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < start:
            raise UnsatisfiableError(part)
    if start > end or start >= size:
        raise UnsatisfiableError(part)
    return ByteRange(start, end)


def parse_content_range(field: str) -> ByteRange:
    """Where a partial PUT belongs.

    Raises:
        ValueError: it is not ``bytes first-last/size``, or the numbers make no range.
    """
    match = _CONTENT_RANGE.fullmatch(field)
    if match is None:
        raise ValueError(f"expected bytes first-last/size, got {field!r}")
    start, end, size = (int(group) for group in match.groups())
    if not start <= end < size:
        raise ValueError(f"no range: {field!r}")
    return ByteRange(start, end)
