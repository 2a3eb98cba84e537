"""Files that are still being copied."""

from __future__ import annotations

import os

import pytest

from catalina.deploy.settling import ABSENT, Settling, stamp_of, tree_of
from tests.deploy.archives import make_zip


@pytest.fixture
def whole(tmp_path):
    return make_zip(tmp_path / "w/a.zip", {"a": "x" * 1000, "b": "y"})


def test_a_copy_counts_when_it_has_been_quiet(whole):
    settling, wall = Settling(quiet=1, given_up=5), os.stat(whole).st_mtime
    assert not settling.is_complete(str(whole), 100.0, wall)
    assert not settling.is_complete(str(whole), 100.9, wall + 0.9)
    assert settling.is_complete(str(whole), 101.0, wall + 1.0)


def test_an_old_file_need_not_be_waited_for(whole):
    assert Settling(quiet=1).is_complete(str(whole), 100.0, os.stat(whole).st_mtime + 3600)


def test_a_change_starts_the_wait_anew(whole):
    settling, wall = Settling(quiet=1, given_up=5), os.stat(whole).st_mtime
    settling.is_complete(str(whole), 100.0, wall)
    with open(whole, "ab") as sink:
        sink.write(b"more")
    os.utime(whole, (wall + 0.9, wall + 0.9))
    assert not settling.is_complete(str(whole), 101.0, wall + 1.0)


def test_half_a_copy_that_stalls_is_not_complete_until_it_counts_as_broken(whole):
    half, wall = whole.read_bytes()[:40], os.stat(whole).st_mtime
    whole.write_bytes(half)
    os.utime(whole, (wall, wall))
    settling = Settling(quiet=1, given_up=5)
    assert [settling.is_complete(str(whole), 100.0 + after, wall + after) for after in (0, 2, 4.9, 5)] == [
        False, False, False, True,
    ]  # fmt: skip


def test_a_file_that_goes_is_forgotten(whole):
    settling, wall = Settling(quiet=1), os.stat(whole).st_mtime
    settling.is_complete(str(whole), 100.0, wall)
    data = whole.read_bytes()
    whole.unlink()
    assert not settling.is_complete(str(whole), 101.0, wall + 1)
    whole.write_bytes(data)
    os.utime(whole, (wall + 2, wall + 2))
    assert not settling.is_complete(str(whole), 102.0, wall + 2)


def test_a_directory_counts_only_with_its_time(tmp_path):
    stamp = stamp_of(str(tmp_path))
    assert stamp is not None
    assert (stamp.size, stamp.inode) == (0, 0)
    assert stamp_of(str(tmp_path / "none")) is None


def test_every_change_below_a_directory_is_another_state(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("x")
    seen = [tree_of(str(tmp_path))]
    (tmp_path / "a/b/c").write_text("xx")
    seen.append(tree_of(str(tmp_path)))
    (tmp_path / "a/d").mkdir()
    seen.append(tree_of(str(tmp_path)))
    (tmp_path / "a/b/c").unlink()
    seen.append(tree_of(str(tmp_path)))
    assert len(set(seen)) == len(seen)
    (tmp_path / "a/__pycache__").mkdir()
    (tmp_path / "a/__pycache__/x.pyc").touch()
    assert tree_of(str(tmp_path)) == seen[-1]
    assert tree_of(str(tmp_path / "nothing")) == ABSENT


def test_a_tree_settles_when_nothing_in_it_changes(tmp_path):
    (tmp_path / "a").write_text("x")
    settling, tree = Settling(quiet=0.5), tree_of(str(tmp_path))
    written = tree.newest_ns / 1e9
    assert not settling.tree_is_quiet("t", tree, now=0.0, wall=written + 0.1)
    assert not settling.tree_is_quiet("t", tree, now=0.9, wall=written + 0.9)
    assert settling.tree_is_quiet("t", tree, now=1.0, wall=written)
    assert settling.tree_is_quiet("other", tree, now=5.0, wall=written + 1.0)
    settling.forget("t")
    assert not settling.tree_is_quiet("t", tree, now=2.0, wall=written)


def test_an_empty_directory_counts_by_its_own_time(tmp_path):
    (tmp_path / "new").mkdir()
    tree = tree_of(str(tmp_path / "new"))
    assert tree.newest_ns > 0
    assert not Settling(quiet=0.5).tree_is_quiet("t", tree, 0.0, tree.newest_ns / 1e9)


def test_a_name_that_leads_nowhere_is_nothing(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert stamp_of(str(tmp_path / "loop")) is None
    assert stamp_of(str(tmp_path / ("x" * 300))) is None


def test_a_zip_that_breaks_its_reader_in_any_way_is_not_complete(tmp_path, monkeypatch):
    def refuse(path):
        raise MemoryError

    monkeypatch.setattr("catalina.deploy.settling.zipfile.ZipFile", refuse)
    file = tmp_path / "a.war"
    file.write_bytes(b"PK")
    settling, written = Settling(quiet=0.1, given_up=5.0), file.stat().st_mtime
    assert not settling.is_complete(str(file), 0.0, written)
    assert not settling.is_complete(str(file), 1.0, written + 1.0)
    assert settling.is_complete(str(file), 9.0, written + 9.0), "then it is looked at, and said to be broken"
