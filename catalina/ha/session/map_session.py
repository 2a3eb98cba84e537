"""A session of BackupManager: a DeltaSession that is the value of a replicated map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.delta_session import DeltaSession, fields_of, fields_of_data
from catalina.ha.session.session_data import SessionData
from catalina.ha.session.session_message import stamp, stamp_of
from catalina.ha.session.session_object import DELTA_SESSION_SUIDS, decode_session_object, encode_session_object
from catalina.tribes.ledger.record import FieldChange, Snapshot
from catalina.tribes.ledger.version import NO_VERSION, Version, clock_of
from catalina.tribes.ledger.version_table import decode_version_table, encode_version_table
from catalina.tribes.tipis.map_values import Merge

if TYPE_CHECKING:
    from catalina.ha.session.backup_manager import BackupManager

__all__ = ["MapSession", "SessionCodec"]

#: As in DeltaManager: a session that is only read tells its backup each tenth of its interval that it lives.
ACCESS_FRACTION = 10
#: A version behind a difference is of this century; what looks like one in a Java node's bytes is text.
MAX_STAMP = 2**52


class MapSession(DeltaSession):
    """Says what changed in it, and takes over what another node says."""

    __slots__ = ()

    manager: BackupManager

    def take_diff(self) -> bytes | None:
        """Changes that its backup does not know yet, as a DeltaRequest with its version behind it; None for nothing."""
        delta = self.take_delta()
        if delta is None:
            return None
        self.last_replicated_ms = self.manager.now_ms()
        return delta + stamp(self.record.access)

    def apply_diff(self, diff: bytes) -> None:
        """Take over what changed on another node, as far as it is later than what is known here.

        Raises:
            ProtocolError: it is no DeltaRequest, or one of another session.
        """
        self.merge_diff(diff)
        self.touched_elsewhere()

    def merge_diff(self, diff: bytes) -> Merge:
        """:meth:`apply_diff`, without being a backup by it.

        A Java node's change has no version: it counts as made when it comes.

        Raises:
            ProtocolError: it is no DeltaRequest, or one of another session.
        """
        delta = DeltaRequest.decode(diff)
        (version,) = stamp_of(diff) or (NO_VERSION,)
        if not version or clock_of(version) > MAX_STAMP:
            if delta.session_id != self.id:  # one of this software may know it by another name
                raise ProtocolError(f"Session id mismatch: expected {self.id!r}, got {delta.session_id!r}")
            version = self.manager.next_version()
        self.manager.heard(version)
        changed: list[FieldChange] = []
        has_newer = False
        for name, value in fields_of(delta.actions):
            old = self.record.value_of(name)
            has_newer = has_newer or self.record.versions.get(name, NO_VERSION) > version
            if version > self.record.versions.get(name, NO_VERSION) and self.record.take(name, value, version):
                changed.append((name, old, value))
        self.record.access = max(self.record.access, version)
        self.told(changed, self.manager.notify_listeners_on_replication)
        return Merge(bool(changed), has_newer)

    def merge_value(self, other: MapSession) -> Merge:
        """Take what is later in another node's copy."""
        snapshot = other.record.snapshot()
        has_newer = any(
            version > snapshot.versions.get(name, snapshot.floor) for name, version in self.record.versions.items()
        )
        self.manager.heard(max(snapshot.access, *snapshot.versions.values(), NO_VERSION))
        merged = self.record.merge(snapshot)
        self.told(merged.changed, self.manager.notify_listeners_on_replication)
        return Merge(bool(merged.changed), has_newer)

    def renamed(self, key: str, version: Version) -> None:
        """Another node has given the session that id."""
        if key != self.id:
            self.record.rename(self.id, key, version)
            self.manager.moved(self, key)

    def in_use(self) -> bool:
        """True when the session was used here so lately that it is not idle, whatever another node thinks."""
        interval = self._max_inactive_interval
        return self.is_primary and self.alive and (interval <= 0 or self.idle_ms() < interval * 1000)

    def access_due(self) -> bool:
        """Whether its backup should hear that the session was used, and now counts as told."""
        now_ms = self.manager.now_ms()
        interval = self.max_inactive_interval
        if interval <= 0 or now_ms - self.last_replicated_ms <= interval * 1000 // ACCESS_FRACTION:
            return False
        self.last_replicated_ms = now_ms
        return True

    def accessed_elsewhere(self) -> None:
        """Another node has served a request of this session."""
        self.touched_elsewhere()


class SessionCodec:
    """Sessions as DeltaSession objects, in the form of the version that was heard last."""

    def __init__(self, manager: BackupManager) -> None:
        self._manager = manager
        self._suid = DELTA_SESSION_SUIDS[0]

    def encode(self, value: MapSession, suid: int) -> bytes:
        """The whole session, and behind it the versions of its fields."""
        return encode_session_object(value.to_data(), self._suid, encode_version_table(value.record))

    def decode(self, data: bytes) -> MapSession:
        """A copy of a session; it is not in the manager yet.

        Raises:
            ProtocolError: it is no session.
        """
        session_data, suid, behind = decode_session_object(data)
        if suid in DELTA_SESSION_SUIDS:
            self._suid = suid
        session = self._manager.new_session(session_data.id)
        table = decode_version_table(behind, session.record.key, session_data.id)
        if table is None:
            session.restore(session_data, self._manager.next_version())
        else:
            self._restore(session, session_data, table)
        return session

    @staticmethod
    def _restore(session: MapSession, data: SessionData, table: Snapshot) -> None:
        """A session of a node of this software: every field has the version that it has there. One that a request was
        changing there when it was written has none yet, and counts as the last that was known."""
        last = max(table.access, table.born, table.floor)
        for name, value in fields_of_data(data):
            table.versions.setdefault(name, last)
            if value is not None:
                (table.values if isinstance(name, str) else table.extras)[name] = value  # type: ignore[index]
        session.record.merge(table)
        session.manager.heard(max(table.id_version, last, *table.versions.values(), *table.names.values()))
        session.adopt(session.manager.now_ms(), data.creation_time_ms, 0, data.is_new)
        session.last_accessed_time_ms = data.last_accessed_time_ms
        session.version = data.version
