from __future__ import annotations

import pytest

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.java import dumps
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MSG_PING, MSG_STATE, MapMessage, decode_entries
from catalina.tribes.tipis.map_settling import DOUBTS, PATIENCE
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.tribes.tipis.maps import Box, Group


def lose_owner(group: Group, number: int) -> None:
    """One node does not know who owns the entry."""
    entry = group.maps[number].entry("k")
    entry.primary = None
    group.maps[number].table.note_owner(entry)


def test_an_entry_whose_owner_nobody_knows_finds_it_again() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(Role.PROXY)
    lose_owner(group, proxy)
    group.network.heartbeat(2)
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [Role.PRIMARY, Role.BACKUP, Role.PROXY]))
    assert group.contents("k").count({"n": 1}) == 2


def test_an_entry_whose_owner_and_holders_are_all_gone_is_forgotten() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(Role.PROXY)
    for number in range(3):
        if number != proxy:
            group.maps[number].table.entries.clear()
    lose_owner(group, proxy)
    group.network.heartbeat()
    assert group.maps[proxy].entry("k") is None


def test_a_holder_without_owner_becomes_the_owner() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup = group.roles("k").index(Role.BACKUP)
    lose_owner(group, backup)
    group.network.heartbeat()
    assert group.roles("k")[backup] is Role.PRIMARY
    assert group.roles("k").count(Role.PRIMARY) == 1


def states(group: Group) -> list[tuple[int, int]]:
    """The questions for owned entries since the last call: each asker and the member that was asked."""
    numbers = {channel.local_member: number for number, channel in enumerate(group.channels)}
    found = [(numbers[sender], numbers[to]) for sender, to, data in group.network.sent if is_state_request(data)]
    group.network.sent.clear()
    return found


def is_state_request(data: bytes) -> bool:
    rpc = RpcMessage.decode(data) if RpcMessage.matches(data) else None
    if not isinstance(rpc, RpcMessage) or rpc.reply or rpc.message.class_name == "null":
        return False
    return MapMessage.decode(rpc.message.to_stream()).type == MSG_STATE


def test_a_quiet_group_asks_for_nothing() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.network.heartbeat(2)
    states(group)
    group.network.heartbeat(5)
    assert states(group) == []


def test_who_was_taken_for_gone_asks_for_what_it_was_not_told() -> None:
    group = Group(3)
    group.network.heartbeat(2)
    states(group)
    group.maps[0].member_disappeared(group.channels[1].local_member)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.maps[1].entry("k") is None
    group.network.heartbeat(2)
    assert (1, 0) in states(group)
    assert group.maps[1].entry("k").primary == group.channels[0].local_member


def test_what_was_removed_while_a_member_was_taken_for_gone_is_not_there_afterwards() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.network.heartbeat(2)
    group.maps[0].member_disappeared(group.channels[2].local_member)
    group.settle()
    group.maps[0].remove("k")
    group.settle()
    assert group.maps[2].entry("k") is not None
    group.network.heartbeat(3)
    assert group.roles("k") == [None, None, None]


def test_what_a_member_does_not_own_although_we_believed_so_gets_an_owner() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.network.heartbeat(2)
    group.maps[0].table.entries.clear()
    for number in (1, 2):
        group.maps[number].settling.ask_for_own(group.channels[0].local_member)
    group.network.heartbeat(3)
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [Role.PRIMARY, Role.BACKUP, Role.PROXY]))


def test_what_a_member_lost_and_has_found_again_in_an_older_form_is_taken_from_it() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    old = group.maps[0].entry("k").birth
    group.maps[0].put("k", Box(n=2))
    group.network.heartbeat(2)
    entry = group.maps[0].entry("k")
    entry.birth, entry.value = old, Box(n=1)
    group.maps[1].settling.ask_for_own(group.channels[0].local_member)
    group.network.heartbeat(3)
    assert group.contents("k") == [{"n": 2}, {"n": 2}]
    assert group.roles("k").count(Role.PRIMARY) == 1


