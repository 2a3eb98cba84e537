"""The order every node computes alike."""

from __future__ import annotations

from catalina.tribes.group.absolute_order import in_absolute_order
from catalina.tribes.member import Member


def test_members_are_ordered_by_host_then_port_then_id():
    members = [
        Member(bytes([9, 0, 0, 1]), 9),
        Member(bytes([10, 0, 0, 1]), 1, unique_id=b"a" * 16),
        Member(bytes([10, 0, 0, 1]), 1, unique_id=b"\xff" * 16),
        Member(bytes([10, 0, 0, 1]), 2),
        Member(bytes([200, 0, 0, 1]), 1),  # bytes are unsigned
        Member(bytes(16), 1),  # a longer host comes last
    ]
    assert in_absolute_order(reversed(members)) == tuple(members)


def test_each_member_is_there_once():
    one = Member(b"\x0a\0\0\1", 1)
    assert in_absolute_order([one, one.with_alive(7)]) == (one,)
