"""A session of BackupManager: a DeltaSession that is the value of a replicated map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_object import DELTA_SESSION_SUIDS, decode_session_object, encode_session_object

if TYPE_CHECKING:
    from catalina.ha.session.backup_manager import BackupManager

__all__ = ["MapSession", "SessionCodec"]

#: As in DeltaManager: a session that is only read tells its backup each tenth of its interval that it lives.
ACCESS_FRACTION = 10


class MapSession(DeltaSession):
    """Says what changed in it, and takes over what another node says."""

    __slots__ = ()

    manager: BackupManager

    def take_diff(self) -> bytes | None:
        """What its backup does not know yet, as a DeltaRequest; None for nothing."""
        delta = self.take_delta()
        if delta is not None:
            self.last_replicated_ms = self.manager.now_ms()
        return delta

    def apply_diff(self, diff: bytes) -> None:
        """Take over what changed on the node that owns the session.

        Raises:
            ProtocolError: it is no DeltaRequest, or one of another session.
        """
        delta = DeltaRequest.decode(diff)
        if delta.session_id != self.id:
            raise ProtocolError(f"Session id mismatch: expected {self.id!r}, got {delta.session_id!r}")
        self.apply(delta, self.manager.notify_listeners_on_replication, self.manager.next_version())

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
        """The whole session."""
        return encode_session_object(value.to_data(), self._suid)

    def decode(self, data: bytes) -> MapSession:
        """A copy of a session; it is not in the manager yet.

        Raises:
            ProtocolError: it is no session.
        """
        session_data, suid = decode_session_object(data)
        if suid in DELTA_SESSION_SUIDS:
            self._suid = suid
        session = self._manager.new_session(session_data.id)
        session.restore(session_data, self._manager.next_version())
        return session
