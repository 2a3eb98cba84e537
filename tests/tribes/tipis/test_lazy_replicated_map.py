from __future__ import annotations

from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import (
    MSG_BACKUP,
    MSG_NOTIFY_MAPMEMBER,
    MSG_PROXY,
    MSG_REMOVE,
    MSG_STOP,
)
from tests.tribes.tipis.maps import Box, Group

PRIMARY, BACKUP, PROXY = Role.PRIMARY, Role.BACKUP, Role.PROXY


def test_a_new_entry_has_an_owner_and_one_backup_and_is_known_to_all() -> None:
    group = Group(4)
    group.network.sent.clear()
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert sorted(str(role) for role in group.roles("k")) == sorted(map(str, [PRIMARY, BACKUP, PROXY, PROXY]))
    assert group.contents("k").count({"n": 1}) == 2
    assert sorted(kind for _, _, kind in group.messages()) == [MSG_BACKUP, MSG_PROXY, MSG_PROXY]


def test_backups_are_chosen_in_turn() -> None:
    group = Group(3)
    for key in "abcd":
        group.maps[0].put(key, Box(n=1))
    group.settle()
    holders = [group.maps[0].entry(key).nodes[0] for key in "abcd"]
    assert holders[0] == holders[2]
    assert holders[1] == holders[3]
    assert holders[0] != holders[1]


def test_the_handle_of_a_put_is_done_when_all_have_acknowledged() -> None:
    group = Group(3)
    told = group.maps[0].put("k", Box())
    assert not told.done
    group.settle()
    assert told.done


def test_alone_there_is_nobody_to_tell() -> None:
    group = Group(1)
    assert group.maps[0].put("k", Box(n=1)).done
    assert group.maps[0].replicate("k", complete=True) is None
    assert group.roles("k") == [PRIMARY]


def test_a_change_goes_to_the_backup_only_and_as_a_difference() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.sent.clear()
    group.maps[0].get("k").set("m", 2)
    told = group.maps[0].replicate("k")
    group.settle()
    assert told is not None
    assert told.done
    assert [kind for _, _, kind in group.messages()] == [MSG_BACKUP]
    assert group.contents("k").count({"n": 1, "m": 2}) == 2


def test_nothing_is_sent_when_nothing_changed() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.maps[0].replicate("k") is None
    assert group.maps[0].replicate("unknown") is None


def test_the_backup_becomes_the_owner_without_asking() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup = group.roles("k").index(BACKUP)
    group.network.sent.clear()
    group.network.now += 10  # the claim of the put is old news
    assert group.maps[backup].get("k").content == {"n": 1}
    assert group.roles("k")[backup] is PRIMARY
    group.settle()
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, BACKUP, PROXY]))
    assert sorted(kind for _, _, kind in group.messages()) == [MSG_BACKUP, MSG_PROXY]
    assert ("primary", "k") in group.owners[backup].told


def test_a_node_that_has_nothing_asks_once_and_becomes_the_owner() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    group.network.sent.clear()
    group.network.now += 10  # the claim of the put is old news
    assert group.maps[proxy].get("k").content == {"n": 1}
    group.settle()
    assert group.roles("k")[proxy] is PRIMARY
    assert group.roles("k")[0] is PROXY
    assert group.contents("k")[0] is None
    assert sorted(kind for _, _, kind in group.messages()) == [MSG_PROXY, MSG_NOTIFY_MAPMEMBER]
    assert ("received", "k") in group.owners[proxy].told
    assert ("removed", "k") in group.owners[0].told
    group.maps[proxy].get("k").set("m", 2)
    group.maps[proxy].replicate("k")
    group.settle()
    assert group.contents("k").count({"n": 1, "m": 2}) == 2


def test_the_owner_s_death_makes_the_backup_the_owner_and_finds_another_backup() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.kill(0)
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, BACKUP]))
    assert group.contents("k") == [{"n": 1}, {"n": 1}]


