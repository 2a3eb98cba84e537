"""The end of a session is told to the application's listeners once in a node: in one of its workers.

A worker that ends a session asks the keeper first, because another worker may end its own copy at the same moment. When
the keeper ends a session, or another node does, the keeper chooses a worker: one that has a copy, which tells with the
values that it has, or else any worker that runs the application, which gets the whole session.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.tribes.member import Member

__all__ = ["TELL_ENDS", "SessionTellers"]

#: Service of a worker: sessions of the manager with that key have ended of which no worker had a copy.
TELL_ENDS = "tell-ends"
#: Number of sessions whose tellers are remembered: those that end within the time of a message to a worker.
MAX_REMEMBERED = 4096
#: Number of ended sessions that wait for a worker that runs the application.
MAX_WAITING = 10_000


class SessionTellers:
    """The keeper's knowledge for one application. Any thread. Workers are known by their ports (``peers.py``)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By keys of records: the worker that tells, or has told, the end.
        self._tellers: OrderedDict[str, int] = OrderedDict()
        #: True when a worker has said that the application has session listeners, or values that hear of the end of
        #: their session: all workers run the same application.
        self.is_heard = False
        self._waiting: list[bytes] = []

    def lost(self, port: int, keys: Iterable[str]) -> None:
        """A worker has gone. The sessions of these keys live on."""
        with self._lock:
            for key in keys:
                if self._tellers.get(key) == port:
                    del self._tellers[key]

    def goes_on(self, key: str) -> None:
        """A session that was about to end lives on."""
        if self._tellers:
            with self._lock:
                self._tellers.pop(key, None)

    def may_tell(self, key: str, port: int) -> bool:
        """True when a worker that ends a session is the one that tells."""
        with self._lock:
            teller = self._tellers.setdefault(key, port)
            if len(self._tellers) > MAX_REMEMBERED:
                self._tellers.popitem(last=False)
        return teller == port

    def choose(self, key: str, holders: Collection[Member]) -> Member | None:
        """The worker that tells the end of a session that ended elsewhere; None when a worker is telling it anyway, or
        none has a copy.
        """
        if not holders:
            return None
        chosen = min(holders, key=lambda member: member.port)
        return chosen if self.may_tell(key, chosen.port) else None

    def is_told(self, key: str) -> bool:
        """True when some worker tells, or has told, the end of a session."""
        return key in self._tellers

    def wait(self, *messages: bytes) -> None:
        """Keep sessions that have ended and of which no worker has a copy."""
        with self._lock:
            self._waiting += messages[: MAX_WAITING - len(self._waiting)]

    def take(self) -> list[bytes]:
        """The sessions that wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting
