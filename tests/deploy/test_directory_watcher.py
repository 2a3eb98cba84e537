"""Seeing files come and change, with inotify and without."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalina.deploy import inotify
from catalina.deploy.directory_watcher import DirectoryWatcher
from tests.deploy.test_inotify import no_more


@pytest.fixture
def looks():
    return threading.Semaphore(0)


@pytest.fixture
def watcher(looks):
    watcher = DirectoryWatcher(looks.release, "test-deploy")
    watcher.start()
    yield watcher
    watcher.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "test-deploy"]


@pytest.fixture
def without_inotify(monkeypatch):
    monkeypatch.setattr(inotify, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(inotify.Inotify, "add", no_more)


def see(directory: Path, looks: threading.Semaphore) -> None:
    (directory / "new.war").write_bytes(b"x")
    assert looks.acquire(timeout=10)


def test_a_new_file_causes_a_look(watcher, looks, tmp_path):
    watcher.watch([str(tmp_path)])
    see(tmp_path, looks)
    assert not watcher.is_polling


def test_without_inotify_polling_takes_over_for_all_directories(watcher, looks, tmp_path, without_inotify):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    watcher.watch([str(tmp_path / "one"), str(tmp_path / "two")])
    assert watcher.is_polling
    see(tmp_path / "two", looks)


def test_a_burst_of_changes_causes_few_looks(watcher, looks, tmp_path):
    watcher.watch([str(tmp_path)])
    with open(tmp_path / "big.war", "wb") as copy:
        for _ in range(1000):
            copy.write(b"x" * 1000)
            copy.flush()
    seen = 0
    while looks.acquire(timeout=0.5):
        seen += 1
    assert 1 <= seen < 100


def test_a_directory_no_longer_named_is_no_longer_watched(watcher, looks, tmp_path):
    watcher.watch([str(tmp_path)])
    watcher.watch([])
    (tmp_path / "new.war").write_bytes(b"x")
    assert not looks.acquire(timeout=0.5)


def test_what_is_not_there_is_not_watched_until_it_is(watcher, looks, tmp_path):
    watcher.watch([str(tmp_path / "later")])
    (tmp_path / "later").mkdir()
    watcher.watch([str(tmp_path / "later")])
    see(tmp_path / "later", looks)


def test_work_in_progress_causes_no_look(watcher, looks, tmp_path):
    watcher.watch([str(tmp_path)])
    (tmp_path / ".catalina-unpacking-x").mkdir()
    assert not looks.acquire(timeout=0.5)


def test_a_look_can_be_asked_for(watcher, looks):
    watcher.look_again(0.01)
    assert looks.acquire(timeout=10)


def test_a_watcher_that_never_started_can_be_stopped(looks, tmp_path):
    watcher = DirectoryWatcher(looks.release, "test-deploy")
    watcher.watch([str(tmp_path)])
    watcher.stop()
    watcher.watch([str(tmp_path)])
    (tmp_path / "new.war").touch()
    assert not looks.acquire(timeout=0.3)


def test_a_look_that_fails_is_not_the_last_one(looks, tmp_path, caplog):
    seen = []

    def look() -> None:
        seen.append(1)
        looks.release()
        if len(seen) == 1:
            raise OSError(24, "Too many open files")

    watcher = DirectoryWatcher(look, "test-deploy")
    watcher.start()
    try:
        watcher.watch([str(tmp_path)])
        see(tmp_path, looks)
        (tmp_path / "other.war").touch()
        assert looks.acquire(timeout=10)
    finally:
        watcher.stop()
    assert "A look at changed files failed" in caplog.text
