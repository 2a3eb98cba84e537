"""The content of the cache, its time and its size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalina.webresources import resource_cache
from catalina.webresources.resource import FileResource, Resource
from catalina.webresources.resource_cache import ResourceCache


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(resource_cache, "time", clock)
    return clock


class Counting:
    """Looks into a directory, counts the looks."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.looks = 0

    def __call__(self, path: str) -> Resource:
        self.looks += 1
        return FileResource.of(path, self.directory / path[1:])


@pytest.mark.parametrize("path", ["/a.txt", "/nope"])
def test_within_the_time_to_live_nobody_looks_at_the_file_system(application: Path, clock: Clock, path: str) -> None:
    find = Counting(application)
    cache = ResourceCache(find, 5, 10_000, 1000)
    for seconds in (100, 101, 104.9):
        clock.now = seconds
        cache.get(path)
    assert (find.looks, cache.lookups, cache.hits) == (1, 3, 2)
    clock.now = 105.1
    cache.get(path)
    assert find.looks == 2


def test_the_content_of_a_small_file_is_kept_while_the_file_does_not_change(application: Path, clock: Clock) -> None:
    cache = ResourceCache(Counting(application), 5, 100_000, 1000)
    assert cache.content(cache.get("/a.txt")) == b"a"
    assert cache.get("/a.txt").content == b"a"
    clock.now = 200
    assert cache.get("/a.txt").content == b"a"
    (application / "a.txt").write_text("changed")
    os.utime(application / "a.txt", (1, 1))
    clock.now = 300
    assert cache.content(cache.get("/a.txt")) == b"changed"


def test_the_content_of_a_larger_file_is_not_kept(application: Path, clock: Clock) -> None:
    (application / "big").write_bytes(b"x" * 2000)
    cache = ResourceCache(Counting(application), 5, 100_000, 1000)
    assert cache.content(cache.get("/big")) is None


def test_one_object_takes_at_most_a_twentieth(application: Path, clock: Clock) -> None:
    assert ResourceCache(Counting(application), 5, 2000, 1000).max_object_bytes == 100


def test_the_memory_is_bounded_also_for_paths_that_do_not_exist(application: Path, clock: Clock) -> None:
    cache = ResourceCache(Counting(application), 5, 20_000, 1000)
    for number in range(1000):
        cache.get(f"/nope{number}")
    assert cache.size <= 20_000


def test_what_was_changed_here_is_forgotten_at_once(application: Path, clock: Clock) -> None:
    find = Counting(application)
    cache = ResourceCache(find, 5, 10_000, 1000)
    cache.get("/a.txt")
    cache.forget("/a.txt")
    cache.get("/a.txt")
    assert find.looks == 2


def test_expired_entries_give_their_memory_back(application: Path, clock: Clock) -> None:
    cache = ResourceCache(Counting(application), 5, 10_000, 1000)
    cache.content(cache.get("/a.txt"))
    clock.now = 200
    cache.drop_expired()
    assert cache.size == 0


def test_clear_forgets_everything(application: Path, clock: Clock) -> None:
    cache = ResourceCache(Counting(application), 5, 10_000, 1000)
    cache.get("/a.txt")
    cache.clear()
    assert cache.size == 0
