from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.tribes.tipis.map_entry import Role
from tests.tribes.tipis.maps import Box, Group


def test_differences_of_one_round_reach_their_holders_in_one_write() -> None:
    group = Group(2)
    for key in "abc":
        group.maps[0].put(key, Box(n=1))
    group.settle()
    together = group.maps[0].round()
    told = []
    for key in "abc":
        box = group.maps[0].peek(key)
        box.set("n", 2)
        told.append(together.replicate(key, box))
    assert not group.network.busy_links()
    together.send()
    assert len(set(map(id, told))) == 1
    group.settle()
    assert all(each.done for each in told)
    assert [group.contents(key) for key in "abc"] == [[{"n": 2}] * 2] * 3


def test_a_value_that_comes_twice_in_a_round_is_told_twice_in_its_order() -> None:
    group = Group(2)
    group.maps[0].put("k", box := Box(n=1))
    group.settle()
    together = group.maps[0].round()
    box.set("n", 2)
    together.replicate("k", box)
    box.set("n", 3)
    together.replicate("k", box)
    together.send()
    group.settle()
    assert group.contents("k") == [{"n": 3}] * 2


def test_an_entry_without_a_backup_gets_one_and_one_that_is_gone_is_told_to_nobody() -> None:
    group = Group(2)
    group.maps[0].put("k", box := Box(n=1))
    group.settle()
    group.maps[0].entry("k").nodes = ()
    together = group.maps[0].round()
    box.set("n", 2)
    told = together.replicate("k", box)
    together.send()
    group.settle()
    assert told is not None
    assert told.done
    assert group.roles("k") == [Role.PRIMARY, Role.BACKUP]
    group.maps[0].remove("k")
    assert together.replicate("k", box) is None


def test_a_channel_that_refuses_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(2)
    group.maps[0].put("k", box := Box(n=1))
    group.settle()

    def refuse(*_: object) -> None:
        raise ChannelError("stopped")

    monkeypatch.setattr(group.channels[0], "post_all", refuse)
    together = group.maps[0].round()
    box.set("n", 2)
    told = together.replicate("k", box)
    together.send()
    group.settle()
    assert told is not None
    assert told.done
    group.network.heartbeat()
    assert group.contents("k") == [{"n": 2}] * 2
