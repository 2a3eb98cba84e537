from __future__ import annotations

import pytest

from catalina.tribes.tipis import map_graves
from catalina.tribes.tipis.map_graves import Grave, Graves, final_end, holds_against
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp


def test_the_latest_birth_that_was_removed_is_known() -> None:
    graves = Graves()
    graves.dig("k", Grave(final_end(b"2"), 0))
    graves.dig("k", Grave(final_end(b"1"), 0))
    assert graves.get("k").end.birth == b"2"
    assert graves.get("other").end == NO_STAMP


def test_what_is_put_anew_has_no_grave() -> None:
    graves = Graves()
    graves.dig("k", Grave(final_end(b"1"), 0))
    graves.fill("k")
    assert "k" not in graves


def test_what_was_removed_here_is_told_even_when_another_has_removed_it_too() -> None:
    graves = Graves()
    graves.dig("ours", Grave(final_end(b"1"), 0, is_ours=True))
    graves.dig("ours", Grave(final_end(b"2"), 0))
    graves.dig("theirs", Grave(final_end(b"1"), 0))
    assert graves.ours() == [Grave(final_end(b"2"), 0, True)]


def test_old_graves_are_forgotten() -> None:
    graves = Graves()
    graves.dig("old", Grave(final_end(b"1"), 0))
    graves.dig("new", Grave(final_end(b"1"), map_graves.SECONDS))
    graves.forget(map_graves.SECONDS + 1)
    assert "old" not in graves
    assert "new" in graves


def test_there_are_never_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_graves, "MAX_GRAVES", 2)
    graves = Graves()
    for key in "abc":
        graves.dig(key, Grave(final_end(b"1")))
    assert len(graves) == 2
    assert "a" not in graves


IDLE = Stamp(b"1", b"3", b"5")


@pytest.mark.parametrize(
    ("stamp", "holds"),
    [
        (Stamp(b"1", b"3", b"5"), True),
        (Stamp(b"1", b"3", b"6"), False),
        (Stamp(b"1", b"4", b"5"), False),
        (Stamp(b"2", b"2", b"2"), False),
        (Stamp(b"0", b"9", b"9"), True),
        (NO_STAMP, False),
    ],
)
def test_an_end_for_idleness_gives_way_to_a_later_claim_or_change(stamp: Stamp, holds: bool) -> None:
    assert holds_against(IDLE, stamp) is holds


def test_nothing_of_that_birth_brings_back_what_was_removed_for_good() -> None:
    assert holds_against(final_end(b"1"), Stamp(b"1", b"9", b"9"))


def test_a_final_end_stays_final() -> None:
    graves = Graves()
    graves.dig("k", Grave(final_end(b"1"), 0))
    graves.dig("k", Grave(IDLE, 0))
    assert graves.get("k").end == final_end(b"1")
