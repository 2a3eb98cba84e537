"""The pure table: no channel, no thread, no clock."""

from __future__ import annotations

import itertools

import pytest

from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis import map_table
from catalina.tribes.tipis.map_entry import Event, MapEntry, Role
from catalina.tribes.tipis.map_graves import final_end
from catalina.tribes.tipis.map_message import MSG_BACKUP, MSG_PROXY, MapMessage
from catalina.tribes.tipis.map_names import Names
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp
from catalina.tribes.tipis.map_table import MapMembers, MapTable

ME, OTHER, THIRD = (Member(bytes((10, 0, 0, number)), 4000, unique_id=bytes((number,)) * 16) for number in (1, 2, 3))
A, B, C = (Member(bytes((10, 0, 0, number)), 4000) for number in (1, 2, 3))


def bare(key: str) -> str:
    return key.partition(".")[0]


def a_table(local: Member = ME) -> MapTable:
    table = MapTable(b"map", MSG_BACKUP, lambda: local, bare)
    for member in (ME, OTHER, THIRD):
        if member is not local:
            table.members.heard(member, 0.0)
    return table


def an_entry(table: MapTable, key: str = "X.n1", now_us: int = 1) -> MapEntry:
    entry = table.entries[bare(key)] = MapEntry(key, "value", bare(key))
    table.own(entry, now_us, is_born=True)
    return entry


def test_nothing_of_the_machine_is_a_socket_a_thread_or_a_clock() -> None:
    names = set(vars(map_table))
    assert not names & {"threading", "time", "socket", "random", "logging"}


def test_an_entry_is_found_by_each_of_its_names_and_leads_only_from_those_in_use() -> None:
    table = a_table()
    entry = an_entry(table)
    table.give_key(entry, "X.n2", 2)
    table.give_key(entry, "Y.n2", 3)
    assert table.entries[table.id_of("X.n1")] is table.entries[table.id_of("Y.n9")] is entry
    assert table.entry("X.n2") is None
    assert table.entry("Y.n1") is entry


def test_names_go_with_their_entry_and_its_grave_holds_under_all() -> None:
    table = a_table()
    entry = an_entry(table)
    table.give_key(entry, "Y.n1", 2)
    table.bury(entry, final_end(entry.birth), 0.0, is_ours=True)
    assert not table.aliases
    assert "X" in table.graves
    told = table.names_in(table.removal(table.graves.get("X")), "Y.n1")
    assert table.id_in(told, "Y.n1") == "X"


def test_who_knew_an_entry_by_its_present_name_alone_finds_it_by_its_first() -> None:
    """A Java node has handed it on."""
    table = a_table()
    entry = table.entries["Y"] = MapEntry("Y.n1", None, "Y")
    entry.apply(Event.PROXY_RECEIVED, OTHER, (THIRD,))
    assert table.id_in((Names("Z", "Y.n1"), False), "Y.n1") == "Y"  # the smaller one of both
    assert table.id_of("Z.n3") == "Y"
    table = a_table()
    entry = table.entries["B"] = MapEntry("B.n1", None, "B")
    assert table.id_in((Names("A", "B.n1"), False), "B.n1") == "A"
    assert table.entries == {"A": entry}
    assert table.entries[table.id_of("B.n5")] is entry


def test_of_two_entries_that_are_one_the_first_stays() -> None:
    table = a_table()
    first, second = an_entry(table, "A.n1"), an_entry(table, "B.n1", 2)
    assert table.id_in((Names("A", "B.n1"), True), "B.n1") == "A"
    assert list(table.entries.values()) == [first]
    assert not table.is_here(second)


def test_what_was_removed_is_not_claimed_any_more() -> None:
    table = a_table()
    entry = an_entry(table)
    claim = entry.claim
    table.bury(entry, final_end(entry.birth), 0.0)
    table.own(entry, 9)
    assert entry.claim == claim
    assert not table.owns(entry)


def test_a_claim_is_later_than_all_that_was_heard() -> None:
    table = a_table()
    entry = an_entry(table)
    table.versions.heard(Stamp(b"\0\0\0\0\0\0\1\0" + b"o" * 8))
    table.own(entry, 5)
    assert entry.claim > b"\0\0\0\0\0\0\1\0" + b"o" * 8


