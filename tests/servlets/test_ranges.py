"""Ranges as tables, and any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.servlets.ranges import (
    ByteRange,
    ContentRange,
    UnsatisfiableError,
    multipart_type,
    parse_content_range,
    parse_ranges,
    range_blocks,
)
from catalina.webresources.resource import FileResource


@pytest.mark.parametrize(
    ("field", "ranges"),
    [
        ("bytes=1-2", [(1, 2)]),
        ("bytes=0-", [(0, 5)]),
        ("bytes=0-100", [(0, 5)]),
        ("bytes=-2", [(4, 5)]),
        ("bytes=-100", [(0, 5)]),
        ("Bytes = 1 - 2", [(1, 2)]),
        ("bytes=1-2,4-4", [(1, 2), (4, 4)]),
        ("bytes=4-4, 1-2", [(4, 4), (1, 2)]),
        ("bytes=0-5,0-5", [(0, 5), (0, 5)]),
        ("items=1-2", None),
    ],
)
def test_ranges_of_six_bytes(field: str, ranges: list[tuple[int, int]] | None) -> None:
    expected = None if ranges is None else [ByteRange(*each) for each in ranges]
    assert parse_ranges(field, 6) == expected


@pytest.mark.parametrize(
    "field",
    ["bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "bytes=6-", "bytes=9-9", "bytes=-0", "bytes=1-2,",
     "bytes=1-2,9-9", "bytes=0-5,0-5,0-5", "bytes=0-9,1-2,3-4", "bytes=0-1,1-2,2-3", "bytes=1--2", "bytes=1",
     "bytes=" + "9" * 30 + "-", "unknown=", "items=a-b", "bytes=9223372036854775808-", "by tes=1-2", "=1-2"],
)  # fmt: skip
def test_what_cannot_be_satisfied(field: str) -> None:
    with pytest.raises(UnsatisfiableError):
        parse_ranges(field, 6)


@given(st.text("bytes=0123456789-, ", max_size=40) | st.text(max_size=20), st.integers(1, 50))
def test_any_text_gives_ranges_inside_the_file_or_the_documented_error(field: str, size: int) -> None:
    try:
        ranges = parse_ranges(field, size)
    except UnsatisfiableError:
        return
    assert ranges is None or all(0 <= one.start <= one.end < size for one in ranges)


@given(st.text("bytes=0123456789-, ", max_size=60))
def test_the_parts_of_a_file_are_at_most_twice_the_file(field: str) -> None:
    try:
        ranges = parse_ranges("bytes=" + field, 30) or []
    except UnsatisfiableError:
        return
    assert sum(one.length for one in ranges) <= 60


def test_many_ranges_are_judged_quickly() -> None:
    field = "bytes=" + ",".join(f"{number * 2}-{number * 2}" for number in range(2000))
    assert len(parse_ranges(field, 10_000) or ()) == 2000


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes 1-2/3", ContentRange(1, 2, 3)),
        ("ByteS  0-0/1 ", ContentRange(0, 0, 1)),
        ("bytes 0 - 0 / 9", ContentRange(0, 0, 9)),
    ],
)
def test_where_a_partial_put_belongs(field: str, expected: ContentRange) -> None:
    assert parse_content_range(field) == expected


@pytest.mark.parametrize(
    "field",
    [
        "",
        "bytes 2-1/3",
        "bytes 1-3/3",
        "bytes */3",
        "bytes 1-2/*",
        "items 1-2/3",
        "bytes=1-2",
        "bytes 0-1/9223372036854775808",
    ],
)
def test_a_content_range_that_makes_no_sense(field: str) -> None:
    with pytest.raises(ValueError, match=r"range|bytes"):
        parse_content_range(field)


@pytest.mark.parametrize("part", [" " * 300_000 + "x", "1" + " " * 300_000 + "x", "-" + " " * 300_000 + "x"])
def test_long_blanks_cost_no_more_than_their_length(part: str) -> None:
    """A pattern that tries every way to share them out would take half an hour for this."""
    with pytest.raises(UnsatisfiableError):
        parse_ranges(f"bytes={part}", 6)
    with pytest.raises(ValueError, match="expected bytes"):
        parse_content_range(f"bytes {part}")


def test_the_body_has_the_length_it_says_and_the_form_of_tomcat(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    entity = FileResource.of("/a.txt", tmp_path / "a.txt")
    blocks, length = range_blocks(entity, [ByteRange(1, 2), ByteRange(4, 4)], "text/plain")
    body = b"".join(blocks)
    assert len(body) == length
    assert body == (
        b"\r\n--CATALINA_MIME_BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 1-2/6\r\n\r\nel"
        b"\r\n--CATALINA_MIME_BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-4/6\r\n\r\no"
        b"\r\n--CATALINA_MIME_BOUNDARY--"
    )
    assert multipart_type().endswith("CATALINA_MIME_BOUNDARY")


def test_a_file_that_becomes_shorter_is_an_error_not_a_short_body(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    entity = FileResource.of("/a.txt", tmp_path / "a.txt")
    blocks, _ = range_blocks(entity, [ByteRange(0, 5)], None)
    (tmp_path / "a.txt").write_text("h")
    with pytest.raises(OSError, match="shorter"):
        list(blocks)
