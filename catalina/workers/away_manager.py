"""Stands in a worker for the session manager of an application that runs in other workers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.session.manager_base import ManagerBase
from catalina.workers.services import HOLDER, KNOWS_SESSION

if TYPE_CHECKING:
    from catalina.session.standard_session import StandardSession

__all__ = ["AwayManager"]


class _KnownSession:
    """A session that exists: this worker has no copy, and needs none."""

    is_valid = True

    @staticmethod
    def access() -> bool:
        """False: nobody uses it here."""
        return False


class AwayManager(ManagerBase):
    """Knows who has the sessions, for the worker that passes a request on.

    Args:
        key: of the application.
        workers: the indexes of those that run it.
        call: a service of the keeper. Raises KeeperGoneError.
    """

    def __init__(
        self, key: str, workers: Callable[[], Sequence[int]], call: Callable[[str, object], Any], **values: Any
    ) -> None:
        super().__init__(**values)
        self._key = key
        self._workers = workers
        self._call = call
        self._turn = 0

    def worker_for(self, session_id: str | None) -> int:
        """The worker that is to answer a request: the one that has its session, else each in its turn.

        Raises:
            KeeperGoneError: nobody knows who has the session.
            CatalinaError: no worker runs the application.
        """
        workers = self._workers()
        if not workers:
            raise CatalinaError(f"{self}: no worker runs the application")
        if len(workers) > 1 and session_id is not None:
            holder = self._call(HOLDER, [self._key, session_id])
            if holder in workers:
                return int(holder)
        self._turn = turn = self._turn + 1
        return workers[turn % len(workers)]

    def find_session(self, session_id: str) -> StandardSession | None:
        """Something for a session that exists, None for others: requests choose a version of the application by it."""
        known: Any = _KnownSession() if self._call(KNOWS_SESSION, [self._key, session_id]) else None
        found: StandardSession | None = known
        return found

    def background_process(self) -> None:
        """Nothing: the sessions are elsewhere."""
