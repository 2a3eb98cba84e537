"""A session of BackupManager: a DeltaSession that is the value of a replicated map.

In the map's messages it is one object (DeltaSession.writeExternal; docs/wire.md 6.2)::

    class org.apache.catalina.ha.session.DeltaSession, externalizable      super StandardSession, suid 1, eight fields
        the session as in ``session_data``

The serialVersionUID is computed from the shape of the class and compared by Java, so each peer is sent its own number.
"""

from __future__ import annotations

from typing import Protocol

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.delta_session import DeltaSession, fields_of, fields_of_data
from catalina.ha.session.session_data import SessionData, read_session, write_session
from catalina.ha.session.session_message import stamp, stamp_of
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream
from catalina.tribes.ledger.record import FieldChange, Snapshot
from catalina.tribes.ledger.version import NO_VERSION, Version, clock_of
from catalina.tribes.ledger.version_table import decode_version_table, encode_version_table
from catalina.tribes.tipis.map_values import Merge

__all__ = ["DELTA_SESSION_SUIDS", "MapSession", "SessionCodec", "decode_session_object", "encode_session_object"]

#: As in DeltaManager: a session that is only read reports a use to its backup each tenth of its interval.
ACCESS_FRACTION = 10
#: A version behind a difference has a clock of this century; larger numbers in a Java node's bytes are text.
MAX_STAMP = 2**52
CLASS_NAME = "org.apache.catalina.ha.session.DeltaSession"

#: Newest first: 9.0.66 on, 10.1 and 11.0; 9.0.38 to 9.0.65; 9.0.31; 9.0.12.
DELTA_SESSION_SUIDS = (296450023228352885, 2752609111726365693, -8644450145351526069, 2867907695408841010)

_STANDARD_SESSION = describe(
    "org.apache.catalina.session.StandardSession",
    1,
    fields="J creationTime, Z isNew, Z isValid, J lastAccessedTime, I maxInactiveInterval, J thisAccessedTime, "
    "Ljava/util/concurrent/ConcurrentMap; attributes, Ljava/lang/String; id",
)
_CLASSES: dict[int, ClassDesc] = {
    suid: describe(CLASS_NAME, suid, EXTERNALIZABLE, super_desc=_STANDARD_SESSION) for suid in DELTA_SESSION_SUIDS
}


def encode_session_object(session: SessionData, suid: int = DELTA_SESSION_SUIDS[0], behind: bytes = b"") -> bytes:
    """The session as a whole stream: the valuedata of a map's message.

    Args:
        suid: the serialVersionUID of DeltaSession that the receiver has.
        behind: bytes behind the session inside the object, which Java steps over.
    """
    out = ObjectOutputStream()
    out.begin_object(_CLASSES.get(suid, _CLASSES[DELTA_SESSION_SUIDS[0]]))
    write_session(out, session)
    out.write_bytes(behind)
    out.end_object()
    return out.getvalue()


def decode_session_object(data: bytes) -> tuple[SessionData, int, bytes]:
    """Read what :func:`encode_session_object` writes.

    Returns:
        The session, the serialVersionUID with which it was written, and the bytes behind it.

    Raises:
        ProtocolError: the bytes are no session.
    """
    try:
        stream = ObjectInputStream(data)
        desc = stream.enter_object()
        if desc.name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got a {desc.name}")
        session = read_session(stream)
        behind = stream.read_rest()
        stream.leave_object()
    except FAULTS as fault:
        raise broken("a session object", fault) from fault
    return session, desc.suid, behind


class MapManager(Protocol):
    """The part of their manager, BackupManager, that these sessions need beyond that of all clustered sessions."""

    def new_session(self, session_id: str) -> MapSession: ...

    def next_version(self) -> Version: ...

    def heard(self, version: Version) -> None: ...

    def moved(self, session: MapSession, new_id: str) -> None: ...


