"""Zips from outside, good and hostile."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.deploy.unpacking import UnpackLimits, unpack
from catalina.errors import DeploymentError
from tests.deploy.archives import make_zip


def link(archive: zipfile.ZipFile, name: str, target: str) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, target)


def refused(file: Path, target: Path, **limits: int) -> str:
    with pytest.raises(DeploymentError) as error:
        unpack(str(file), str(target), UnpackLimits(**limits))
    assert not target.exists()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_and_directories_are_unpacked_with_their_content(tmp_path):
    file = make_zip(tmp_path / "a.zip", {"a/b/c.txt": "hello", "d/": "", "e": b"\0\1"})
    unpack(str(file), str(tmp_path / "out"))
    assert (tmp_path / "out/a/b/c.txt").read_text() == "hello"
    assert (tmp_path / "out/d").is_dir()
    assert (tmp_path / "out/e").read_bytes() == b"\0\1"


def test_times_are_those_of_the_archive_wherever_the_node_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a", (2020, 1, 2, 3, 4, 6)), "x")
    unpack(str(tmp_path / "a.zip"), str(tmp_path / "out"))
    assert os.stat(tmp_path / "out/a").st_mtime == 1577934246


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "a/./x", "a//x", "C:/x", "a\\..\\x", "a\nx", "a" * 256, "a/../b", ".."]
)
def test_a_path_that_is_not_plainly_below_the_directory_is_refused(tmp_path, name):
    assert repr(name)[1:8] in refused(make_zip(tmp_path / "a.zip", {name: "x"}), tmp_path / "out")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "b/../../../x", ""])
def test_a_link_that_leaves_the_directory_is_refused(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link(archive, "a/l" if target != "../x" else "l", target)
    refused(tmp_path / "a.zip", tmp_path / "out")


def test_links_that_leave_the_directory_only_together_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("top/f", "x")
        link(archive, "p/q/r/up", "../../../top")
        link(archive, "p/q/r/out", "up/../../secret")
    (tmp_path / "secret").write_text("s")
    assert "leaves" in refused(tmp_path / "a.zip", tmp_path / "out")


def test_a_file_cannot_be_written_through_a_link(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link(archive, "a", "..")
        archive.writestr("a/x", "x")
    refused(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "x").exists()


def test_a_link_inside_the_directory_is_made(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/f", "x")
        link(archive, "b/l", "../a/f")
    unpack(str(tmp_path / "a.zip"), str(tmp_path / "out"))
    assert (tmp_path / "out/b/l").read_text() == "x"


def test_a_device_is_refused(tmp_path):
    info = zipfile.ZipInfo("null")
    info.external_attr = (stat.S_IFCHR | 0o666) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "")
    assert "neither file, directory nor link" in refused(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_is_refused_by_what_comes_out(tmp_path):
    file = make_zip(tmp_path / "a.zip", {"zeros": b"\0" * (40 * 2**20)})
    assert "more than 200 times" in refused(file, tmp_path / "out")


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path):
    file = make_zip(tmp_path / "a.zip", {"zeros": b"\0" * 2**20})
    data = bytearray(file.read_bytes())
    directory = data.rindex(b"PK\1\2")
    data[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")  # uncompressed size
    file.write_bytes(data)
    refused(file, tmp_path / "out", max_bytes=2000)


def test_a_small_archive_may_compress_well(tmp_path):
    unpack(str(make_zip(tmp_path / "a.zip", {"zeros": b"\0" * 2**20})), str(tmp_path / "out"))
    assert (tmp_path / "out/zeros").stat().st_size == 2**20


def test_limits_of_bytes_and_entries_are_kept(tmp_path):
    file = make_zip(tmp_path / "a.zip", {"a": "x" * 100, "b": "y" * 100})
    assert "more than 150 bytes unpacked, at 'b'" in refused(file, tmp_path / "out", max_bytes=150)
    assert "2 entries, limit 1" in refused(file, tmp_path / "out", max_files=1)


def test_a_name_that_is_file_and_directory_is_refused(tmp_path):
    assert "both file and directory" in refused(make_zip(tmp_path / "a.zip", {"a": "x", "a/b": "y"}), tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4" + b"x" * 100, b"PK\5\6" + b"\0" * 17])
def test_what_is_no_zip_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "a.zip"
    file.write_bytes(content)
    assert "not a usable zip archive" in refused(file, tmp_path / "out")


@given(st.data())
def test_a_damaged_archive_unpacks_or_is_refused_and_leaves_nothing(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("damaged")
    file = make_zip(directory / "a.zip", {"a/b": "hello " * 20, "c": "world"})
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        unpack(str(file), str(directory / "out"))
    except DeploymentError:
        assert not (directory / "out").exists()
    assert {each.name for each in directory.iterdir()} <= {"a.zip", "out"}


def test_entries_can_be_left_out_and_moved(tmp_path):
    file = make_zip(tmp_path / "a.zip", {"a": "1", "b": "2"})
    unpack(str(file), str(tmp_path / "out"), rename=lambda name: None if name == "a" else f"x/{name}")
    assert [str(each.relative_to(tmp_path / "out")) for each in (tmp_path / "out").rglob("*")] == ["x", "x/b"]


def test_a_link_behind_a_link_makes_nothing_outside(tmp_path):
    (tmp_path / "outside").mkdir()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        link(archive, "x", "y/z")
        link(archive, "y/z", "..")
        link(archive, "x/new/deep/c", "d")
    refused(tmp_path / "b.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link(archive, "d/e/up", "../../d")
        link(archive, "d/e/out", "up/../../outside")
        link(archive, "d/e/out/new/c", "c")
    assert "behind another link" in refused(tmp_path / "a.zip", tmp_path / "out")
    assert os.listdir(tmp_path / "outside") == []
    assert sorted(os.listdir(tmp_path)) == ["a.zip", "b.zip", "outside"]


@pytest.mark.parametrize("target", ["a\0b", "a\nb", "\udc80", "x" * 4097])
def test_a_link_to_what_is_no_path_is_refused(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link(archive, "l", target.encode("utf-8", "surrogatepass"))
    refused(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("date", [(2020, 13, 1), (2020, 2, 31), (2020, 0, 0), (2107, 15, 31)])
def test_a_date_that_there_is_not_counts_as_none(tmp_path, date):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a", (*date, 0, 0, 0)), "x")
    unpack(str(tmp_path / "a.zip"), str(tmp_path / "out"))
    assert (tmp_path / "out/a").exists()


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), ValueError("odd"), KeyError("k")])
def test_whatever_an_archive_makes_its_reader_raise_is_its_own_refusal(tmp_path, error):
    file = make_zip(tmp_path / "a.zip", {"a": "x"})

    def rename(name):
        raise error

    with pytest.raises(DeploymentError, match=f"{type(error).__name__}|deep"):
        unpack(str(file), str(tmp_path / "out"), rename=rename)
    assert not (tmp_path / "out").exists()
