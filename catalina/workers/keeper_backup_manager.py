"""The BackupManager of a keeper: the member of the group's map for all workers of a node."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from catalina.ha.request_deliveries import current, settle
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import copy_component
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.map_session import MapSession
from catalina.tribes.channel import Delivery
from catalina.tribes.tipis.map_values import Merge
from catalina.workers.map_copies import HeldSessions, MapCopies, MapPosts

if TYPE_CHECKING:
    from catalina.reactor import Reactor
    from catalina.tribes.ledger.record import Record
    from catalina.tribes.tipis.map_round import MapRound
    from catalina.workers.worker_links import WorkerLinks

__all__ = ["KeeperBackupManager", "KeptSession"]

log = logging.getLogger("org.apache.catalina.ha.session.BackupManager")


class KeptSession(MapSession):
    """A session whose requests run in workers."""

    __slots__ = ("diff", "is_held")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        #: The last change that a worker has posted, for the backup.
        self.diff: bytes | None = None
        #: Some worker has a copy; it ends the session when it is idle.
        self.is_held = False

    @property
    def is_valid(self) -> bool:
        """True while the session may be used. A read of this property expires a session whose time is up, if no worker
        has a copy.
        """
        return self.alive if self.is_held else super().is_valid

    def take_diff(self) -> bytes | None:
        """See :meth:`MapSession.take_diff`: as the worker has encoded it."""
        diff, self.diff = self.diff, None
        if diff is not None:
            self.last_replicated_ms = self.manager.now_ms()
        return diff

    def merge_posted(self, diff: bytes) -> None:
        """Take a worker's change, which the other workers hear from the table. Raises ProtocolError."""
        super().merge_diff(diff)

    def merge_diff(self, diff: bytes) -> Merge:
        """See :meth:`MapSession.merge_diff`; workers hear of the change, too."""
        return self._shown(super().merge_diff(diff))

    def merge_value(self, other: MapSession) -> Merge:
        """See :meth:`MapSession.merge_value`; workers hear of the changes, too."""
        return self._shown(super().merge_value(other))

    def _shown(self, merge: Merge) -> Merge:
        if merge.is_changed:
            manager: KeeperBackupManager = self.manager  # type: ignore[assignment]  # the one that has made it
            manager.merged(self)
        return merge

    def used_now(self) -> None:
        """A request in a worker uses the session."""
        self.is_new = False
        self.asked_at_ms = 0
        self.this_accessed_time_ms = self.last_accessed_time_ms = self.manager.now_ms()