def test_nodes_that_heard_the_same_claims_believe_the_same() -> None:
    tables = [a_table(member) for member in (OTHER, THIRD)]
    made = [an_entry(table, now_us=number + 1) for number, table in enumerate(tables)]
    claims = [
        MapMessage(b"map", MSG_PROXY, dumps("X.n1"), primary=entry.primary, nodes=(), stamp=entry.stamp)
        for entry in made
    ]
    found = set()
    for order in itertools.permutations(claims):
        table = a_table()
        entry = table.entries["X"] = MapEntry("X.n1", None, "X")
        for claim in order:
            if claim.stamp.rank > entry.rank:
                table.adopt(entry, claim, None, Event.PROXY_RECEIVED)
        found.add((entry.primary, entry.rank, entry.role))
    assert found == {(THIRD, made[1].rank, Role.PROXY)}


def test_a_member_that_is_owed_too_much_is_told_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_table, "MAX_OWED", 2)
    table = a_table()
    table.told_since[OTHER] = before = table.tick(1)
    for key in "abc":
        table.owe([OTHER], key, 2)
    assert OTHER not in table.owed
    assert table.told_since[OTHER] > before
    stranger = Member(b"\x0a\0\0\x09", 4000)
    table.owe([stranger], "a", 3)
    assert stranger not in table.owed


def test_an_owner_of_another_life_is_not_there() -> None:
    table, before, after = a_table(), a_table(OTHER), a_table(OTHER)
    entry = table.entries["X"] = MapEntry("X.n1", None, "X")
    table.adopt(
        entry,
        MapMessage(b"map", MSG_PROXY, dumps("X.n1"), primary=OTHER, nodes=(), stamp=Stamp(b"b" * 16, before.tick(1))),
        None,
        Event.PROXY_RECEIVED,
    )
    table.heard_since[OTHER] = before.tick(2)
    assert table.is_owner_there(entry)
    table.heard_since[OTHER] = after.tick(9)
    assert not table.is_owner_there(entry)
    table.note_owner(entry)
    assert "X" in table.orphans
    table.lose(OTHER)
    assert not table.is_owner_there(entry)


def test_the_sums_of_the_claims_tell_two_tables_apart() -> None:
    table = a_table()
    an_entry(table)
    before = table.sums()
    table.own(table.entries["X"], 7)
    assert table.sums() != before
    assert table.sums().keys() == {ME}


def test_java_s_message_has_no_names_and_no_stamp() -> None:
    table = a_table()
    message = MapMessage(b"map", MSG_PROXY, dumps("X.n1"), primary=OTHER, nodes=())
    assert message.stamp == NO_STAMP
    assert table.names_in(message, "X.n1") is None


def test_the_id_of_a_session_that_has_logged_in_costs_a_difference_less_than_forty_bytes() -> None:
    table = a_table()
    entry = an_entry(table, "5" * 32 + ".n1")
    plain = len(table.about(MSG_BACKUP, entry, has_names=False).encode())
    table.give_key(entry, "5" * 32 + ".n2", 2)
    assert len(table.about(MSG_BACKUP, entry, has_names=False).encode()) == plain
    table.give_key(entry, "6" * 32 + ".n2", 3)
    assert plain < len(table.about(MSG_BACKUP, entry, has_names=False).encode()) < plain + 40


def table() -> MapMembers:
    members = MapMembers()
    for member in (A, B, C):
        assert members.heard(member, 1.0)
    return members


def test_a_member_is_new_once() -> None:
    members = table()
    assert not members.heard(A, 2.0)
    assert len(members) == 3
    assert A in members
    assert members.all == (A, B, C)


def test_a_backup_is_looked_for_in_turn() -> None:
    members = table()
    assert [members.in_turn()[0] for _ in range(4)] == [A, B, C, A]
    assert members.in_turn() == [B, C, A]
    assert MapMembers().in_turn() == []


def test_who_has_been_silent_is_told() -> None:
    members = table()
    members.heard(B, 5.0)
    assert members.silent_since(4.0) == [A, C]


def test_a_removed_member_is_forgotten() -> None:
    members = table()
    members.learn_suid(A, MEMBER_IMPL_SUIDS[2])
    assert members.remove(A)
    assert not members.remove(A)
    assert members.except_for([B]) == (C,)
    assert list(members.by_suid([A])) == [MEMBER_IMPL_SUIDS[0]]


def test_members_of_other_versions_are_written_to_apart() -> None:
    members = table()
    members.learn_suid(B, MEMBER_IMPL_SUIDS[2])
    members.learn_suid(C, 12345)
    members.learn_suid(C, None)
    assert members.by_suid([A, B, C]) == {MEMBER_IMPL_SUIDS[0]: [A, C], MEMBER_IMPL_SUIDS[2]: [B]}