class MapSession(DeltaSession):
    """A session that reports its own changes, and takes over those of another node."""

    __slots__ = ()

    def take_diff(self) -> bytes | None:
        """Take the changes that the backup does not know yet, as a DeltaRequest with its version behind it; None for
        none.
        """
        delta = self.take_delta()
        if delta is None:
            return None
        self.last_replicated_ms = self.manager.now_ms()
        return delta + stamp(self.record.access)

    def apply_diff(self, diff: bytes) -> None:
        """Take over changes of another node, as far as they are later than those known here.

        Raises:
            ProtocolError: the bytes are no DeltaRequest, or belong to another session.
        """
        self.merge_diff(diff)
        self.touched_elsewhere()

    def merge_diff(self, diff: bytes) -> Merge:
        """As :meth:`apply_diff`, but this node does not become a backup by it.

        A Java node's change has no version, so it counts as made when it comes.

        Raises:
            ProtocolError: the bytes are no DeltaRequest, or belong to another session.
        """
        delta = DeltaRequest.decode(diff)
        manager: MapManager = self.manager  # type: ignore[assignment]  # a BackupManager
        (version,) = stamp_of(diff) or (NO_VERSION,)
        if not version or clock_of(version) > MAX_STAMP:
            if delta.session_id != self.id:  # a Python node may know the session by another name
                raise ProtocolError(f"Session id mismatch: expected {self.id!r}, got {delta.session_id!r}")
            version = manager.next_version()
        manager.heard(version)
        changed: list[FieldChange] = []
        has_newer = False
        record, fields = self.record, fields_of(delta.actions)
        versions = record.versions
        for name, value in fields if len(fields) == 1 else dict(fields).items():  # the last action of each field
            known = versions.get(name, NO_VERSION)
            if known > version:
                has_newer = True
            elif known < version:
                old = record.value_of(name)
                if record.take(name, value, version):
                    changed.append((name, old, value))
        if version > record.access:
            record.access = version
        self.told(changed, self.manager.notify_listeners_on_replication)
        return Merge(bool(changed), has_newer)

    def merge_value(self, other: MapSession) -> Merge:
        """Take everything that is later in another node's copy."""
        snapshot = other.record.snapshot()
        has_newer = any(
            version > snapshot.versions.get(name, snapshot.floor) for name, version in self.record.versions.items()
        )
        manager: MapManager = self.manager  # type: ignore[assignment]  # a BackupManager
        manager.heard(max(snapshot.access, *snapshot.versions.values(), NO_VERSION))
        merged = self.record.merge(snapshot)
        self.told(merged.changed, self.manager.notify_listeners_on_replication)
        return Merge(bool(merged.changed), has_newer)

    def renamed(self, key: str, version: Version) -> None:
        """Another node has given the session that id."""
        if key != self.id:
            self.record.rename(self.id, key, version)
            manager: MapManager = self.manager  # type: ignore[assignment]  # a BackupManager
            manager.moved(self, key)

    def in_use(self) -> bool:
        """True when the session was used here so recently that it is not idle, whatever another node thinks."""
        interval = self._max_inactive_interval
        return self.is_primary and self.alive and (interval <= 0 or self.idle_ms() < interval * 1000)

    def access_due(self) -> bool:
        """True when the backup should hear that the session was used; the use then counts as told."""
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
    """Encodes sessions as DeltaSession objects, in the form of the version that was heard last."""

    def __init__(self, manager: MapManager) -> None:
        self._manager = manager
        self._suid = DELTA_SESSION_SUIDS[0]

    def encode(self, value: MapSession, suid: int) -> bytes:
        """The whole session, with the versions of its fields behind it."""
        return encode_session_object(value.to_data(), self._suid, encode_version_table(value.record))

    def decode(self, data: bytes) -> MapSession:
        """A copy of a session, which is not in the manager yet.

        Raises:
            ProtocolError: the bytes are no session.
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
        """A session of a Python node, each field with the version that it has there.

        A field that a request was changing there when it was written has no version for that change yet, so it keeps
        the last known one.
        """
        last = max(table.access, table.born, table.floor)
        for name, value in fields_of_data(data):
            table.versions.setdefault(name, last)
            if value is not None:
                (table.values if isinstance(name, str) else table.extras)[name] = value  # type: ignore[index]
        session.record.merge(table)
        manager: MapManager = session.manager  # type: ignore[assignment]  # a BackupManager
        manager.heard(max(table.id_version, last, *table.versions.values(), *table.names.values()))
        session.adopt(session.manager.now_ms(), data.creation_time_ms, 0, data.is_new)
        session.last_accessed_time_ms = data.last_accessed_time_ms
        session.version = data.version
