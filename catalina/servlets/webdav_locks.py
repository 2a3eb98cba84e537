"""Locks of a WebDAV servlet: exclusive and shared rights to write, for a time (RFC 4918, sections 6, 7 and 10.4)."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from catalina.node_state import NodeState

__all__ = ["BadIfError", "DavLocks", "Facts", "Lock", "LockTable", "LockedError", "if_holds", "tokens_of"]

#: Locks that exist at the same time; further ones are refused, because a client chooses how many it asks for.
MAX_LOCKS = 10_000
#: Seconds; a client that wants longer gets this and renews it.
MAX_TIMEOUT = 604_800
DEFAULT_TIMEOUT = 3_600

#: A tag, which names a resource, or a list of conditions.
_PART = re.compile(r"\s*(?:<([^<>]+)>|\(([^()]*)\))\s*")
_CONDITION = re.compile(r'\s*(Not\s+)?(?:<([^<>]+)>|\[((?:W/)?"[^"]*")\])\s*', re.IGNORECASE)
_TOKEN = re.compile(r"<((?:opaquelocktoken|urn):[^<>]+)>")


class LockedError(Exception):
    """A lock stands in the way: 423."""


class BadIfError(ValueError):
    """The If field is malformed; it holds for nobody: 412, as in Tomcat."""


@dataclass(slots=True)
class Lock:
    """One lock.

    Args:
        deep: it covers everything below the path too.
        expires: seconds of the monotonic clock.
    """

    token: str
    path: str
    exclusive: bool
    deep: bool
    owner: str
    timeout: int
    expires: float

    def covers(self, path: str) -> bool:
        """True when a change at the path needs this lock's token."""
        return path == self.path or (self.deep and path.startswith(self.path.rstrip("/") + "/"))


_FIELDS = tuple(field.name for field in fields(Lock))


class DavLocks(NodeState):
    """The locks of one servlet in all processes of a node, as JSON can say them. Any thread."""

    shared = frozenset({"add", "all", "drop", "renew"})

    def __init__(self) -> None:
        self._locks: dict[str, Lock] = {}
        self._guard = threading.Lock()

    def all(self, now: float) -> list[list[Any]]:
        """The locks in force, in the order in which they were made: the fields of each."""
        with self._guard:
            self._end(now)
            return [[getattr(lock, name) for name in _FIELDS] for lock in self._locks.values()]

    def _end(self, now: float) -> None:
        for token in [token for token, lock in self._locks.items() if lock.expires <= now]:
            del self._locks[token]

    def add(self, values: list[Any], now: float) -> bool:
        """Make a lock; False when an existing lock excludes it, or there are too many."""
        new = Lock(*values)
        inner = new.path.rstrip("/") + "/"
        with self._guard:
            self._end(now)
            others = [lock for lock in self._locks.values()
                      if lock.covers(new.path) or (new.deep and lock.path.startswith(inner))]  # fmt: skip
            if len(self._locks) >= MAX_LOCKS or any(new.exclusive or lock.exclusive for lock in others):
                return False
            self._locks[new.token] = new
            return True

    def renew(self, token: str, timeout: int, expires: float) -> None:
        """A lock holds longer; one that has gone does not come back."""
        with self._guard:
            lock = self._locks.get(token)
            if lock is not None:
                lock.timeout, lock.expires = timeout, expires

    def drop(self, tokens: list[str]) -> bool:
        """Locks have gone; False when one of them is not there."""
        with self._guard:
            found = [token for token in tokens if self._locks.pop(token, None) is not None]
            return len(found) == len(tokens)


