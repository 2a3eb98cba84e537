from __future__ import annotations

from typing import Any

import pytest

from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import ROLES, Event, MapEntry, Meaning, Role
from catalina.tribes.tipis.map_names import Names
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp

ME = Member(b"\x0a\0\0\x01", 4000)
OTHER = Member(b"\x0a\0\0\x02", 4000)


def version(number: int) -> bytes:
    return number.to_bytes(16, "big")


def entry_of(birth: int, claim: int, content: int, event: Event = Event.CLAIMED) -> MapEntry:
    entry = MapEntry("key", "value")
    entry.apply(event, ME if event is Event.CLAIMED else OTHER, ())
    entry.birth, entry.claim, entry.content = version(birth), version(claim), version(content)
    return entry


def test_every_event_leads_to_a_role() -> None:
    assert set(ROLES) == set(Event)
    assert set(ROLES.values()) == set(Role)


@pytest.mark.parametrize("before", list(Event))
@pytest.mark.parametrize("event", list(Event))
def test_the_latest_claim_alone_decides_the_role(before: Event, event: Event) -> None:
    entry = MapEntry("key", "value")
    entry.apply(before, ME, ())
    entry.apply(event, OTHER, (ME,))
    assert entry.role is ROLES[event]
    assert (entry.primary, entry.nodes) == (OTHER, (ME,))


def test_a_proxy_lets_go_of_the_value() -> None:
    entry = entry_of(1, 1, 1)
    assert entry.is_primary
    assert entry.holds_value
    entry.apply(Event.PROXY_RECEIVED, OTHER, (ME,))
    assert entry.value is None
    assert not entry.content
    assert not entry.holds_value


def test_a_backup_keeps_the_value() -> None:
    entry = entry_of(1, 1, 1)
    entry.apply(Event.BACKUP_RECEIVED, OTHER, (ME,))
    assert entry.role is Role.BACKUP
    assert entry.holds_value
    assert "BACKUP" in repr(entry)


@pytest.mark.parametrize(
    ("stamp", "meaning"),
    [
        ((1, 2, 2), Meaning.SAME),
        ((1, 2, 9), Meaning.SAME),
        ((1, 3, 2), Meaning.LATER),
        ((2, 1, 1), Meaning.LATER),  # put anew: whatever was claimed of the entry before
        ((1, 1, 9), Meaning.EARLIER),
        ((1, 3, 1), Meaning.WITHOUT_OURS),
    ],
)
def test_the_stamp_says_what_a_claim_means(stamp: tuple[int, int, int], meaning: Meaning) -> None:
    assert entry_of(1, 2, 2).meaning_of(Stamp(*map(version, stamp))) is meaning


def test_a_claim_whose_content_is_not_known_is_not_contested() -> None:
    assert entry_of(1, 2, 2).meaning_of(Stamp(version(1), version(3))) is Meaning.LATER


def test_an_old_value_is_nothing_to_contest_a_claim_with() -> None:
    entry = entry_of(1, 2, 2, Event.BACKUP_RECEIVED)
    entry.is_stale = True
    assert entry.meaning_of(Stamp(version(1), version(3), version(1))) is Meaning.LATER


def test_java_s_claim_is_later_unless_it_crosses_ours() -> None:
    entry = entry_of(1, 2, 2)
    assert entry.meaning_of(NO_STAMP) is Meaning.LATER
    entry.pending = 1
    assert entry.meaning_of(NO_STAMP) is Meaning.CROSSES
    entry.apply(Event.BACKUP_RECEIVED, OTHER, ())
    assert entry.meaning_of(NO_STAMP) is Meaning.LATER


@pytest.mark.parametrize(("key", "found_by"), [("X.n1", "X"), ("X", "X"), ("Y.n1", "X"), (7, None), (("a", 1), None)])
def test_an_entry_shows_the_key_that_it_was_made_with(key: Any, found_by: str | None) -> None:
    entry = MapEntry(key, "value", found_by)
    assert entry.key == key
    assert entry.id == (key if found_by is None else found_by)


def test_an_entry_that_is_made_anew_has_no_names_but_its_own() -> None:
    entry = MapEntry("X.n1", "value", "X")
    entry.names = Names("X", "Y.n2")
    assert entry.key == "Y.n2"
    entry.born("X.n3")
    assert (entry.key, entry.names) == ("X.n3", None)


def test_many_entries_share_what_stands_behind_their_ids() -> None:
    assert MapEntry("X.n1", None, "X")._route is MapEntry("Y." + "n1", None, "Y")._route
