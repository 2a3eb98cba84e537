"""The table of members, with the time as an argument."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalina.tribes.member import Member
from catalina.tribes.membership.membership import Membership
from tests.support.narrowing import there
from tests.tribes.fakes import a_member

A, B, C = a_member(1, alive_ms=30), a_member(2, alive_ms=20), a_member(3, alive_ms=10)


def test_members_are_sorted_oldest_first():
    table = Membership()
    for member in (C, A, B):
        assert table.alive(member, 0.0)
    assert table.members == (A, B, C)


def test_a_known_member_is_no_news_and_can_become_the_oldest():
    table = Membership()
    table.alive(A, 0.0)
    table.alive(C, 0.0)
    assert not table.alive(C.with_alive(99), 1.0)
    assert table.members == (C, A)
    assert table.members[0].alive_ms == 99


def test_only_what_can_change_is_taken_over():
    table = Membership()
    table.alive(A, 0.0)
    table.alive(replace(A, alive_ms=31, payload=b"new", command=b"c", domain=b"other", udp_port=7), 1.0)
    known = table.get(A)
    known = there(known)
    assert (known.payload, known.command, known.domain, known.udp_port) == (b"new", b"c", b"", -1)


def test_the_same_alive_time_changes_nothing():
    table = Membership()
    table.alive(A, 0.0)
    table.alive(replace(A, payload=b"new"), 1.0)
    assert there(table.get(A)).payload == b""


def test_the_local_member_is_never_taken():
    table = Membership()
    table.local = A
    assert not table.alive(A, 0.0)
    assert A not in table


def test_the_table_has_an_end():
    table = Membership(max_members=2)
    assert [table.alive(member, 0.0) for member in (A, B, C)] == [True, True, False]


def test_members_at_the_same_address_are_found():
    table = Membership()
    again = Member(A.host, A.port, unique_id=b"n" * 16)
    table.alive(A, 0.0)
    table.alive(B, 0.0)
    table.alive(again, 0.0)
    assert list(table.at_address_of(again)) == [A]


#: Seconds, what happens, who is there afterwards: silence of more than 3 s ends a membership.
STEPS = """
0    hear A      A
1    hear B      A B
3    expire      A B
3.5  expire      B
3.6  hear A      A B
4.1  expire      A
4.2  leave A     -
4.3  leave A     -
4.4  hear B      B
100  forgive     B
102  expire      B
104  expire      -
"""


def test_a_member_that_flaps_comes_and_goes_as_the_table_says():
    table, by_name = Membership(), {"A": A, "B": B}
    for line in STEPS.strip().splitlines():
        seconds, verb, *rest = line.split()
        now = float(seconds)
        if verb == "hear":
            table.alive(by_name[rest.pop(0)], now)
        elif verb == "leave":
            table.remove(by_name[rest.pop(0)])
        elif verb == "forgive":
            table.forgive(now)
        else:
            table.expire(3.0, now)
        expected = {by_name[name] for name in rest if name != "-"}
        assert set(table.members) == expected, line


def test_expired_members_are_returned_once():
    table = Membership()
    table.alive(A, 0.0)
    assert list(table.expire(1.0, 2.0)) == [A]
    assert list(table.expire(1.0, 3.0)) == []


def test_the_longest_silence_is_that_of_the_quietest():
    table = Membership()
    assert table.longest_silence(5.0) == 0.0
    table.alive(A, 1.0)
    table.alive(B, 3.0)
    assert table.longest_silence(5.0) == 4.0


@pytest.mark.parametrize("now", [0.0, 1.0])
def test_who_was_just_heard_does_not_expire(now):
    table = Membership()
    table.alive(A, now)
    assert list(table.expire(1.0, now + 1.0)) == []


def test_clear_forgets_everybody():
    table = Membership()
    table.alive(A, 0.0)
    table.clear()
    assert table.members == ()
    assert table.get(A) is None


def test_a_member_that_is_barred_is_not_taken_until_it_is_readmitted():
    table, member = Membership(), a_member(2)
    table.alive(member, 0.0)
    assert table.bar(member)
    assert not table.alive(member, 1.0)
    assert table.members == ()
    assert table.barred == (member,)
    table.readmit(member)
    assert table.alive(member, 2.0)


def test_only_so_many_are_barred_and_nobody_after_a_clear():
    table = Membership(max_members=2)
    for last in (2, 3, 4):
        assert not table.bar(a_member(last))
    assert table.barred == (a_member(3), a_member(4))
    table.clear()
    assert table.barred == ()