def test_the_backup_s_death_finds_another_backup() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.kill(group.roles("k").index(BACKUP))
    assert group.roles("k") == [PRIMARY, BACKUP]
    assert group.contents("k") == [{"n": 1}, {"n": 1}]


def test_both_dying_leaves_nothing_behind() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup = group.roles("k").index(BACKUP)
    group.network.kill(group.channels[0])
    group.network.kill(group.channels[backup])
    group.network.heartbeat(2)
    assert group.roles("k") == [None]


def test_a_newcomer_knows_all_entries_and_holds_what_had_no_backup() -> None:
    group = Group(1)
    for number in range(200):
        group.maps[0].put(f"k{number}", Box(n=number))
    group.join()
    assert len(group.maps[1]) == 200
    assert all(group.roles(f"k{number}") == [PRIMARY, BACKUP] for number in range(200))
    group.join()
    assert len(group.maps[2]) == 200
    assert all(group.roles(f"k{number}")[2] is PROXY for number in range(200))
    assert group.maps[2].get("k7").content == {"n": 7}


def test_many_entries_are_given_new_backups_some_at_a_time() -> None:
    group = Group(1)
    for number in range(500):
        group.maps[0].put(f"k{number}", Box(n=number))
    channel = group.network.add(2)
    from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
    from tests.tribes.tipis.maps import BoxCodec

    newcomer = LazyReplicatedMap(channel, "app-map", None, BoxCodec(), clock=group.network.clock)
    group.channels.append(channel)
    group.maps.append(newcomer)
    longest = 0
    original = group.network.deliver

    def deliver(pair: object) -> None:
        nonlocal longest
        longest = max(longest, *(len(link) for link in group.network.links.values()))
        original(pair)  # type: ignore[arg-type]

    group.network.deliver = deliver  # type: ignore[method-assign]
    newcomer.start()
    group.settle()
    assert all(group.roles(f"k{number}") == [PRIMARY, BACKUP] for number in range(500))
    assert longest < 150


def test_a_node_that_stops_says_so_and_its_entries_live_on() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.sent.clear()
    group.maps[0].stop()
    group.settle()
    assert [message for message in group.messages() if message[2] == MSG_STOP] == [(0, 1, MSG_STOP), (0, 2, MSG_STOP)]
    roles = [group.maps[number].entry("k").role for number in (1, 2)]
    assert sorted(map(str, roles)) == sorted(map(str, [PRIMARY, BACKUP]))
    assert len(group.maps[0]) == 0


def test_removing_removes_everywhere() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup = group.roles("k").index(BACKUP)
    group.network.sent.clear()
    assert group.maps[0].remove("k").content == {"n": 1}
    group.settle()
    assert group.roles("k") == [None, None, None]
    assert [kind for _, _, kind in group.messages()] == [MSG_REMOVE, MSG_REMOVE]
    assert ("removed", "k") in group.owners[backup].told
    assert group.maps[0].remove("k") is None


def test_a_backup_that_cannot_be_reached_is_replaced() -> None:
    group = Group(3)
    group.network.faults.append("drop")
    told = group.maps[0].put("k", Box(n=1))
    group.settle()
    assert told.done
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, BACKUP, PROXY]))


def test_an_entry_that_found_no_backup_gets_one_when_a_member_is_heard_again() -> None:
    group = Group(2)
    group.network.faults.extend(["drop", "drop"])  # and the question whether it is back
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.roles("k") == [PRIMARY, None]
    group.network.heartbeat()
    assert group.roles("k") == [PRIMARY, BACKUP]
    assert group.contents("k") == [{"n": 1}] * 2


def test_looking_does_not_take_an_entry_over() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.maps[1].peek("k").content == {"n": 1}
    group.settle()
    assert group.roles("k") == [PRIMARY, BACKUP]
    assert "k" in group.maps[1]
    assert group.maps[1].keys() == ["k"]
