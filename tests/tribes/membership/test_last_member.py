"""The member of the process before."""

from __future__ import annotations

from catalina.tribes.membership.last_member import LastMember
from tests.tribes.fakes import a_member


def test_the_last_member_is_remembered_until_it_leaves_in_order(tmp_path):
    directory = str(tmp_path / "new" / "directory")
    LastMember(directory, 4000).store(a_member(1))
    assert LastMember(directory, 4000).load() == a_member(1)
    LastMember(directory, 4000).forget()
    assert LastMember(directory, 4000).load() is None


def test_each_port_has_its_own(tmp_path):
    LastMember(str(tmp_path), 4000).store(a_member(1))
    assert LastMember(str(tmp_path), 4001).load() is None


def test_a_damaged_file_is_reported_and_ignored(tmp_path, caplog):
    last = LastMember(str(tmp_path), 4000)
    last.path.write_bytes(b"rubbish")
    assert last.load() is None
    assert str(last.path) in caplog.text


def test_a_directory_that_cannot_be_written_is_reported(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    LastMember(str(tmp_path / "file"), 4000).store(a_member(1))
    assert "cannot remember the local member" in caplog.text


def test_a_file_that_cannot_be_removed_is_reported(tmp_path, caplog):
    last = LastMember(str(tmp_path), 4000)
    last.path.mkdir()
    last.forget()
    assert "cannot be removed" in caplog.text
