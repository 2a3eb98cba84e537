from __future__ import annotations

import contextlib
import threading

import pytest

from catalina.tribes.tipis.map_entry import MapEntry, Role
from catalina.tribes.tipis.map_fetching import Fetched
from catalina.tribes.tipis.map_stamp import NO_STAMP
from tests.tribes.tipis.maps import Box, Group

PRIMARY, BACKUP, PROXY = Role.PRIMARY, Role.BACKUP, Role.PROXY


def test_a_change_that_does_not_arrive_is_followed_by_the_whole_value() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.maps[0].get("k").set("m", 2)
    group.network.faults.append("drop")
    told = group.maps[0].replicate("k")
    group.settle()
    assert told is not None
    assert told.done
    assert group.contents("k").count({"n": 1, "m": 2}) == 2
    assert group.roles("k").count(BACKUP) == 1


def test_who_could_not_be_told_is_told_when_he_is_heard_again() -> None:
    group = Group(3)
    group.network.faults.extend(["", "drop", "drop"])
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.roles("k").count(None) == 1
    group.network.heartbeat()
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, BACKUP, PROXY]))


def test_who_missed_a_removal_is_told_when_he_is_heard_again() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.network.faults.extend(["drop"] * 4)
    group.maps[0].remove("k")
    group.settle()
    assert group.roles("k").count(None) == 1
    group.network.heartbeat()
    assert group.roles("k") == [None, None, None]


def test_a_change_of_a_value_that_never_came_asks_for_the_whole() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    group.maps[1].entry("k").value = None
    group.maps[0].get("k").set("m", 2)
    group.maps[0].replicate("k")
    group.settle()
    assert group.contents("k") == [{"n": 1, "m": 2}] * 2


@pytest.mark.parametrize("first", [0, 1])
def test_two_claims_at_once_end_with_one_owner(first: int) -> None:
    group = Group(3)
    group.maps[2].put("k", Box(n=1))
    group.settle()
    group.maps[2].remove("k")
    group.settle()
    group.maps[0].put("k", Box(n=0))
    group.maps[1].put("k", Box(n=1))
    links = group.network.busy_links()
    for pair in links if first == 0 else reversed(links):
        while group.network.links[pair]:
            group.network.deliver(pair)
    group.settle()
    assert group.roles("k").count(PRIMARY) == 1
    owner = group.roles("k").index(PRIMARY)
    assert group.contents("k").count(group.contents("k")[owner]) == 2


def test_a_request_on_a_node_that_lost_the_entry_meanwhile_is_not_lost() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    box = group.maps[0].get("k")
    other = group.roles("k").index(BACKUP)
    group.maps[other].get("k")
    group.settle()
    assert group.roles("k")[0] is not PRIMARY
    box.set("m", 2)
    group.maps[0].entry("k").value = box  # a request here still has the value in its hands
    group.maps[0].replicate("k")
    group.settle()
    assert group.roles("k")[0] is PRIMARY
    assert group.contents("k").count({"n": 1, "m": 2}) == 2


def test_a_value_that_nobody_has_any_more_is_none() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    for number in range(3):
        group.maps[number].entry("k").value = None
    assert group.maps[proxy].get("k") is None
    assert group.maps[proxy].get("unknown") is None


def test_of_several_threads_one_fetches_and_all_get_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    each = group.maps[proxy]
    fetching = threading.Event()
    go_on = threading.Event()
    original = each.claims._fetch_value

    def slow(entry: object) -> None:
        fetching.set()
        assert go_on.wait(10)
        original(entry)

    each.claims._fetch_value = slow
    found: list[object] = []
    first = threading.Thread(target=lambda: found.append(each.get("k")), name="first")
    second = threading.Thread(target=lambda: found.append(each.get("k")), name="second")
    monkeypatch.setattr(group.network.reactor, "blocking", contextlib.nullcontext)
    each.fetching.retrieve = lambda entry, holders: (Fetched(Box(n=1), NO_STAMP), False)
    first.start()
    assert fetching.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert len(found) == 2
    assert found[0] is found[1]


def test_an_entry_that_all_say_is_gone_is_forgotten() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    for number in range(3):
        if number != proxy:
            group.maps[number].table.entries.clear()
    assert group.maps[proxy].get("k") is None
    assert "k" not in group.maps[proxy]


def test_a_value_that_moves_on_while_it_is_asked_for_is_found_where_it_went() -> None:
    group = Group(4)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    first, second = [number for number, role in enumerate(group.roles("k")) if role is PROXY]
    asker = group.maps[first]
    original = asker.fetching.retrieve
    calls: list[object] = []

    def retrieve(entry: MapEntry, holders: list[object]) -> object:
        calls.append(holders)
        if len(calls) == 1:
            group.maps[second].get("k")
            group.settle()
            return None, True
        return original(entry, holders)

    asker.fetching.retrieve = retrieve
    assert asker.get("k").content == {"n": 1}
    assert len(calls) == 2


def test_a_value_that_comes_by_itself_while_it_is_asked_for_is_taken() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    asker = group.maps[proxy]

    def retrieve(entry: MapEntry, holders: list[object]) -> object:
        entry.role, entry.value = BACKUP, Box(n=2)
        return None, True

    asker.fetching.retrieve = retrieve
    assert asker.get("k").content == {"n": 2}
    group.settle()
    assert group.roles("k")[proxy] is PRIMARY


def test_what_was_changed_while_nobody_was_there_outlives_a_claim_made_without_it() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    for number in (0, 1):
        group.maps[number].member_disappeared(group.channels[1 - number].local_member)
    assert group.roles("k") == [PRIMARY, PRIMARY]
    group.maps[0].get("k").content["n"] = 2
    group.maps[0].note_change("k")
    group.network.heartbeat(3)
    assert group.contents("k") == [{"n": 2}, {"n": 2}]
    assert sorted(map(str, group.roles("k"))) == sorted(map(str, [PRIMARY, BACKUP]))


def test_replicating_what_is_not_here_is_nothing() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    proxy = group.roles("k").index(PROXY)
    assert group.maps[proxy].replicate("k", complete=True) is None
