from __future__ import annotations

from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_members import MapMembers

A, B, C = (Member(bytes((10, 0, 0, number)), 4000) for number in (1, 2, 3))


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
