"""Recognises messages that came before (Tomcat: interceptors/EncryptInterceptor.java, BaseEncryptionManager)."""

from __future__ import annotations

import heapq
import itertools

__all__ = ["ReplayWindow"]


class ReplayWindow:
    """Admits each message once, and only near the time at which it was made. It has no clock: the caller passes
    ``now_ms``.

    When more than ``max_messages`` nonces are remembered, the one with the oldest time is forgotten, and from then on
    no message of that time or an earlier one is admitted.

    Args:
        window_ms: the largest distance between the time of a message and now, in both directions.
        max_messages: nonces remembered.
        now_ms: epoch milliseconds.
    """

    def __init__(self, window_ms: int, max_messages: int, now_ms: int) -> None:
        self._window_ms = window_ms
        self._max_messages = max_messages
        self._floor_ms = now_ms - window_ms
        self._seen: set[bytes] = set()
        self._by_time: list[tuple[int, int, bytes]] = []
        self._count = itertools.count()

    def admit(self, nonce: bytes, timestamp_ms: int, now_ms: int) -> bool:
        """Remember a message; returns True if it is new and its time is near enough to now."""
        if not now_ms - self._window_ms <= timestamp_ms <= now_ms + self._window_ms:
            return False
        if timestamp_ms <= self._floor_ms or nonce in self._seen:
            return False
        self._seen.add(nonce)
        heapq.heappush(self._by_time, (timestamp_ms, next(self._count), nonce))
        while len(self._seen) > self._max_messages:
            oldest_ms, _, oldest = heapq.heappop(self._by_time)
            self._seen.discard(oldest)
            self._floor_ms = max(self._floor_ms, oldest_ms)
        return True
