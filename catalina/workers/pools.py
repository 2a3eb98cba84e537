"""The pools of a node: workers that run one application and nothing else.

The keeper gives an application seats, in memory that it shares with the arbiter; the arbiter forks a worker for each
seat, and ends it when the seat is free again. A reload or a new version is new processes in other seats: the old ones
serve until the new ones have started the application, and go on when those cannot.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from threading import Condition
from typing import TYPE_CHECKING, Protocol

from catalina.errors import CatalinaError, DeploymentError
from catalina.workers.application_entry import ApplicationEntry
from catalina.workers.shared_parts import POOL_SEATS

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["Pools", "Seats", "warn_of_walls"]

log = logging.getLogger("org.apache.catalina.workers.Pools")

#: Seconds that a new process may take to reach the keeper. Its application may then take as long as it needs.
FIRST_WORD_SECONDS = 60.0
#: Seconds between two looks at what a wait is for.
LOOK_SECONDS = 0.5


class Seats(Protocol):
    """The seats, by their numbers, as keeper and arbiter share them."""

    def owner(self, number: int) -> int:
        """The number of the application that has the seat; 0 for a free one."""

    def give(self, number: int, owner: int) -> None:
        """Want a worker in a seat, or none (0)."""

    def has_failed(self, number: int) -> bool:
        """True when the last process in a seat has ended before it served, and the next one has not begun."""


def warn_of_walls(context: StandardContext, pooled: Collection[StandardContext]) -> None:
    """Say at the start of an application where crossContext ends: other applications' objects are in this process only.

    Args:
        context: has started.
        pooled: the applications of its host that run in pools.
    """
    crossing = [each for each in context.host.children if isinstance(each, type(context)) and each.cross_context]
    if context not in pooled:
        if context in crossing and pooled:
            log.warning("[%s] crossContext does not reach [%s]: processes of their own run them", _shown(context),
                        _shown(*pooled))  # fmt: skip
        return
    if context.cross_context:
        log.warning('[%s] crossContext="true" reaches no other application: this one runs in processes of its own. '
                    'Give them and this one isolation="shared"', _shown(context))  # fmt: skip
    shut_out = [each for each in crossing if each not in pooled]
    if shut_out:
        log.warning("[%s] runs in processes of its own, where crossContext of [%s] does not reach it", _shown(context),
                    _shown(*shut_out))  # fmt: skip


def _shown(*contexts: StandardContext) -> str:
    return ", ".join(sorted(each.name or "/" for each in contexts))


def _owner_of(key: str) -> int:
    return zlib.crc32(key.encode()) or 1


class Pools:
    """The keeper's part.

    Args:
        table: guards what the workers say, and hears of changes.
        present: the indexes of the workers that have a link to this keeper.
        outcome: what the worker of an index has said about an application: None for nothing yet, empty if it runs,
            else the reason why it does not. Under the lock.
        is_ending: True when the node stops.
    """

    def __init__(
        self,
        seats: Seats,
        table: Condition,
        present: Callable[[], set[int]],
        outcome: Callable[[int, str], str | None],
        is_ending: Callable[[], bool],
    ) -> None:
        self._seats = seats
        self._table = table
        self._present = present
        self._outcome = outcome
        self._is_ending = is_ending
        #: The entry of an application whose new workers start, for them alone. Under the lock.
        self.starting: ApplicationEntry | None = None
        self._died: set[int] = set()
        #: The seat that was given last.
        self._last = POOL_SEATS[-1]
        #: Reasons of processes that could not begin, by their indexes. Under the lock.
        self._not_begun: dict[int, str] = {}
        #: How often a worker was lost or replaced, by the number of the application. Under the lock.
        self._restarts: Counter[int] = Counter()

    def choose(
        self, entry: ApplicationEntry, old: ApplicationEntry | None, count: int, *, has_workers: bool
    ) -> tuple[int, ...]:
        """The seats for an application whose workers have started it when this returns.

        Args:
            old: what the keeper knew of it before.
            has_workers: False while the node starts; the workers come when everything is deployed.

        Raises:
            DeploymentError: it does not start in them, or there are too few seats.
        """
        if not has_workers:
            return self.take_again(entry.key, count)
        if old is not None and old.is_paused and old.seats and (old.source, old.files) == (entry.source, entry.files):
            return old.seats  # they wait, and run what is there already
        seats = self.take(entry.key, count)
        self.start(replace(entry, workers=seats, is_paused=False), seats)
        return seats

    def replace_worker(self, entries: Iterable[ApplicationEntry], index: int, why: str) -> ApplicationEntry:
        """Start another worker for the one that has had enough, and that goes on until its seat is free.

        Args:
            entries: of all applications.
            index: of the worker.

        Returns: the entry of its application, with the new worker in the place of the old one.

        Raises:
            CatalinaError: no pool that runs has this worker.
            DeploymentError: the application does not start in another one.
        """
        found = (each for each in entries if index in each.seats)
        old = next((each for each in found if each.runs and not each.is_paused), None)
        if old is None:
            raise CatalinaError(f"worker [{index}] is in no pool that runs")
        seats = self.take(old.key, 1)
        entry = replace(old, workers=(*(each for each in old.seats if each != index), *seats))
        log.info("[%s] A worker of its pool is replaced: %s", entry.name or "/", why)
        self.start(entry, seats)
        with self._table:
            self._restarts[_owner_of(entry.key)] += 1
        return entry

    def take(self, key: str, count: int) -> tuple[int, ...]:
        """Free seats for an application.

        Raises:
            DeploymentError: there are too few.
        """
        free = self._free()
        if len(free) < count:
            raise DeploymentError(
                f"its pool wants {count} workers, {len(free)} of {len(POOL_SEATS)} seats for workers of pools are free"
            )
        self._last = free[count - 1] if count else self._last
        return self._give(free[:count], _owner_of(key))

    def _free(self) -> list[int]:
        """The free seats, those behind the last given one first: the process of a seat that has just become free may
        still end, and its end must not count for the next one.
        """
        present = self._present()
        free = [
            index for number, index in enumerate(POOL_SEATS) if not self._seats.owner(number) and index not in present
        ]
        return sorted(free, key=lambda index: (index - self._last - 1) % len(POOL_SEATS))

    def has_room(self, key: str, count: int) -> bool:
        """True when an application has seats, or can have them and again as many for its reloads."""
        owner = _owner_of(key)
        if any(self._seats.owner(number) == owner for number in range(len(POOL_SEATS))):
            return True
        return len(self._free()) >= 2 * count

    def take_again(self, key: str, count: int) -> tuple[int, ...]:
        """The seats that an application has from an earlier keeper, or free ones. Raises DeploymentError."""
        owner = _owner_of(key)
        known = [index for number, index in enumerate(POOL_SEATS) if self._seats.owner(number) == owner]
        self.free(known[count:])
        return (*known[:count], *self.take(key, max(0, count - len(known))))

    def _give(self, indexes: Iterable[int], owner: int) -> tuple[int, ...]:
        given = tuple(indexes)
        for index in given:
            self._seats.give(index - POOL_SEATS.start, owner)
        return given

    def free(self, indexes: Iterable[int]) -> None:
        """Seats are no longer wanted; their workers end in order."""
        self._give((index for index in indexes if index in POOL_SEATS), 0)

    def free_others(self, taken: Iterable[int]) -> None:
        """Free all seats but these: an earlier keeper has given them to applications that are not here any more."""
        kept = set(taken)
        self.free(index for number, index in enumerate(POOL_SEATS) if self._seats.owner(number) and index not in kept)

    def lost(self, index: int) -> None:
        """A worker has gone."""
        with self._table:
            if self.starting is not None and index in (self.starting.workers or ()):
                self._died.add(index)
                self._table.notify_all()
            elif index in POOL_SEATS and (owner := self._seats.owner(index - POOL_SEATS.start)):
                self._restarts[owner] += 1

    def cannot_begin(self, index: int, why: str) -> bool:
        """A process has said why it ends before it begins; False when nobody waits for it."""
        with self._table:
            is_awaited = self.starting is not None and index in (self.starting.workers or ())
            if is_awaited:
                self._not_begun[index] = why
                self._table.notify_all()
            return is_awaited

    def restarts(self, key: str) -> int:
        """How often another worker has taken the place of one of an application's."""
        with self._table:
            return self._restarts[_owner_of(key)]

    def forget(self, entry: ApplicationEntry) -> None:
        """An application has gone."""
        self.free(entry.seats)
        with self._table:
            self._restarts.pop(_owner_of(entry.key), None)

    def start(self, entry: ApplicationEntry, seats: Iterable[int]) -> None:
        """Wait until the workers of new seats have started an application.

        Args:
            entry: with all its workers, those of the new seats among them.

        Raises:
            DeploymentError: it does not start; the seats are free again.
        """
        wanted = set(seats)
        with self._table:
            self.starting, self._died, self._not_begun = entry, set(), {}
        try:
            self._await(entry, wanted)
        except BaseException:
            self.free(wanted)
            raise
        finally:
            with self._table:
                self.starting = None

    def _await(self, entry: ApplicationEntry, wanted: set[int]) -> None:
        deadline = time.monotonic() + FIRST_WORD_SECONDS
        name = entry.name or "/"
        with self._table:
            while True:
                outcomes = {index: self._not_begun.get(index) or self._outcome(index, entry.key) for index in wanted}
                failed = next((why for why in outcomes.values() if why), "")
                if failed:
                    raise DeploymentError(failed)
                if all(why is not None for why in outcomes.values()):
                    return
                if self._died & wanted or any(self._seats.has_failed(index - POOL_SEATS.start) for index in wanted):
                    raise DeploymentError(
                        f"{name}: a worker of its pool has ended while it started the application; the log says why"
                    )
                if self._is_ending():
                    raise DeploymentError(f"{name}: the node stops")
                if time.monotonic() > deadline and not wanted <= self._present():
                    raise DeploymentError(f"{name}: no worker of its pool has come within {FIRST_WORD_SECONDS:g} s")
                self._table.wait(LOOK_SECONDS)
