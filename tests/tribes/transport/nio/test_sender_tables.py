"""Members and strangers do not share a table."""

from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.sender_tables import LOOK_SECONDS, MAX_STRANGERS, SenderTables
from tests.tribes.fakes import FakeReactor, a_member


class Sender:
    def __init__(self) -> None:
        self.is_idle = False
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Group:
    def __init__(self) -> None:
        self.reactor = FakeReactor()
        self.members: set[Member] = set()
        self.changes = 0
        self.tables: SenderTables[Sender] = SenderTables(
            lambda _: Sender(),
            lambda member: member in self.members,
            lambda: self.reactor,  # type: ignore[arg-type,return-value]
            self.changed,
        )

    def changed(self) -> None:
        self.changes += 1


def a_stranger(number: int) -> Member:
    return Member(bytes([10, 9, number // 256, number % 256]), 4000)


@pytest.fixture
def group():
    return Group()


def test_strangers_fill_their_table_and_members_are_sent_to_all_the_same(group):
    for number in range(MAX_STRANGERS):
        group.tables.find(a_stranger(number))
    with pytest.raises(ChannelError, match=f"{MAX_STRANGERS} nodes that are no members are sent to"):
        group.tables.find(a_stranger(MAX_STRANGERS))
    group.members.add(a_member(1))
    assert group.tables.find(a_member(1)) is group.tables.find(a_member(1))


def test_a_strangers_connection_closes_when_it_has_its_answer(group):
    sender = group.tables.find(a_stranger(1))
    group.reactor.advance(LOOK_SECONDS * 2)
    assert not sender.closed, "the answer is still on its way"
    sender.is_idle = True
    group.reactor.advance(LOOK_SECONDS)
    assert sender.closed
    assert group.changes == 1
    assert group.tables.get(a_stranger(1)) is None


def test_a_stranger_that_joins_keeps_its_connection(group):
    sender = group.tables.find(a_stranger(1))
    sender.is_idle = True
    group.tables.welcome(a_stranger(1))
    group.reactor.advance(LOOK_SECONDS * 2)
    assert not sender.closed
    assert group.tables.find(a_stranger(1)) is sender
    group.tables.welcome(a_stranger(2))  # to whom nothing was sent


def test_who_is_forgotten_is_closed_wherever_it_stands(group):
    group.members.add(a_member(1))
    senders = [group.tables.find(a_member(1)), group.tables.find(a_stranger(1))]
    group.tables.forget(a_member(1))
    group.tables.forget(a_stranger(1))
    group.tables.forget(a_stranger(2))
    assert all(sender.closed for sender in senders)
    assert group.changes == 3


def test_the_end_closes_all(group):
    group.members.add(a_member(1))
    senders = [group.tables.find(a_member(1)), group.tables.find(a_stranger(1))]
    group.tables.close()
    assert all(sender.closed for sender in senders)
