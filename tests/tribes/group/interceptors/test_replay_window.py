"""Messages that were seen before, with the time as an argument."""

from __future__ import annotations

import pytest

from catalina.tribes.group.interceptors.replay_window import ReplayWindow

NOW = 1_700_000_000_000


def test_a_message_is_taken_once():
    window = ReplayWindow(10_000, 100, NOW)
    assert window.admit(b"a", NOW, NOW)
    assert not window.admit(b"a", NOW, NOW)
    assert window.admit(b"b", NOW, NOW)


@pytest.mark.parametrize(
    ("timestamp", "taken"),
    [(NOW - 10_001, False), (NOW - 9_999, True), (NOW, True), (NOW + 10_000, True), (NOW + 10_001, False)],
)
def test_only_times_near_now_are_taken(timestamp, taken):
    assert ReplayWindow(10_000, 100, NOW - 60_000).admit(b"a", timestamp, NOW) is taken


def test_nothing_from_before_the_start_is_taken_later():
    window = ReplayWindow(10_000, 100, NOW)
    assert not window.admit(b"a", NOW - 10_000, NOW)


def test_when_full_the_oldest_is_forgotten_and_nothing_older_is_taken():
    window = ReplayWindow(10_000, 2, NOW - 60_000)
    assert window.admit(b"1", NOW + 1, NOW)
    assert window.admit(b"3", NOW + 3, NOW)
    assert window.admit(b"2", NOW + 2, NOW)
    assert not window.admit(b"1", NOW + 1, NOW), "forgotten, and refused by its time"
    assert not window.admit(b"0", NOW, NOW)
    assert not window.admit(b"3", NOW + 3, NOW)


def test_memory_stays_bounded():
    window = ReplayWindow(10_000, 50, NOW)
    for number in range(1000):
        window.admit(b"%d" % number, NOW + number, NOW)
    assert len(window._seen) == len(window._by_time) == 50
