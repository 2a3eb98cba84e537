"""All-to-all session replication (Tomcat: ha/session/DeltaManager.java)."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused
from catalina.errors import CatalinaError, LifecycleError
from catalina.ha.request_deliveries import settle
from catalina.ha.session.cluster_manager_base import UNABLE, ClusterManagerBase
from catalina.ha.session.delta_receiver import DeltaReceiver
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.recent_sessions import RecentSessions
from catalina.ha.session.session_data import SessionData
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    EVT_CHANGE_SESSION_ID,
    EVT_GET_ALL_SESSIONS,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    SessionMessage,
    encode_message,
    encode_session_id,
)
from catalina.ha.session.state_sender import StateSender
from catalina.ha.session.state_transfer import StateTransfer, get_all_sessions
from catalina.lifecycle import LifecycleState
from catalina.tribes.channel import EVERYTHING, SEND_OPTIONS_ASYNCHRONOUS
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalina.ha.session.cluster_manager_base import CompletedRequest
    from catalina.session.standard_session import StandardSession
    from catalina.tribes.channel import Delivery
    from catalina.tribes.member import Member

__all__ = ["DeltaManager"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: Events about the whole state are handled while it is awaited; those about one session wait for it.
_NEVER_QUEUED = frozenset({EVT_ALL_SESSION_DATA, EVT_ALL_SESSION_TRANSFERCOMPLETE, EVT_ALL_SESSION_NOCONTEXTMANAGER})
#: A session that is only read tells the others each tenth of its interval that it lives, so that no copy counts as idle
#: by more than that. Tomcat before 10.1.47 waited the whole interval, since then it sends with every request.
ACCESS_FRACTION = 10
#: A member that is announced at this age, or older, did not join now: it was there and not heard.
REJOIN_ALIVE_MS = 5000


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) <= 0:
        raise AttributeRefused("a positive whole number of sessions")
    return int(text)


class DeltaManager(ClusterManagerBase):
    """Every node that runs the application has every session; what a request changed goes to all of them."""

    expire_sessions_on_shutdown = Attribute(
        bool, False, doc="Expire the sessions in the whole group when the application stops on this node."
    )
    notify_session_listeners_on_replication = Attribute(
        bool,
        True,
        doc="Tell the application's session listeners about sessions that come, go or are renamed elsewhere.",
    )
    notify_container_listeners_on_replication = Attribute(
        bool,
        True,
        doc="Fire changeSessionId at the context's container listeners for changes that come from elsewhere.",
    )
    state_transfer_timeout = Attribute(
        int,
        60,
        unit="seconds",
        doc="How long the start waits for the sessions of the group; -1 for ever, 0 not at all.",
    )
    send_all_sessions = Attribute(
        bool, True, doc="true: send the state as fast as it is acknowledged. false: in blocks with a pause between."
    )
    send_all_sessions_size = Attribute(
        _positive, 1000, unit="sessions", doc="Size of a block, without sendAllSessions."
    )
    send_all_sessions_wait_time = Attribute(
        int,
        2000,
        unit="ms",
        doc="Pause between blocks without sendAllSessions; longer spares the network, delays the start.",
    )
    state_timestamp_drop = Attribute(
        bool, True, doc="Messages that came while the state was awaited and are older than it are dropped."
    )
    resync_on_rejoin = Attribute(
        bool,
        True,
        doc="Beyond Tomcat: ask a member that turns up late (after a cut link, or unheard at the start) for the "
        "sessions that this node has missed; of two copies the one that was used last wins.",
    )
    enable_statistics = Attribute(bool, True, doc="Count the messages sent and received by kind.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.sent: Counter[int] = Counter()
        self.received: Counter[int] = Counter()
        self.session_replace_counter = 0
        self.state_transferred = False
        self.no_context_manager_received = False
        self.recent = RecentSessions()
        self.receiver = DeltaReceiver(self)
        self.transfer = StateTransfer(self)
        self.state_sender = StateSender(self)
        self._kept: list[SessionData] = []

    # -- what happens here ---------------------------------------------------------------------------------------

    def new_session(self, session_id: str) -> DeltaSession:
        """An empty replicated session that nobody knows yet."""
        return DeltaSession(self, session_id, self.now_ms())

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """A new session, here and on every other node.

        Raises:
            TooManyActiveSessionsError: maxActiveSessions is reached.
        """
        session = super().create_session(session_id)
        created_ms = session.creation_time_ms
        self.recent.born(session.id)
        self._tell(EVT_SESSION_CREATED, session.id, None, f"{session.id}-{created_ms}", created_ms)
        return session

    def change_session_id(self, session: StandardSession, new_id: str | None = None) -> str:
        """Give the session another id, on every node, and return it."""
        old_id = session.id
        new_id = super().change_session_id(session, new_id)
        now_ms = self.now_ms()
        self.recent.born(new_id)
        self.recent.renamed(old_id, new_id, now_ms, time.monotonic())
        if isinstance(session, DeltaSession):
            session.is_primary = True
        self._tell(EVT_CHANGE_SESSION_ID, old_id, encode_session_id(new_id), f"{old_id}-{now_ms}", now_ms)
        return new_id

    def moved_to(self, session_id: str) -> str | None:
        """The id of a session that has moved to another node's route lately; None when this one has not.

        An id that was changed for another reason (a login) is not followed: whoever knows the old one must not get in.
        """
        new_id = self.recent.new_id(session_id, time.monotonic())
        if new_id is None or new_id.partition(".")[0] != session_id.partition(".")[0]:
            return None
        return new_id

    def session_expiring(self, session: DeltaSession) -> None:
        """The session is about to end here: listeners on the other nodes shall see its last state."""
        if session.is_dirty and self.has_members:
            delta = session.take_delta()
            if delta is not None:
                now_ms = self.now_ms()
                self._tell(EVT_SESSION_DELTA, session.id, delta, f"{session.id}-{now_ms}", now_ms)

    def session_expired(self, session: DeltaSession) -> None:
        """The session has ended here: end it on the other nodes."""
        now_ms = self.now_ms()
        self.recent.expired(session.id, now_ms, time.monotonic())
        self._tell(EVT_SESSION_EXPIRED, session.id, None, f"{session.id}-EXPIRED-MSG", now_ms)

    @property
    def answers_wait(self) -> bool:
        """Not with asynchronous channelSendOptions."""
        return self.cluster is None or not self.cluster.channel_send_options & SEND_OPTIONS_ASYNCHRONOUS

    def request_completed(self, session: Any, request: object) -> Delivery | None:
        """Send what the request changed; a session that was only read says now and then that it lives."""
        members, cluster = self._members, self.cluster
        message = self._completed_message(session, bool(members), self.now_ms())
        if message is None or cluster is None:
            return None
        return cluster.post_all((message,), members)

    def requests_completed(self, entries: Sequence[CompletedRequest]) -> None:
        """The same for all requests of a round: their messages go through the channel as one."""
        members, now_ms = self._members, self.now_ms()
        has_members = bool(members)
        messages = []
        for session, _, _ in entries:
            try:
                message = self._completed_message(session, has_members, now_ms)
            except BaseException as error:
                log.exception(UNABLE)
                self.not_replicated(error)
                continue
            if message is not None:
                messages.append(message)
        delivery = None
        if messages and self.cluster is not None:
            try:
                delivery = self.cluster.post_all(messages, members)
            except BaseException as error:
                log.exception(UNABLE)
                self.not_replicated(error)
        held = [each for _, _, each in entries if each is not None]
        if held:
            settle(held, () if delivery is None else (delivery,))

    def _completed_message(self, session: Any, has_members: bool, now_ms: int) -> tuple[bytes, str] | None:
        """What the others must know about a session after a request, with its key."""
        if not isinstance(session, DeltaSession) or not session.alive:
            return None
        if not has_members:
            session.reset_delta()
            session.is_primary = True
            return None
        event, delta = EVT_SESSION_DELTA, session.take_delta()
        if delta is None:
            if session.is_primary and not self._must_tell_access(session, now_ms):
                return None
            event = EVT_SESSION_ACCESSED
        session.is_primary = True
        session.last_replicated_ms = now_ms
        if self.enable_statistics:
            self.sent[event] += 1
        session_id = session.id
        return encode_message(event, self.name, delta, session_id, f"{session_id}-{now_ms}", now_ms), session_id

    def _must_tell_access(self, session: DeltaSession, now_ms: int) -> bool:
        interval = session.max_inactive_interval
        return interval > 0 and now_ms - session.last_replicated_ms > interval * 1000 // ACCESS_FRACTION

    @property
    def _members(self) -> Sequence[Member]:
        """Whom to tell."""
        cluster = self.cluster
        return cluster.members if cluster is not None else ()

    @property
    def has_members(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._members)

    def _tell(
        self,
        event: int,
        session_id: str,
        body: bytes | None,
        unique_id: str,
        now_ms: int,
    ) -> Delivery | None:
        members, cluster = self._members, self.cluster
        if cluster is None or not members:
            return None
        if self.enable_statistics:
            self.sent[event] += 1
        # A changed id is about two sessions; what follows for the new one must not arrive before it.
        key = EVERYTHING if event == EVT_CHANGE_SESSION_ID else session_id
        data = encode_message(event, self.name, body, session_id, unique_id, now_ms)
        return cluster.post_bytes(data, members, key=key)

    def count_sent(self, event: int) -> None:
        """Count a message of the state transfer."""
        if self.enable_statistics:
            self.sent[event] += 1

    def member_added(self, member: Member) -> None:
        """A member that has just started will ask us; one that has been running knows what we have missed."""
        if self.resync_on_rejoin and self.state is LifecycleState.STARTED and member.alive_ms >= REJOIN_ALIVE_MS:
            cluster = self.cluster
            if cluster is not None:
                log.info("Manager [%s], requesting the sessions that [%s] may have and this node has not",
                         self.name, member.name)  # fmt: skip
                cluster.post(get_all_sessions(self.name, self.now_ms()), member, SEND_OPTIONS_ASYNCHRONOUS)
                self.count_sent(EVT_GET_ALL_SESSIONS)

    def member_missed_messages(self, member: Member) -> None:
        """Give a member the state again whose copies may be stale.

        Only to members of this software: of two copies they keep the newer one, where Java takes whatever comes.
        """
        if self.resync_on_rejoin and self.state is LifecycleState.STARTED and keeps_order(member):
            log.info("Manager [%s]: [%s] has missed messages and gets the session state again", self.name, member.name)
            self.state_sender.answer(member)

    # -- what happens elsewhere: in the thread that reads the group's messages -----------------------------------

    def message_data_received(self, message: SessionMessage, sender: Member) -> None:
        """A message for this manager: apply it, or keep it while the state is awaited."""
        if self.enable_statistics:
            self.received[message.event] += 1
        if message.event not in _NEVER_QUEUED and self.transfer.queued(message, sender):
            return
        self.apply_message(message, sender)

    def apply_message(self, message: SessionMessage, sender: Member) -> None:
        """Act on a message now."""
        self.receiver.apply(message, sender)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        super()._start()
        self.state_sender.start()
        for data in self._kept:
            session = self.new_session(data.id)
            session.restore(data)
            session.is_primary = True
            self.add(session)
        self._kept.clear()
        cluster = self.cluster
        if cluster is None:
            raise LifecycleError(f"Starting... no cluster associated with this context: [{self.name}]")
        log.info("Register manager [%s] to cluster element [%s] with name [%s]",
                 self.name, "Engine" if cluster.under_engine else "Host", cluster.name)  # fmt: skip
        log.info("Starting clustering manager at [%s]", self.name)
        self.get_all_cluster_sessions()

    def get_all_cluster_sessions(self) -> None:
        """Get the sessions that other nodes have; the application starts when they are here."""
        if not self.has_members:
            log.info("Manager [%s]: skipping state transfer. No members active in cluster group.", self.name)
            return
        self.transfer.fetch()

    def _stop(self) -> None:
        self.transfer.stop()
        self.state_sender.stop()
        if getattr(self.context, "paused", False):
            self._keep_sessions()  # a reload: the application's new classes get them back
        else:
            log.info("Manager [%s] expiring sessions upon shutdown", self.name)
            self._expire_all()
        if self.cluster is not None:
            self.cluster.remove_manager(self)
        super()._stop()

    def _keep_sessions(self) -> None:
        for session in self.find_sessions():
            if isinstance(session, DeltaSession) and session.is_valid:
                session.passivate()
                self._kept.append(session.to_data())
        self.sessions.clear()

    def _expire_all(self) -> None:
        for session in self.find_sessions():
            if not isinstance(session, DeltaSession) or not session.is_valid:
                continue
            try:
                session.expire(notify_cluster=self.expire_sessions_on_shutdown)
            except CatalinaError:
                log.exception("Session [%s] could not be expired at the stop of [%s]", session.id, self.name)

    def background_process(self) -> None:
        """Expire what is due and forget what came too early and too long ago."""
        super().background_process()
        lost = self.recent.forget(time.monotonic())
        if lost:
            log.debug("Manager [%s]: %d messages were about sessions that never came", self.name, lost)
