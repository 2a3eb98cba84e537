from __future__ import annotations

import logging
import threading

import pytest

from catalina.errors import ProtocolError
from catalina.tribes.io.java import encode_value
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.tipis import map_settling
from catalina.tribes.tipis.map_message import (
    MSG_PING,
    MSG_PROXY,
    MSG_STATE,
    MapMessage,
    MapState,
    decode_entries,
)
from tests.tribes.tipis.maps import Box, Group


def test_a_node_alone_starts_without_asking() -> None:
    group = Group(1)
    assert group.maps[0].state == MapState.INITIALIZED
    assert group.network.sent == []


def test_joining_makes_all_know_each_other() -> None:
    group = Group(3)
    for number, each in enumerate(group.maps):
        assert {member.host[3] for member in each.members} == {1, 2, 3} - {number + 1}


def test_a_member_without_the_map_is_no_member_of_it() -> None:
    group = Group(2)
    group.network.add(9)
    group.join()
    assert len(group.maps[2].members) == 2


def test_nobody_answering_is_said_and_the_map_starts(caplog: pytest.LogCaptureFixture) -> None:
    group = Group(0)
    group.network.add(9)
    group.join()
    assert group.maps[0].state == MapState.INITIALIZED
    assert "no member of the channel has the map" in caplog.text


def test_joining_needs_one_reachable_member_not_all() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.faults.extend(["drop"])
    group.join()
    assert group.maps[3].entry("k") is not None


def test_the_state_comes_from_the_next_member_when_the_first_does_not_answer() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.join(start=False)
    newcomer = group.maps[3]
    for each in group.maps[:2]:
        each.settling.answer_state = lambda request, sender, uuid: None
    newcomer.start()
    group.settle()
    assert newcomer.entry("k") is not None


def test_an_entry_made_while_the_state_is_on_its_way_is_not_overwritten_by_it() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.join(start=False)
    newcomer = group.maps[2]
    original = newcomer.settling._entries_in

    def meanwhile(answer: object) -> object:
        group.maps[1].get("k")
        group.maps[0].put("new", Box(n=2))
        group.maps[0].put("gone", Box(n=3))
        group.settle()
        group.maps[0].remove("gone")
        group.settle()
        newcomer.settling._entries_in = original
        return original(answer)

    newcomer.settling._entries_in = meanwhile
    newcomer.start()
    group.settle()
    assert newcomer.entry("k").primary == group.channels[1].local_member
    assert newcomer.entry("new") is not None
    assert newcomer.entry("gone") is None


def test_a_large_state_is_put_together_in_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_settling, "STATE_IN_THREAD", 3)
    group = Group(1)
    for number in range(10):
        group.maps[0].put(f"k{number}", Box(n=number))
    group.join(start=False)
    replied = threading.Event()
    original = group.maps[0].settling.state_reply

    def reply(request: MapMessage, sender: object) -> object:
        assert threading.current_thread().name == "map-state[app-map]"
        replied.set()
        return original(request, sender)

    group.maps[0].settling.state_reply = reply
    group.maps[0].reply_request(
        MapMessage(b"app-map", MSG_STATE).to_encoded(), group.channels[1].local_member, bytes(16)
    )
    assert replied.wait(10)
    group.maps[0].stop()
    assert not any(thread.name.startswith("map-state") for thread in threading.enumerate())


def test_a_ping_is_answered_with_the_state() -> None:
    group = Group(2)
    answer = group.maps[0].reply_request(
        MapMessage(b"app-map", MSG_PING, primary=group.channels[1].local_member).to_encoded(MEMBER_IMPL_SUIDS[2]),
        group.channels[1].local_member,
        bytes(16),
    )
    message = MapMessage.decode(answer.to_stream())
    assert MapState.decode(message.value) == MapState.INITIALIZED
    assert message.primary == group.channels[0].local_member
    assert message.suid == MEMBER_IMPL_SUIDS[2]


def test_a_silent_member_is_dropped_after_the_access_timeout(caplog: pytest.LogCaptureFixture) -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    holder = group.maps[0].entry("k").nodes[0]
    silent = next(number for number, channel in enumerate(group.channels) if channel.local_member == holder)
    group.channels[silent].listeners.clear()
    with caplog.at_level(logging.WARNING):
        group.network.heartbeat(3)
    assert "has timed-out" in caplog.text
    assert holder not in group.maps[0].members
    assert group.maps[0].entry("k").nodes[0] != holder


def test_a_member_that_comes_back_is_a_member_again() -> None:
    group = Group(2)
    listeners = list(group.channels[1].listeners)
    group.channels[1].listeners.clear()
    group.network.heartbeat(3)
    assert group.maps[0].members == ()
    group.channels[1].listeners.extend(listeners)
    group.maps[0].put("k", Box(n=1))
    group.network.heartbeat(2)
    assert len(group.maps[0].members) == 1
    assert group.contents("k") == [{"n": 1}, {"n": 1}]


def test_heartbeats_of_a_quiet_group_change_nothing() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    before = group.roles("k")
    group.network.heartbeat(5)
    assert group.roles("k") == before


def test_an_unknown_request_is_answered_with_null() -> None:
    group = Group(1)
    assert (
        group.maps[0].reply_request(MapMessage(b"app-map", 99).to_encoded(), group.channels[0].local_member, b"")
        is None
    )
    with pytest.raises(ProtocolError):
        group.maps[0].reply_request(encode_value("x"), group.channels[0].local_member, b"")


def test_the_state_lists_every_entry_with_its_owner() -> None:
    group = Group(2)
    group.maps[0].put("a", Box(n=1))
    group.settle()
    answer = group.maps[1].reply_request(
        MapMessage(b"app-map", MSG_STATE).to_encoded(), group.channels[0].local_member, bytes(16)
    )
    (entry,) = decode_entries(MapMessage.decode(answer.to_stream()).value or b"")
    assert (entry.type, entry.primary) == (MSG_PROXY, group.channels[0].local_member)


def test_stopping_twice_is_once() -> None:
    group = Group(2)
    group.maps[0].stop()
    group.maps[0].stop()
    assert group.maps[0].state == MapState.DESTROYED
    assert group.channels[0].listeners == []
    assert group.channels[0].membership == []
