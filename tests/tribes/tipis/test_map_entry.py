from __future__ import annotations

import itertools

import pytest

from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import TRANSITIONS, Event, MapEntry, Role, comes_first

ME = Member(b"\x0a\0\0\x01", 4000)
OTHER = Member(b"\x0a\0\0\x02", 4000)

TABLE = """
          CLAIMED  BACKUP_RECEIVED  COPY_RECEIVED  PROXY_RECEIVED  NOTIFIED_AS_NODE  NOTIFIED_AS_OTHER  OWNER_LOST
NEW       PRIMARY  BACKUP           COPY           PROXY           -                 -                  -
PRIMARY   PRIMARY  BACKUP           COPY           PROXY           BACKUP            PROXY              -
BACKUP    PRIMARY  BACKUP           COPY           PROXY           BACKUP            PROXY              PRIMARY
COPY      PRIMARY  BACKUP           COPY           PROXY           COPY              COPY               PRIMARY
PROXY     PRIMARY  BACKUP           COPY           PROXY           PROXY             PROXY              -
"""


def rows() -> list[tuple[str, str, str]]:
    header, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [(line[0], event, role) for line in lines for event, role in zip(header, line[1:], strict=True)]


@pytest.mark.parametrize(("before", "event", "after"), rows())
def test_each_event_leads_to_the_role_of_the_table(before: str, event: str, after: str) -> None:
    role = None if before == "NEW" else Role[before]
    found = TRANSITIONS.get((role, Event[event]))
    assert found == (None if after == "-" else Role[after])


def test_the_table_is_complete() -> None:
    assert len(rows()) == len(list(itertools.product([None, *Role], Event)))


def test_a_proxy_lets_go_of_the_value() -> None:
    entry = MapEntry("key", "value")
    entry.apply(Event.CLAIMED, ME, ())
    assert entry.is_primary
    assert entry.holds_value
    entry.apply(Event.PROXY_RECEIVED, OTHER, (ME,))
    assert entry.value is None
    assert not entry.holds_value
    assert (entry.primary, entry.nodes) == (OTHER, (ME,))


def test_a_backup_keeps_the_value() -> None:
    entry = MapEntry("key", "value")
    entry.apply(Event.CLAIMED, ME, (OTHER,))
    entry.apply(Event.NOTIFIED_AS_NODE, OTHER, (ME,))
    assert entry.role is Role.BACKUP
    assert entry.holds_value
    assert "BACKUP" in repr(entry)


def test_one_of_two_members_comes_first_for_both() -> None:
    assert comes_first(ME, OTHER)
    assert not comes_first(OTHER, ME)
    assert not comes_first(ME, ME)
