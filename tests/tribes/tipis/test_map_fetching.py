from __future__ import annotations

from catalina.tribes.io.java import dumps
from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MSG_RETRIEVE_BACKUP, MapMessage
from tests.tribes.tipis.maps import Box, Group


def ask(group: Group, number: int, key: object) -> MapMessage | None:
    """The answer of a node that is asked for a value."""
    answer = group.maps[number].fetching.reply(MapMessage(b"app-map", MSG_RETRIEVE_BACKUP, dumps(key)))
    return None if answer is None else MapMessage.decode(answer.to_stream())


def test_a_value_is_told_with_its_versions() -> None:
    group = Group(2)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    answer = ask(group, 1, "k")
    assert answer is not None
    assert answer.stamp == group.maps[0].entry("k").stamp


def test_what_is_not_here_or_no_key_is_answered_with_null() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert ask(group, group.roles("k").index(Role.PROXY), "k") is None
    assert ask(group, 0, "other") is None
    assert ask(group, 0, [1]) is None


def test_of_several_values_the_one_that_its_holder_does_not_call_old_is_taken() -> None:
    group = Group(4)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup = group.roles("k").index(Role.BACKUP)
    asker = group.roles("k").index(Role.PROXY)
    old = group.maps[backup].entry("k")
    old.value, old.is_stale = Box(n=0), True
    assert group.maps[asker].get("k").content == {"n": 1}


def test_an_old_value_is_better_than_none() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    backup, asker = group.roles("k").index(Role.BACKUP), group.roles("k").index(Role.PROXY)
    old = group.maps[backup].entry("k")
    old.value, old.is_stale = Box(n=0), True
    group.maps[0].entry("k").value = None
    assert group.maps[asker].get("k").content == {"n": 0}
