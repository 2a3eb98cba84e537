from __future__ import annotations

import pytest

from catalina.tribes.tipis import map_graves
from catalina.tribes.tipis.map_graves import Graves


def test_the_latest_birth_that_was_removed_is_known() -> None:
    graves = Graves()
    graves.dig("k", b"2", 0)
    graves.dig("k", b"1", 0)
    assert graves.birth("k") == b"2"
    assert graves.birth("other") == b""


def test_what_is_put_anew_has_no_grave() -> None:
    graves = Graves()
    graves.dig("k", b"1", 0)
    graves.fill("k")
    assert "k" not in graves


def test_what_was_removed_here_is_told_even_when_another_has_removed_it_too() -> None:
    graves = Graves()
    graves.dig("ours", b"1", 0, is_ours=True)
    graves.dig("ours", b"2", 0)
    graves.dig("theirs", b"1", 0)
    assert graves.ours() == [("ours", b"2")]


def test_old_graves_are_forgotten() -> None:
    graves = Graves()
    graves.dig("old", b"1", 0)
    graves.dig("new", b"1", map_graves.SECONDS)
    graves.forget(map_graves.SECONDS + 1)
    assert "old" not in graves
    assert "new" in graves


def test_there_are_never_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_graves, "MAX_GRAVES", 2)
    graves = Graves()
    for key in "abc":
        graves.dig(key, b"1", 0)
    assert len(graves) == 2
    assert "a" not in graves
