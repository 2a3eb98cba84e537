"""Changes in the watched directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.ha.deploy.war_watcher import WarWatcher
from tests.deploy.archives import make_zip


@pytest.fixture
def watcher(tmp_path):
    (tmp_path / "listen").mkdir()
    watcher = WarWatcher(str(tmp_path / "listen"))
    watcher.settling.quiet = 0.0
    return watcher


def put(watcher, name="a.war", content="x"):
    return make_zip(Path(watcher.directory) / name, {content: ""})


def test_new_and_changed_archives_are_told_once(watcher):
    put(watcher)
    assert watcher.look() == ["a.war"]
    assert watcher.look() == []
    put(watcher, content="y")
    assert watcher.look() == ["a.war"]


def test_other_files_and_hidden_ones_are_none(watcher):
    put(watcher, "notes.txt")
    put(watcher, ".a.war")
    assert watcher.look() == []


def test_an_archive_that_is_being_copied_waits(watcher):
    watcher.settling.quiet = 60.0
    put(watcher)
    assert watcher.look() == []
    assert watcher.unsettled


def test_a_file_is_gone_when_it_stays_away(watcher):
    file = put(watcher)
    watcher.look()
    assert not watcher.is_gone("a.war")
    file.unlink()
    watcher.settling.quiet = 60.0
    assert not watcher.is_gone("a.war")
    assert watcher.unsettled
    watcher.settling.quiet = 0.0
    assert watcher.is_gone("a.war")


def test_a_directory_that_is_not_there_means_nothing_is_gone(tmp_path):
    watcher = WarWatcher(str(tmp_path / "none"))
    assert watcher.look() == []
    assert not watcher.is_gone("a.war")
