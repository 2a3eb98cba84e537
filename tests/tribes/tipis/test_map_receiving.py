from __future__ import annotations

import pytest

from catalina.errors import ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MSG_ACCESS, MSG_BACKUP, MSG_NOTIFY_MAPMEMBER, MSG_PROXY, MapMessage
from tests.tribes.tipis.maps import Box, Group


def test_what_a_member_writes_is_remembered() -> None:
    group = Group(2)
    message = MapMessage(b"app-map", MSG_PROXY, dumps("k"), primary=group.channels[1].local_member)
    wire = ChannelMessage(bytes(message.encode(MEMBER_IMPL_SUIDS[1])), 0, 0, bytes(16), group.channels[1].local_member)
    group.maps[0].message_received(wire, wire.address)
    assert list(group.maps[0].table.members.by_suid(group.maps[0].members)) == [MEMBER_IMPL_SUIDS[1]]


def test_messages_of_other_maps_are_left_alone() -> None:
    group = Group(2)
    sender = group.channels[1].local_member
    other = MapMessage(b"app-map2", MSG_BACKUP, dumps("k"), dumps({}), None, sender, (sender,))
    wire = ChannelMessage(bytes(other.encode()), 0, 0, bytes(16), sender)
    group.maps[0].message_received(wire, sender)
    assert len(group.maps[0]) == 0
    assert not group.maps[0].accept(ChannelMessage(b"bytes", 1, 0, bytes(16), sender), sender)


@pytest.mark.parametrize("key", [None, dumps([1]), dumps({})])
def test_a_key_that_cannot_be_one_is_ignored(key: bytes | None) -> None:
    group = Group(2)
    sender = group.channels[1].local_member
    for kind in (MSG_PROXY, MSG_BACKUP, MSG_ACCESS):
        message = MapMessage(b"app-map", kind, key, dumps({}), None, sender, (sender,))
        group.maps[0].message_received(ChannelMessage(bytes(message.encode()), 0, 0, bytes(16), sender), sender)
    assert len(group.maps[0]) == 0


def test_a_value_that_cannot_be_read_leaves_the_entry_as_it_was() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    sender = group.channels[0].local_member
    message = MapMessage(b"app-map", MSG_BACKUP, dumps("k"), dumps([1]), None, sender, (sender,))
    with pytest.raises(ProtocolError):
        group.maps[1].message_received(ChannelMessage(bytes(message.encode()), 0, 0, bytes(16), sender), sender)
    assert group.contents("k") == [{"n": 1}, {"n": 1}]


def test_the_backup_hears_of_an_access_when_it_is_due() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.sent.clear()
    group.maps[0].get("k").is_access_due = True
    group.maps[0].replicate("k")
    group.settle()
    assert group.messages() == [(0, 1, MSG_ACCESS)]
    assert group.maps[1].peek("k").accesses == 1


def receive(group: Group, number: int, message: MapMessage) -> None:
    sender = group.channels[1 - number].local_member
    wire = ChannelMessage(bytes(message.encode()), 0, 0, bytes(16), sender)
    assert group.maps[number].accept(wire, sender)
    group.maps[number].message_received(wire, sender)


def test_a_node_that_others_count_on_without_its_knowledge_gets_the_value() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.maps[1].table.entries.clear()
    me, other = group.channels[1].local_member, group.channels[0].local_member
    receive(group, 1, MapMessage(b"app-map", MSG_NOTIFY_MAPMEMBER, dumps("k"), None, None, other, (me,)))
    group.settle()
    assert group.roles("k") == [Role.PRIMARY, Role.BACKUP]
    assert group.contents("k") == [{"n": 1}] * 2


def test_a_notice_about_an_entry_that_nobody_expects_here_is_ignored() -> None:
    group = Group(2)
    other = group.channels[0].local_member
    receive(group, 1, MapMessage(b"app-map", MSG_ACCESS, dumps("k"), None, None, other, (other,)))
    assert len(group.maps[1]) == 0


def test_the_same_message_twice_changes_nothing_more() -> None:
    group = Group(2)
    me, other = group.channels[1].local_member, group.channels[0].local_member
    message = MapMessage(b"app-map", MSG_BACKUP, dumps("k"), dumps({"n": 1}), None, other, (me,))
    for _ in range(2):
        receive(group, 1, message)
    assert group.contents("k") == [None, {"n": 1}]
    assert group.roles("k") == [None, Role.BACKUP]


def test_the_former_owner_that_keeps_the_value_is_told_so() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.now += 10
    group.maps[1].get("k")
    group.settle()
    assert group.owners[0].told[-2:] == [("received", "k"), ("backup", "k")]


def test_what_is_no_map_message_is_not_accepted() -> None:
    group = Group(1)
    sender = group.channels[0].local_member
    for data, options in ((dumps([1]), 0), (b"raw", 1), (b"", 0)):
        assert not group.maps[0].accept(ChannelMessage(bytes(data), options, 0, bytes(16), sender), sender)
