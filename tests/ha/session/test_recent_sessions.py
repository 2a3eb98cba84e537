from __future__ import annotations

from catalina.ha.session import recent_sessions
from catalina.ha.session.recent_sessions import EARLY_SECONDS, GONE_SECONDS, MAX_EARLY_MESSAGES, RecentSessions
from catalina.ha.session.session_message import EVT_SESSION_DELTA, SessionMessage


def delta(session_id: str, body: bytes = b"x") -> SessionMessage:
    return SessionMessage(EVT_SESSION_DELTA, "/app", body, session_id, "u", 1)


def test_a_tombstone_covers_what_was_made_before_the_end_only() -> None:
    recent = RecentSessions()
    recent.expired("S", timestamp_ms=100, now=0)
    assert recent.is_gone("S", created_ms=100, now=1)
    assert not recent.is_gone("S", created_ms=101, now=1)


def test_a_tombstone_is_forgotten_after_a_while() -> None:
    recent = RecentSessions()
    recent.expired("S", 100, now=0)
    assert recent.has_ended("S", now=GONE_SECONDS - 1)
    assert not recent.has_ended("S", now=GONE_SECONDS)
    recent.forget(GONE_SECONDS)
    assert not recent.has_ended("S", now=0)


def test_several_id_changes_lead_to_the_last_id() -> None:
    recent = RecentSessions()
    recent.renamed("A", "B", 1, now=0)
    recent.renamed("B", "C", 2, now=0)
    assert recent.new_id("A", now=1) == "C"
    assert recent.new_id("C", now=1) is None


def test_ids_that_change_in_a_circle_end() -> None:
    recent = RecentSessions()
    recent.renamed("A", "B", 1, now=0)
    recent.renamed("B", "A", 2, now=0)
    assert recent.new_id("A", now=1) == "B"


def test_early_messages_come_back_in_order_once() -> None:
    recent = RecentSessions()
    first, second = delta("S", b"1"), delta("S", b"2")
    assert recent.keep_early(first, now=0)
    assert recent.keep_early(second, now=0)
    assert recent.take_early("S") == [first, second]
    assert recent.take_early("S") == []


def test_early_messages_are_forgotten_and_counted() -> None:
    recent = RecentSessions()
    recent.keep_early(delta("S"), now=0)
    assert recent.forget(EARLY_SECONDS - 1) == 0
    assert recent.forget(EARLY_SECONDS) == 1


def test_the_end_of_a_session_drops_what_came_early_for_it() -> None:
    recent = RecentSessions()
    recent.keep_early(delta("S"), now=0)
    recent.expired("S", 1, now=1)
    assert recent.take_early("S") == []


def test_messages_for_one_session_are_bounded() -> None:
    recent = RecentSessions()
    kept = [recent.keep_early(delta("S"), now=0) for _ in range(MAX_EARLY_MESSAGES + 1)]
    assert kept == [True] * MAX_EARLY_MESSAGES + [False]


def test_bytes_and_entries_are_bounded(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(recent_sessions, "MAX_EARLY_BYTES", 12)
    monkeypatch.setattr(recent_sessions, "MAX_ENTRIES", 2)
    recent = RecentSessions()
    assert not recent.keep_early(delta("S", b"x" * 13), now=0)
    for number in range(5):
        assert recent.keep_early(delta(str(number), b"1234"), now=0)
        recent.expired(f"gone{number}", 1, now=0)
    assert recent.take_early("0") == []
    assert len(recent.take_early("4")) == 1
    assert not recent.has_ended("gone0", now=0)
    assert recent.has_ended("gone4", now=0)
