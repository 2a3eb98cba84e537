"""Messages that come too early or too late: a Java peer's asynchronous sends keep no order (wire reference 8.9).

    EXPIRED before DELTA     the session stays gone: a tombstone
    DELTA before CREATED     the delta waits a moment for the session
    DELTA after the id changed    it goes to the session's new id

All three tables forget after a while and are bounded; time comes in as an argument.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from catalina.ha.session.session_message import SessionMessage

__all__ = ["RecentSessions"]

GONE_SECONDS = 60.0
EARLY_SECONDS = 10.0
#: Entries of each table; the oldest goes first.
MAX_ENTRIES = 20_000
#: Early messages kept for one session, and bytes for all of them.
MAX_EARLY_MESSAGES = 64
MAX_EARLY_BYTES = 16 * 2**20


class _Gone(NamedTuple):
    until: float
    timestamp_ms: int
    new_id: str | None  # where it lives on when only its id has changed


class RecentSessions:
    """What happened lately to ids that are not, or not yet, in the manager."""

    def __init__(self) -> None:
        self._gone: OrderedDict[str, _Gone] = OrderedDict()
        self._early: OrderedDict[str, tuple[float, list[SessionMessage]]] = OrderedDict()
        self._early_bytes = 0

    def expired(self, session_id: str, timestamp_ms: int, now: float) -> None:
        """The session ended at ``timestamp_ms``: what was said about it before must not bring it back."""
        self._bury(session_id, _Gone(now + GONE_SECONDS, timestamp_ms, None))
        self.take_early(session_id)

    def renamed(self, session_id: str, new_id: str, timestamp_ms: int, now: float) -> None:
        """The session has another id now."""
        self._bury(session_id, _Gone(now + GONE_SECONDS, timestamp_ms, new_id))

    def _bury(self, session_id: str, gone: _Gone) -> None:
        self._gone.pop(session_id, None)
        self._gone[session_id] = gone
        while len(self._gone) > MAX_ENTRIES:
            self._gone.popitem(last=False)

    def is_gone(self, session_id: str, created_ms: int, now: float) -> bool:
        """Whether a session made at ``created_ms`` has ended since; a later one of the same id is a new session."""
        gone = self._gone.get(session_id)
        return gone is not None and gone.until > now and created_ms <= gone.timestamp_ms

    def has_ended(self, session_id: str, now: float) -> bool:
        """Whether the id ended lately, in whatever way."""
        gone = self._gone.get(session_id)
        return gone is not None and gone.until > now

    def new_id(self, session_id: str, now: float) -> str | None:
        """The id that a renamed session has now, following several changes; None when it was not renamed."""
        new_id = None
        seen = {session_id}
        gone = self._gone.get(session_id)
        while gone is not None and gone.until > now and gone.new_id is not None and gone.new_id not in seen:
            new_id = gone.new_id
            seen.add(new_id)
            gone = self._gone.get(new_id)
        return new_id

    def born(self, session_id: str) -> None:
        """The id is in use again."""
        self._gone.pop(session_id, None)

    def keep_early(self, message: SessionMessage, now: float) -> bool:
        """Keep a message about an unknown session; False when there is no room for it."""
        session_id = message.session_id or ""
        size = len(message.session or b"")
        _, messages = self._early.get(session_id, (0.0, []))
        if self._early_bytes + size > MAX_EARLY_BYTES or len(messages) >= MAX_EARLY_MESSAGES:
            return False
        messages.append(message)
        self._early[session_id] = (now + EARLY_SECONDS, messages)
        self._early_bytes += size
        if len(self._early) > MAX_ENTRIES:
            _, (_, dropped) = self._early.popitem(last=False)
            self._early_bytes -= _size(dropped)
        return True

    def take_early(self, session_id: str) -> list[SessionMessage]:
        """What came early for the session, in the order it came."""
        if session_id not in self._early:
            return []
        _, messages = self._early.pop(session_id)
        self._early_bytes -= _size(messages)
        return messages

    def forget(self, now: float) -> int:
        """Drop what is too old; returns how many early messages never found their session."""
        while self._gone and next(iter(self._gone.values())).until <= now:
            self._gone.popitem(last=False)
        lost = 0
        for session_id in [key for key, (until, _) in self._early.items() if until <= now]:
            lost += len(self.take_early(session_id))
        return lost


def _size(messages: list[SessionMessage]) -> int:
    return sum(len(message.session or b"") for message in messages)
