"""The state of a file that counts."""

from __future__ import annotations

import itertools

import pytest

from catalina.ha.deploy.farm_state import MAX_REMOVALS, FarmState, Removal
from tests.ha.deploy.farm import farm_file


def test_the_newer_file_counts():
    state = FarmState()
    state.put(farm_file(stamp=5))
    assert not state.is_news(farm_file(stamp=4))
    assert not state.is_news(farm_file(stamp=5))
    assert state.is_news(farm_file(stamp=6))


def test_of_two_files_of_one_moment_the_same_counts_everywhere():
    one, other = farm_file(digest=b"\1" * 32), farm_file(digest=b"\2" * 32)
    state = FarmState()
    state.put(one)
    assert state.is_news(other)
    state.put(other)
    assert not state.is_news(one)


EVENTS = [farm_file(stamp=1), farm_file(stamp=2, digest=b"\2" * 32), Removal("/a", 3), farm_file(stamp=4)]


@pytest.mark.parametrize("events", list(itertools.permutations(EVENTS)))
def test_all_orders_of_the_same_messages_end_in_the_same_state(events):
    state = FarmState()
    for event in events:
        if isinstance(event, Removal):
            state.remove(event)
        elif state.is_news(event):
            state.put(event)
    assert (state.files, state.removals) == ([EVENTS[3]], [])


def test_an_older_file_does_not_come_back_after_a_removal():
    state = FarmState()
    assert state.remove(Removal("/a", 10))
    assert not state.is_news(farm_file(stamp=9))
    assert state.is_news(farm_file(stamp=11))


def test_a_removal_is_news_once():
    state = FarmState()
    state.put(farm_file(stamp=1))
    assert state.remove(Removal("/a", 2))
    assert not state.remove(Removal("/a", 2))
    assert state.files == []


def test_a_removal_does_not_touch_a_newer_file():
    state = FarmState()
    state.put(farm_file(stamp=5))
    assert not state.remove(Removal("/a", 4))
    assert state.files == [farm_file(stamp=5)]


def test_the_state_survives_a_restart(tmp_path):
    path = str(tmp_path / "state.json")
    state = FarmState(path)
    state.put(farm_file(), own=True)
    state.remove(Removal("/b", 7))
    again = FarmState(path)
    assert (again.files, again.removals, again.own) == ([farm_file()], [Removal("/b", 7)], {"a.war"})


def test_a_file_is_this_nodes_own_until_another_node_has_a_newer_one():
    state = FarmState()
    state.put(farm_file(stamp=1), own=True)
    state.put(farm_file(stamp=2))
    assert state.own == frozenset(), "who removes the old copy here does not remove the new one everywhere"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": [1], "removals": [], "own": []}', "\0"])
def test_a_broken_state_file_is_said_and_forgotten(tmp_path, content, caplog):
    (tmp_path / "state.json").write_text(content)
    state = FarmState(str(tmp_path / "state.json"))
    assert state.files == []
    assert "cannot be read" in caplog.text


def test_removals_are_bounded():
    state = FarmState()
    for number in range(MAX_REMOVALS + 5):
        state.remove(Removal(f"/{number}", 1))
    assert len(state.removals) == MAX_REMOVALS