class KeeperBackupManager(BackupManager):
    """Owns the sessions of all workers of its node in the group's map.

    Args:
        template: what server.xml says.
    """

    def __init__(self, template: BackupManager, reactor: Reactor) -> None:
        super().__init__(surroundings=template.surroundings)
        copy_component(template, self)
        self._reactor = reactor
        self.table = HeldSessions(surroundings=template.surroundings)
        self.table.cluster = MapPosts(self.name, self.table, self)
        self.copies: MapCopies | None = None
        self._round: MapRound | None = None
        self._waiting: list[Delivery] = []

    def join(self, links: WorkerLinks, key: bytes) -> None:
        """Let workers post under this key. The manager has its name and its context already."""
        self.copies = self.table.copies = links.add_copies(MapCopies(self.table, key, links, self))

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        super()._start()
        copy_component(self, self.table)
        self.table.name = self.table.cluster.name = self.name
        self.table.context = self.context
        self.table.use_clock(self._clock)
        self.table.start()

    def _stop(self) -> None:
        self.table.stop()
        super()._stop()

    def background_process(self) -> None:
        """As every manager; workers end the sessions that they have copies of."""
        super().background_process()
        self.table.background_process()

    def new_session(self, session_id: str) -> KeptSession:
        """An empty session that no other node knows yet."""
        return KeptSession(self, session_id, self.now_ms())

    def tells_end(self, session: DeltaSession) -> bool:
        """See :meth:`ClusterManagerBase.tells_end`. The table tells of a session of which a worker has a copy."""
        if self.copies is not None and isinstance(session, KeptSession) and not session.is_held:
            self.copies.ended_unheld(session)
        return True

    # -- told by the table: in the runner ------------------------------------------------------------------------

    def deliver(self, work: Callable[[], None]) -> Delivery | None:
        """See :class:`MapMember`."""
        replicated = self.map
        if replicated is None:
            work()
            return None
        noted = current.noted
        outer, noted.deliveries = noted.deliveries, []
        self._waiting, self._round = [], replicated.round()
        try:
            work()
            self._round.send()
        finally:
            waiting, noted.deliveries = [*noted.deliveries, *self._waiting], outer
            self._waiting, self._round = [], None
        return self._whole(waiting)

    def _whole(self, waiting: Sequence[Delivery]) -> Delivery | None:
        """One delivery in the place of several; None when no answer waits for them."""
        if not self.answers_wait or all(each.done for each in waiting):
            return None
        whole = Delivery(1, reactor=self._reactor)
        settle((whole,), waiting)
        return whole

    def with_its_messages(self, work: Callable[[], Delivery | None]) -> Delivery | None:
        """See :class:`MapMember`."""
        noted = current.noted
        outer, noted.deliveries = noted.deliveries, []
        try:
            told = work()
        finally:
            waiting, noted.deliveries = noted.deliveries, outer
        return self._whole([*waiting, *(() if told is None else (told,))])

    def born(self, record: Record) -> None:
        """See :class:`MapMember`."""
        session = self._copy_of(record)
        if self.map is None or session is None:
            return
        self.session_counter += 1
        session.is_primary = True
        self.add(session)
        self.map.put(session.id, session)

    def _copy_of(self, record: Record) -> KeptSession | None:
        """A session for the map, from the table's; None when the table has none any more."""
        shown = self.table.sessions.get(record.id)
        if not isinstance(shown, DeltaSession):
            return None
        session = self.new_session(record.id)
        session.record.merge(record.snapshot())
        self.heard(record.latest)
        idle_ms = self.now_ms() - shown.last_accessed_time_ms
        session.adopt(self.now_ms(), shown.creation_time_ms, idle_ms, shown.is_new)
        session.is_held = True
        return session

    def _kept(self, session_id: str) -> KeptSession | None:
        """The session that the map has here, or else a copy that can be handed to its owner."""
        held = None if self.map is None else self.map.peek(session_id)
        if isinstance(held, KeptSession):
            return held
        with self.table.lock:
            record = self.table.ledger.addressed(session_id)
        return None if record is None else self._copy_of(record)

    def posted(self, session_id: str, diff: bytes) -> None:
        """See :class:`MapMember`."""
        session = self._kept(session_id)
        if session is None or self.map is None:
            return
        session.merge_posted(diff)
        session.used_now()
        session.diff = diff
        self._replicate(session_id, session)

    def used(self, session_id: str) -> None:
        """See :class:`MapMember`."""
        session = self._kept(session_id)
        if session is not None:
            session.used_now()
            self._replicate(session_id, session)

    def _replicate(self, session_id: str, session: KeptSession) -> None:
        replicated = self.map
        if replicated is None:
            return
        if not replicated.members:
            if session.take_diff() is not None:
                replicated.note_change(session_id)
        elif self._round is not None:
            told = self._round.replicate(session_id, session)
            if told is not None:
                self._waiting.append(told)

    def taken_whole(self, record: Record) -> None:
        """See :class:`MapMember`."""
        replicated, session_id = self.map, record.id
        if replicated is None:
            return
        if replicated.entry(session_id) is not None:
            self.claim(session_id, partial(self._merge, record))
        elif replicated.has_ended(session_id):
            self._end_copies(session_id)
        else:
            self.born(record)

    def _merge(self, record: Record) -> None:
        """Take into the map's session whatever is later in a worker's session."""
        replicated = self.map
        held = None if replicated is None else replicated.peek(record.id)
        if replicated is None or not isinstance(held, KeptSession):
            return
        held.is_held = True
        merged = held.record.merge(record.snapshot())
        held.told(merged.changed, False)
        if merged.changed:
            replicated.replicate(record.id, complete=True, changed=held)

    def renamed(self, old_id: str, new_id: str) -> None:
        """See :class:`MapMember`."""
        held = None if self.map is None else self.map.peek(old_id)
        if isinstance(held, KeptSession):
            self.rename(held, new_id, notify=False)

    def ended(self, session_id: str, *, is_idle: bool) -> None:
        """See :class:`MapMember`."""
        held = None if self.map is None else self.map.peek(session_id)
        if isinstance(held, KeptSession):
            held.is_held = False
            held.expire(notify=False, is_idle=is_idle)
        elif self.map is not None:
            self.map.remove(session_id, is_idle=is_idle)

    def held(self, session_id: str, is_held: bool, idle_ms: int = 0) -> None:
        """See :class:`MapMember`."""
        held = None if self.map is None else self.map.peek(session_id)
        if isinstance(held, KeptSession):
            held.is_held = is_held
            if not is_held:
                held.used_elsewhere(idle_ms)

    def claim(self, session_id: str, then: Callable[[], None]) -> None:
        """See :class:`MapMember`. Another thread waits for a value that another node has."""
        replicated = self.map
        entry = None if replicated is None else replicated.entry(session_id)
        if entry is None:
            self._show(session_id, None, then)
        elif entry.is_primary or (entry.holds_value and not entry.is_stale):
            self._show(session_id, self.find_session(session_id), then)
        else:
            self._reactor.submit(partial(self._fetch, session_id, then))

    def _fetch(self, session_id: str, then: Callable[[], None]) -> None:
        session = None
        try:
            session = self.find_session(session_id)
        except Exception:
            log.exception("Session [%s] could not be fetched for a worker", session_id)
        self._reactor.call_soon(partial(self._show, session_id, session, then))

    def _show(self, session_id: str, session: object, then: Callable[[], None]) -> None:
        """Give the table what the map has. Where the map had no value of a session, nothing has told of its end."""
        copies = self.copies
        if copies is not None and isinstance(session, KeptSession) and session.is_valid:
            copies.take(session)
        elif (
            copies is not None
            and copies.is_outdated(session_id)
            and (self.map is None or self.map.entry(session_id) is None)
        ):
            copies.end(session_id)
        then()

    # -- events of the map ---------------------------------------------------------------------------------------

    def made_primary(self, key: object, value: object) -> None:
        """This node owns the session from now on; workers may have older copies."""
        super().made_primary(key, value)
        copies = self.copies
        if isinstance(value, KeptSession) and copies is not None and copies.is_outdated(value.id):
            self._in_runner(partial(copies.take, value))

    def merged(self, session: KeptSession) -> None:
        """Another node's changes are in a session here. The owner of a session gets such changes when requests on two
        nodes cross, and nothing else tells the workers that have copies: it goes on being the owner.
        """
        self._in_runner(partial(self._show_merged, session))

    def _show_merged(self, session: KeptSession) -> None:
        # the copies of a session that another node owns are out of date, and ask
        if self.copies is not None and self.owns(session) and self.copies.has(session.id):
            self.copies.take(session)

    def owns(self, session: MapSession) -> bool:
        """See :class:`MapMember`."""
        entry = None if self.map is None else self.map.entry(session.id)
        return entry is not None and entry.is_primary and entry.value is session

    def made_backup(self, key: object, value: object) -> None:
        """Another node owns the session from now on: the workers' copies are out of date."""
        super().made_backup(key, value)
        if isinstance(value, KeptSession) and self.copies is not None:
            self._in_runner(partial(self.copies.outdate, value.id))

    def value_removed(self, key: object, value: object) -> None:
        """The session has ended, or other nodes hold it."""
        super().value_removed(key, value)
        if not isinstance(value, KeptSession) or self.copies is None:
            return
        if self.map is not None and self.map.entry(value.id) is not None:
            self._in_runner(partial(self.copies.outdate, value.id))
        else:
            self._end_copies(value.id)

    def _end_copies(self, session_id: str) -> None:
        if self.copies is not None:
            self._in_runner(partial(self.copies.end, session_id))

    @property
    def has_others(self) -> bool:
        """See :class:`MapMember`."""
        return self.map is not None and bool(self.map.members)

    def rejected(self) -> None:
        """See :class:`MapMember`."""
        self.rejected_sessions += 1

    def _in_runner(self, task: Callable[[], None]) -> None:
        if self._reactor.in_runner:
            task()
        else:
            self._reactor.call_soon(task)