class LockTable:
    """The locks of one servlet. Any thread.

    Args:
        locks: those of the node.
    """

    def __init__(self, locks: DavLocks | None = None) -> None:
        self._locks = DavLocks() if locks is None else locks

    def _all(self, now: float | None = None) -> list[Lock]:
        return [Lock(*values) for values in self._locks.all(time.monotonic() if now is None else now)]

    def covering(self, path: str, now: float | None = None) -> list[Lock]:
        """The locks in force at a path."""
        return [lock for lock in self._all(now) if lock.covers(path)]

    def below(self, path: str) -> list[Lock]:
        """The locks in force below a directory."""
        return _below(self._all(), path)

    def check(self, path: str, tokens: Iterable[str], with_below: bool = False) -> None:
        """Raise LockedError unless the tokens open every lock in the way; for shared locks one token is enough."""
        known = set(tokens)
        found = self._all()
        locks = [lock for lock in found if lock.covers(path)]
        shared = [lock for lock in locks if not lock.exclusive]
        if any(lock.exclusive and lock.token not in known for lock in locks):
            raise LockedError(path)
        if shared and not any(lock.token in known for lock in shared):
            raise LockedError(path)
        if with_below and any(lock.token not in known for lock in _below(found, path)):
            raise LockedError(path)

    def acquire(self, path: str, exclusive: bool, deep: bool, owner: str, timeout: int) -> Lock:
        """Make a lock. Raises LockedError when an existing lock excludes it, or there are too many."""
        now = time.monotonic()
        lock = Lock(f"opaquelocktoken:{uuid.uuid4()}", path, exclusive, deep, owner, timeout, now + timeout)
        if not self._locks.add([getattr(lock, name) for name in _FIELDS], now):
            raise LockedError(path)
        return lock

    def refresh(self, path: str, tokens: Iterable[str], timeout: int) -> Lock | None:
        """Renew the lock that one of the tokens names; None when there is none at the path."""
        known = set(tokens)
        for lock in self.covering(path):
            if lock.token in known:
                lock.timeout, lock.expires = timeout, time.monotonic() + timeout
                self._locks.renew(lock.token, timeout, lock.expires)
                return lock
        return None

    def release(self, path: str, token: str) -> bool:
        """Give a lock back; False when it is not one of the path."""
        return any(lock.token == token for lock in self.covering(path)) and self._locks.drop([token])

    def closed_below(self, path: str, tokens: Iterable[str]) -> set[str]:
        """The paths below a directory that are locked, and that none of the tokens opens."""
        known = set(tokens)
        return {lock.path for lock in self.below(path) if lock.token not in known}

    def forget(self, path: str, remains: Callable[[str], bool] | None = None) -> None:
        """The resources at these paths have gone, except those for which ``remains`` is true: drop their locks."""
        inner = path.rstrip("/") + "/"
        gone = [lock for lock in self._all() if (lock.path + "/").startswith(inner)]
        tokens = [lock.token for lock in gone if remains is None or not remains(lock.path)]
        if tokens:
            self._locks.drop(tokens)


def _below(locks: Iterable[Lock], path: str) -> list[Lock]:
    inner = path.rstrip("/") + "/"
    return [lock for lock in locks if lock.path.startswith(inner)]


def parse_timeout(field: str | None) -> int:
    """``Second-3600, Infinite`` -> seconds, within the bound."""
    for part in (field or "").split(","):
        word = part.strip().lower()
        if word == "infinite":
            return MAX_TIMEOUT
        if word.startswith("second-") and word[7:].isdecimal() and int(word[7:][:12]) > 0:
            return min(int(word[7:][:12]), MAX_TIMEOUT)
    return DEFAULT_TIMEOUT


def tokens_of(field: str | None) -> list[str]:
    """Every lock token in an If or Lock-Token field."""
    return _TOKEN.findall(field or "")


#: The lock tokens and the entity tag of a resource; None for a resource of another server.
Facts = tuple[Iterable[str], str] | None


def if_holds(field: str, facts: Callable[[str | None], Facts]) -> bool:
    """True when an If field holds: one of its lists must hold, and a list holds when all its conditions do.

    Args:
        facts: tells about the resource that a tag names; None stands for the request's own.

    Raises:
        BadIfError: it has no list, or one that is not understood.
    """
    position, tag, is_open, results = 0, None, True, []
    while position < len(field):
        part = _PART.match(field, position)
        if part is None or (part[1] is not None and is_open and position):
            raise BadIfError(
                f"expected <tag> and (lists of conditions), wrong at character {position}: {field[:200]!r}"
            )
        position = part.end()
        is_open = part[1] is not None
        if part[1] is not None:
            tag = part[1]
            continue
        known = facts(tag)
        holds = _list_holds(part[2], *((), "") if known is None else known)  # each is read, so each error is found
        results.append(known is not None and holds)
    if is_open or not results:
        raise BadIfError(f"expected a list of conditions at the end of {field[:200]!r}")
    return any(results)


def _list_holds(conditions: str, tokens: Iterable[str], etag: str) -> bool:
    if not conditions.strip():
        raise BadIfError("()")
    position, holds = 0, True
    while position < len(conditions):
        match = _CONDITION.match(conditions, position)
        if match is None:
            raise BadIfError(conditions)
        true = match[2] in tokens if match[2] is not None else match[3] == etag
        holds = holds and true is not bool(match[1])
        position = match.end()
    return holds
