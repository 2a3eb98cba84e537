"""Several ranges in one body."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.servlets.multipart_ranges import multipart_type, range_blocks
from catalina.servlets.ranges import ByteRange
from catalina.webresources.resource import FileResource


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
