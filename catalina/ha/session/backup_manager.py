"""Keeps each session at its owner and one backup (Tomcat: ha/session/BackupManager.java).

It is for groups of more than a few nodes: the changes of a request go to one other node, however many there are. Every
node knows all sessions and their owners, and a request that arrives at another node gets the session by one question.
Only nodes that run the application have the map and take part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import ChannelError, LifecycleError
from catalina.ha.request_deliveries import note, settle
from catalina.ha.session.cluster_manager_base import UNABLE, ClusterManagerBase
from catalina.ha.session.map_session import MapSession, SessionCodec
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.operations import Impact, operation, readable
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, parse_send_options, send_options_name
from catalina.tribes.ledger.record import bare_id
from catalina.tribes.ledger.version import Version, VersionClock, life_tag
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap

if TYPE_CHECKING:
    from catalina.ha.session.cluster_manager_base import CompletedRequest
    from catalina.ha.session.delta_session import DeltaSession
    from catalina.session.session import Session
    from catalina.session.standard_session import StandardSession
    from catalina.tribes.channel import Delivery

__all__ = ["BackupManager"]

log = logging.getLogger("org.apache.catalina.ha.session.BackupManager")


class BackupManager(ClusterManagerBase):
    """A manager with a primary and a backup for each session."""

    map_send_options = Attribute(
        parse_send_options,
        6,
        doc="How the map's messages are sent: a number or names. 6 sync,use_ack: the answer waits until the backup has "
        "the change. 8 async: it leaves at once.",
    )
    rpc_timeout = Attribute(
        int,
        15000,
        unit="ms",
        doc="How long the start waits for the map's state, and a request for a session that another node has.",
    )
    access_timeout = Attribute(
        int,
        5000,
        unit="ms",
        doc="How long a node may leave a ping unanswered before its sessions get another backup.",
    )
    expire_sessions_on_shutdown = Attribute(
        bool,
        False,
        doc="Expire the sessions that this node owns, in the whole group, when the application stops here. Tomcat 7 "
        "had it, the HOW-TO's second configuration still names it.",
    )
    terminate_on_start_failure = Attribute(
        bool, False, doc="The application fails to start when the map cannot; false starts it with local sessions."
    )

    def __init__(self, surroundings: Surroundings = PROCESS, **values: Any) -> None:
        super().__init__(surroundings, **values)
        self.map: LazyReplicatedMap | None = None
        self._versions = VersionClock(life_tag(surroundings.random_bytes(16), 0))

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        super()._start()
        cluster = self.cluster
        if cluster is None or cluster.channel is None:
            raise LifecycleError(f"Starting... no cluster associated with this context: [{self.name}]")
        self.map = LazyReplicatedMap(
            cluster.channel,
            f"{self.name}-map",
            self,
            SessionCodec(self),
            rpc_timeout_ms=self.rpc_timeout,
            access_timeout_ms=self.access_timeout,
            send_options=self.map_send_options,
            clock=self.monotonic,
            now=self.surroundings.wall,
            note=note,
            bare=bare_id,
        )
        try:
            self.map.start()
        except ChannelError as error:
            log.error("Unable to start BackupManager [%s]: %s", self.name, error)
            self.map = None
            if self.terminate_on_start_failure:
                raise LifecycleError(f"Failed to start BackupManager [{self.name}]: {error}") from error

    def _stop(self) -> None:
        log.debug("Stopping BackupManager [%s]", self.name)
        if self.expire_sessions_on_shutdown:
            for session in self.find_sessions():
                session.expire()
        if self.map is not None:
            self.map.stop()
            self.map = None
        self.sessions.clear()
        if self.cluster is not None:
            self.cluster.remove_manager(self)
        super()._stop()

    # -- sessions ------------------------------------------------------------------------------------------------

    def new_session(self, session_id: str) -> MapSession:
        """An empty session that no other node knows yet."""
        return MapSession(self, session_id, self.now_ms())

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """Make a session here and at its backup; every node of the application learns of it.

        Raises:
            TooManyActiveSessionsError: maxActiveSessions is reached.
        """
        if session_id is not None and self.map is not None and session_id in self.map:
            session_id = None  # the id belongs to another session, perhaps under another route
        session = super().create_session(session_id)
        if self.map is not None:
            self.map.put(session.id, session)
        return session

    @property
    def answers_wait(self) -> bool:
        """False with asynchronous mapSendOptions."""
        return not self.map_send_options & SEND_OPTIONS_ASYNCHRONOUS

    def find_session(self, session_id: str) -> StandardSession | None:
        """The session with that id, which this node owns afterwards. Waits when another node must be asked for it."""
        session = self.sessions.get(session_id)
        replicated = self.map
        if replicated is None or (isinstance(session, MapSession) and session.is_primary):
            return session
        found = replicated.get(session_id)
        return found if isinstance(found, MapSession) else session

    def find_sessions(self) -> list[StandardSession]:
        """The sessions that this node owns; each session is in the list of exactly one node."""
        return [session for session in list(self.sessions.values()) if self._owns(session)]

    @staticmethod
    def _owns(session: StandardSession) -> bool:
        return not isinstance(session, MapSession) or session.is_primary

    @property
    def active_sessions(self) -> int:
        """The number of sessions that this node owns."""
        return sum(map(self._owns, list(self.sessions.values())))

    @property
    def backup_sessions(self) -> int:
        """The number of sessions of other nodes that this node keeps as a backup."""
        return len(self.sessions) - self.active_sessions

    @property
    def known_sessions(self) -> int:
        """The number of sessions on all nodes together."""
        return len(self.map) if self.map is not None else len(self.sessions)

    def session_roles(self) -> tuple[int, int, int]:
        """Owned, kept for their owners, and known to be elsewhere."""
        primary, here = self.active_sessions, len(self.sessions)
        return primary, here - primary, max(0, self.known_sessions - here)

    @property
    def owed_changes(self) -> int:
        """Those of its map."""
        return self.map.owed_changes if self.map is not None else 0

    @property
    @readable("activeSessionsFull", doc="Sessions on all nodes together.")
    def active_everywhere(self) -> int:
        return self.known_sessions

    @property
    @readable("mapSendOptionsName", doc="mapSendOptions in words.")
    def send_options_words(self) -> str:
        return send_options_name(self.map_send_options)

    @operation(name="getSessionIdsFull", impact=Impact.INFO)
    def all_session_ids(self) -> set[str]:
        """The ids of the sessions on all nodes together."""
        return {str(session_id) for session_id in (self.sessions if self.map is None else self.map.keys())}

    def generate_session_id(self) -> str:
        """An id that no session of the group has."""
        session_id = super().generate_session_id()
        while self.map is not None and session_id in self.map:
            session_id = super().generate_session_id()
        return session_id

    def remove(self, session: StandardSession, update: bool = False) -> None:
        """Remove the session from every node."""
        super().remove(session, update)
        if self.map is not None:
            held = self.map.remove(session.id, is_idle=isinstance(session, MapSession) and session.ends_idle)
            self.value_removed(session.id, held)  # another object, if another node had taken the session over meanwhile

    def rename(self, session: StandardSession, new_id: str, notify: bool = True, notify_container: bool = True) -> None:
        """Give the session another id, on every node."""
        old_id = session.id
        super().rename(session, new_id, notify, notify_container)
        if self.map is not None:
            self.map.rename(old_id, new_id)
            held = self.map.peek(new_id)
            if isinstance(held, MapSession):
                self.sessions[new_id] = held
            else:  # another node has taken the session over while a request uses it here
                self.sessions.pop(new_id, None)

    def moved(self, session: MapSession, new_id: str) -> None:
        """Another node has given the session another id."""
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]
            self.sessions[new_id] = session
        session.id = new_id

    def moved_to(self, session_id: str) -> str | None:
        """The present id of a session whose route has changed; None when there is no such session.

        An id that was changed for another reason (a login) is not followed: a client that knows the old id must not get
        in.
        """
        entry = self.map.entry(session_id) if self.map is not None else None
        return None if entry is None or entry.key == session_id else str(entry.key)

    def next_version(self) -> Version:
        """A version later than all versions made here."""
        return self._versions.tick(int(self._clock() * 1_000_000))

    def heard(self, version: Version) -> None:
        """Note a version of another node, so that every later version here is greater."""
        self._versions.heard(version)

    def commit(self, session: DeltaSession, changes: Sequence[tuple[Any, ...]]) -> Version:
        """Enter the changes of a request into a session's record; returns the version of the change."""
        version = self._versions.tick(int(self._clock() * 1_000_000))
        session.record.put(changes, version)
        return version

    def request_completed(self, session: Session, request: object) -> Delivery | None:
        """Send the changes of the request to the backup."""
        replicated = self.map
        if replicated is None or not isinstance(session, MapSession) or not session.is_valid:
            return None
        if not replicated.members:
            if session.take_delta() is not None:  # a request that only reads makes no new content
                replicated.note_change(session.id)
            return None
        return replicated.replicate(session.id, changed=session)

    def requests_completed(self, entries: Sequence[CompletedRequest]) -> None:
        """Send the changes of all requests of a round; changes for the same backup leave together."""
        replicated = self.map
        if replicated is None or not replicated.members:
            super().requests_completed(entries)
            return
        together = replicated.round()
        #: The answers that wait, by what they wait for: the changes of a batch have one Delivery.
        waiting: dict[Delivery, list[Delivery]] = {}
        for session, _, held in entries:
            told = None
            try:
                if isinstance(session, MapSession) and session.alive:
                    told = together.replicate(session.id, session)
            except BaseException as error:
                log.exception(UNABLE)
                self.not_replicated(error)
            if held is not None:
                if told is None:
                    held.succeeded()
                else:
                    waiting.setdefault(told, []).append(held)
        try:
            together.send()
        except BaseException as error:
            log.exception(UNABLE)
            self.not_replicated(error)
        for told, all_held in waiting.items():
            settle(all_held, (told,))

    def stood_still(self) -> Callable[[], bool] | None:
        """This node stood still, and the others may have passed it over: ask them what they own now. In the runner."""
        return None if self.map is None else self.map.catch_up()

    # -- events of the map ----------------------------------------------------------------------------------------

    def value_received(self, key: object, value: object) -> None:
        """A session came from another node."""
        if isinstance(value, MapSession):
            self.sessions[value.id] = value

    def made_primary(self, key: object, value: object) -> None:
        """This node owns the session from now on."""
        if isinstance(value, MapSession):
            value.is_primary = True
            self.sessions[value.id] = value

    def made_backup(self, key: object, value: object) -> None:
        """Another node owns the session from now on."""
        if isinstance(value, MapSession):
            value.is_primary = False

    def value_removed(self, key: object, value: object) -> None:
        """The session has ended on another node, or other nodes hold it."""
        if isinstance(value, MapSession) and self.sessions.get(value.id) is value:
            del self.sessions[value.id]
