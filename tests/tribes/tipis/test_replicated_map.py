from __future__ import annotations

from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MSG_COPY, MSG_NOTIFY_MAPMEMBER
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.tribes.tipis.maps import Box, Group

PRIMARY, COPY = Role.PRIMARY, Role.COPY


def group_of(size: int) -> Group:
    return Group(size, ReplicatedMap)


def test_every_node_has_a_copy() -> None:
    group = group_of(3)
    group.network.sent.clear()
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.roles("k") == [PRIMARY, COPY, COPY]
    assert group.contents("k") == [{"n": 1}] * 3
    assert [kind for _, _, kind in group.messages()] == [MSG_COPY, MSG_COPY]


def test_a_change_goes_to_all() -> None:
    group = group_of(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.maps[0].get("k").set("m", 2)
    group.maps[0].replicate("k")
    group.settle()
    assert group.contents("k") == [{"n": 1, "m": 2}] * 3


def test_a_plain_value_is_told_whole() -> None:
    from catalina.tribes.tipis.map_values import ObjectCodec

    group = group_of(2)
    for each in group.maps:
        each.claims.codec = each.fetching.codec = each.receiving.codec = ObjectCodec()
    value = [1]
    group.maps[0].put("k", value)
    group.settle()
    value.append(2)
    assert group.maps[0].replicate("k") is None
    group.maps[0].replicate("k", complete=True)
    group.settle()
    assert group.maps[1].peek("k") == [1, 2]


def test_reading_a_copy_makes_its_node_the_owner_without_sending_the_value() -> None:
    group = group_of(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.sent.clear()
    group.network.now += 10  # the claim of the put is old news
    assert group.maps[1].get("k").content == {"n": 1}
    group.settle()
    assert [kind for _, _, kind in group.messages()] == [MSG_NOTIFY_MAPMEMBER, MSG_NOTIFY_MAPMEMBER]
    assert group.maps[0].entry("k").primary == group.channels[1].local_member
    assert group.roles("k")[1] is PRIMARY
    assert group.contents("k") == [{"n": 1}] * 3


def test_the_owner_s_death_makes_one_copy_the_owner() -> None:
    group = group_of(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.kill(0)
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, COPY]))
    primaries = {each.entry("k").primary for each in group.maps[1:]}
    assert len(primaries) == 1


def test_a_newcomer_gets_every_value() -> None:
    group = group_of(2)
    for number in range(100):
        group.maps[number % 2].put(f"k{number}", Box(n=number))
    group.settle()
    group.join()
    assert [group.maps[2].peek(f"k{number}").content for number in range(100)] == [{"n": n} for n in range(100)]


def test_the_last_node_keeps_all() -> None:
    group = group_of(3)
    group.maps[2].put("k", Box(n=1))
    group.settle()
    group.kill(2)
    group.kill(1)
    assert group.roles("k") == [PRIMARY]
    assert group.contents("k") == [{"n": 1}]


def test_a_copy_that_did_not_arrive_comes_when_its_node_is_heard_again() -> None:
    group = group_of(3)
    group.network.faults.extend(["drop", "", "drop"])
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.contents("k").count(None) == 1
    group.network.heartbeat()
    assert group.contents("k") == [{"n": 1}] * 3


def test_an_empty_value_is_sent_to_nobody() -> None:
    group = group_of(2)
    group.network.sent.clear()
    assert group.maps[0].put("k", None).done
    assert group.messages() == []


def test_removing_removes_everywhere() -> None:
    group = group_of(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.maps[1].remove("k")
    group.settle()
    assert group.roles("k") == [None, None, None]
