"""The facts about one file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from catalina.webresources.resource import ArchiveResource, FileResource, Resource


def test_the_tag_is_made_of_size_and_time_as_in_tomcat(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello\n")
    os.utime(file, ns=(0, 1_795_500_698_879_999_999))
    found = FileResource.of("/a.txt", file)
    assert found.etag == 'W/"6-1795500698879"'
    assert (found.name, found.is_file, found.can_read, found.read()) == ("a.txt", True, True, b"hello\n")


def test_the_strong_tag_is_a_hash_of_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello\n")
    assert FileResource.of("/a.txt", file).strong_etag == f'"{hashlib.sha256(b"hello" + bytes([10])).hexdigest()}"'


def test_what_does_not_exist_says_so_and_cannot_be_opened(tmp_path: Path) -> None:
    found = FileResource.of("/nope", tmp_path / "nope")
    assert (found.exists, found.can_read) == (False, False)
    with pytest.raises(FileNotFoundError):
        found.open()


def test_a_name_that_no_file_can_have_is_not_there(tmp_path: Path) -> None:
    assert not FileResource.of("/a\0b", tmp_path / "a\0b").exists


def test_pipes_and_devices_are_nothing_to_serve(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not FileResource.of("/pipe", tmp_path / "pipe").exists


def test_an_entry_of_an_archive_is_read_from_it(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with ZipFile(archive, "w") as made:
        made.writestr("x/y.txt", "inside")
    found = ArchiveResource("/y.txt", 6, exists=True, is_file=True, archive=archive, entry="x/y.txt")
    assert found.read() == b"inside"
    archive.write_bytes(b"no zip")
    with pytest.raises(OSError, match="cannot read"):
        found.open()


def test_the_name_of_a_directory_has_no_slash() -> None:
    assert Resource("/a/b/").name == "b"