def test_after_a_member_has_gone_an_entry_that_its_owner_has_not_is_noticed() -> None:
    group = Group(4)
    group.maps[0].put("k", Box(n=1))
    group.network.heartbeat(2)
    lost = [number for number, role in enumerate(group.roles("k")) if role is not Role.PROXY]
    knows, gone = [number for number, role in enumerate(group.roles("k")) if role is Role.PROXY]
    for number in (*lost, gone):
        group.maps[number].table.entries.clear()
    group.network.heartbeat(2)
    assert group.maps[knows].entry("k") is not None
    group.kill(gone)
    group.network.heartbeat(3)
    assert group.maps[knows].entry("k") is None


def test_an_answer_names_what_its_sender_owns_and_nothing_else() -> None:
    group = Group(2)
    group.maps[0].put("a", Box(n=1))
    group.maps[1].put("b", Box(n=1))
    group.settle()
    asker = group.channels[0].local_member
    question = MapMessage(b"app-map", MSG_STATE, primary=asker).to_encoded()
    answer = MapMessage.decode(group.maps[1].reply_request(question, asker, bytes(16)).to_stream())
    assert [entry.key for entry in decode_entries(answer.value or b"")] == [dumps("b")]
    assert answer.primary == group.channels[1].local_member
    assert answer.stamp.birth == group.maps[1].table.told_since[asker]


def test_java_s_ping_is_answered_as_java_does() -> None:
    group = Group(2)
    asker = group.channels[0].local_member
    answer = group.maps[1].reply_request(MapMessage(b"app-map", MSG_PING, primary=asker).to_encoded(), asker, bytes(16))
    assert MapMessage.decode(answer.to_stream()).key is None


@pytest.mark.parametrize("kind", [LazyReplicatedMap, ReplicatedMap])
def test_of_two_that_write_at_once_the_later_one_wins_everywhere(kind: type[AbstractReplicatedMap]) -> None:
    group = Group(4, kind)
    group.maps[3].put("k", Box(n=0))
    group.network.now += 1
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert {each.entry("k").primary for each in group.maps} == {group.channels[0].local_member}
    assert {content["n"] for content in group.contents("k") if content} == {1}


def test_a_change_that_another_s_reading_crosses_is_not_lost() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    box = group.maps[0].get("k")
    group.maps[1].get("k")  # owns it now, and node 0 has not heard of it
    box.set("m", 2)
    group.maps[0].replicate("k")
    group.settle()
    assert group.contents("k") == [{"n": 1, "m": 2}] * 2
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [Role.PRIMARY, Role.BACKUP]))


def test_a_message_that_comes_when_the_entry_is_long_removed_does_not_bring_it_back() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    (late,) = [message for message, _ in group.network.link(*[channel.local_member for channel in group.channels])]
    group.settle()
    group.maps[1].remove("k")
    group.settle()
    wire = ChannelMessage(late.data, late.options, 0, bytes(16), late.address)
    group.channels[1].receive(wire, wire.address)
    group.settle()
    assert group.roles("k") == [None, None]


@pytest.mark.parametrize("kind", [LazyReplicatedMap, ReplicatedMap])
def test_a_claim_of_a_map_that_was_started_anew_since_gets_an_owner(kind: type[AbstractReplicatedMap]) -> None:
    """It comes when everybody has long stopped to doubt, and is later than all that its sender has learnt again."""
    group = Group(2, kind)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.faults.append("late")
    group.maps[0].put("k", Box(n=2))
    group.network.deliver(group.network.busy_links()[0])
    group.maps[0].stop()
    group.settle()
    group.maps[0] = group.make(group.channels[0], group.owners[0])
    group.maps[0].start()
    group.network.heartbeat(DOUBTS + 1)
    group.network.deliver_late(0)
    group.network.heartbeat(PATIENCE + 1)
    assert group.contents("k") == [{"n": 2}, {"n": 2}]
    assert group.roles("k").count(Role.PRIMARY) == 1
    assert group.maps[0].entry("k").rank == group.maps[1].entry("k").rank


def test_a_value_that_did_not_come_is_asked_for_until_it_does() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    entry = group.maps[1].entry("k")
    entry.is_stale, entry.value = True, None
    group.network.faults.append("drop")
    group.maps[1].fetching.want(entry)
    group.settle()
    assert group.contents("k") == [{"n": 1}, None]
    group.network.heartbeat(2)
    assert group.contents("k") == [{"n": 1}, {"n": 1}]
