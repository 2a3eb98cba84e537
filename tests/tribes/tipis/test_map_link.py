from __future__ import annotations

import threading

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_link import Countdown
from catalina.tribes.tipis.map_message import MSG_PROXY, MapMessage
from tests.tribes.tipis.maps import Box, Group
from tests.tribes.tipis.network import Network


def test_members_of_another_version_are_written_to_in_their_form() -> None:
    group = Group(3)
    old = group.channels[1].local_member
    group.maps[0].table.members.learn_suid(old, MEMBER_IMPL_SUIDS[2])
    group.network.sent.clear()
    group.maps[0].put("k", Box(n=1))
    group.settle()
    suids = {to: MapMessage.decode(data).suid for _, to, data in group.network.sent}
    assert suids[old] == MEMBER_IMPL_SUIDS[2]
    assert suids[group.channels[2].local_member] == MEMBER_IMPL_SUIDS[0]


def test_keys_and_entries_can_be_listed_while_the_map_changes() -> None:
    group = Group(1)
    for key in "abc":
        group.maps[0].put(key, Box(n=key))
    for entry in group.maps[0].entries():
        group.maps[0].remove(entry.key)
    assert group.maps[0].keys() == []
    assert len(group.maps[0]) == 0


def test_the_name_is_a_text_or_bytes() -> None:
    channel = Network().add(1)
    assert LazyReplicatedMap(channel, "caf\u00e9").map_id == b"caf\xe9"
    assert LazyReplicatedMap(channel, b"\0\1").map_id == b"\0\1"


def test_sending_to_nobody_is_done_at_once() -> None:
    group = Group(1)
    done: list[object] = []
    group.maps[0].link.send([], MapMessage(b"app-map", MSG_PROXY), done.append)
    assert done == [{}]


def test_a_channel_that_refuses_is_a_failure_of_every_member(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(3)
    done: list[dict[object, BaseException]] = []

    def refuse(*_: object) -> Delivery:
        raise ChannelError("stopped")

    monkeypatch.setattr(group.channels[0], "post", refuse)
    group.maps[0].link.send(group.maps[0].members, MapMessage(b"app-map", MSG_PROXY), done.append)
    assert set(done[0]) == set(group.maps[0].members)


def test_a_failure_among_several_versions_is_reported_when_all_have_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = Group(3)
    first, second = group.maps[0].members
    group.maps[0].table.members.learn_suid(second, MEMBER_IMPL_SUIDS[2])
    done: list[dict[object, BaseException]] = []
    group.network.faults.append("drop")
    group.maps[0].link.send((first, second), MapMessage(b"app-map", MSG_PROXY), done.append)
    group.network.deliver(group.network.busy_links()[0])
    assert done == []
    group.settle()
    assert list(done[0]) == [first]
    assert "did not reach" in caplog.text


def test_a_countdown_ends_once_whatever_thread_comes_last() -> None:
    ended: list[str] = []
    countdown = Countdown(400, lambda: ended.append("end"))
    threads = [threading.Thread(target=lambda: [countdown() for _ in range(100)], name=f"t{n}") for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert ended == ["end"]


def test_every_handle_is_noted() -> None:
    group = Group(2)
    noted: list[Delivery] = []
    group.maps[0].link._note = noted.append
    told = group.maps[0].put("k", Box(n=1))
    assert noted == [told]


@pytest.mark.parametrize("key", ["text", 5, ("a", 1), None])
def test_what_hashes_is_a_key(key: object) -> None:
    assert Group(1).maps[0].table.key_of(MapMessage(b"m", MSG_PROXY, dumps(key))) == key


@pytest.mark.parametrize("key", [[1], ("a", [1]), {"a": 1}])
def test_a_message_whose_key_has_no_hash_is_about_no_entry(key: object) -> None:
    assert Group(1).maps[0].table.key_of(MapMessage(b"m", MSG_PROXY, dumps(key))) is None


def test_a_member_that_does_not_acknowledge_costs_one_time_out_and_the_next_entries_another_backup() -> None:
    group = Group(3)
    silent = group.channels[1].local_member
    group.network.hold = {silent}
    group.maps[0].put("first", Box(n=1))
    group.settle()
    group.network.sent.clear()
    for number in range(4):
        told = group.maps[0].put(f"k{number}", Box(n=number))
        group.settle()
        assert told.done
        assert group.roles(f"k{number}") == [Role.PRIMARY, None, Role.BACKUP]
    assert silent not in {to for _, to, _ in group.network.sent}
    group.network.hold.clear()
    group.network.heartbeat()
    assert all(group.roles(f"k{number}") == [Role.PRIMARY, Role.PROXY, Role.BACKUP] for number in range(4))


def test_a_silent_member_is_asked_until_it_answers() -> None:
    group = Group(2)
    group.network.hold = {group.channels[1].local_member}
    group.maps[0].put("k", Box(n=1))
    group.settle()
    for _ in range(3):
        group.network.pass_time()
        group.settle()
    assert group.roles("k") == [Role.PRIMARY, None]
    group.network.hold.clear()
    for _ in range(3):
        group.network.pass_time()
        group.settle()
    assert group.roles("k") == [Role.PRIMARY, Role.BACKUP]
