"""The common part of replicating managers (Tomcat: ha/session/ClusterManagerBase.java)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from catalina.attributes import Attribute, Component
from catalina.ha.request_deliveries import current, settle
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.session.manager_base import ManagerBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.errors import NotReplicableError
    from catalina.ha.session.delta_session import DeltaSession
    from catalina.ha.session.session_message import SessionMessage
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.session.session import Session
    from catalina.tribes.channel import Delivery
    from catalina.tribes.io.java import EncodedValue
    from catalina.tribes.ledger.version import Version
    from catalina.tribes.member import Member

__all__ = ["UNABLE", "ClusterManagerBase", "CompletedRequest"]

log = logging.getLogger("org.apache.catalina.ha.session.ClusterManagerBase")

#: Tomcat's words for a request whose changes could not be sent.
UNABLE = "Unable to perform replication request."

#: A session that a request has used, the request, and the Delivery that holds its answer, if there is one.
CompletedRequest = tuple["Session", "Request", "Delivery | None"]


class ClusterManagerBase(ManagerBase):
    """A manager that belongs to a cluster, and the template from which the cluster makes others."""

    replicates = True

    name = Attribute(
        str,
        "",
        doc="The same on all nodes; set by the cluster: the context's name, with the host's name and # in front for a "
        "cluster under an Engine.",
    )
    notify_listeners_on_replication = Attribute(
        bool, True, doc="Tell the application's attribute listeners about changes that come from other nodes."
    )
    record_all_actions = Attribute(
        bool, False, doc="Send every change of an attribute during a request, not only the last one."
    )
    use_dirty_flag = Attribute(
        bool,
        False,
        doc="true: send only what the application has set or removed. false: also find changes inside the values that "
        "the request has looked at, which costs one encoding of each.",
    )

    def __init__(
        self, surroundings: Surroundings = PROCESS, clock: Callable[[], float] | None = None, **values: Any
    ) -> None:
        super().__init__(clock or surroundings.steady.time, **values)
        self.surroundings = surroundings
        self.monotonic = surroundings.monotonic
        self.cluster: SimpleTcpCluster | None = None

    def session_roles(self) -> tuple[int, int, int]:
        """Sessions by what this node is to them: primary, backup, proxy (it knows only where they are)."""
        sessions = list(self.sessions.values())
        primary = sum(map(self.serves, sessions))
        return primary, len(sessions) - primary, 0

    @property
    def owed_changes(self) -> int:
        """Changes that members have not been told yet, counted for each member."""
        return 0

    @property
    def state_progress(self) -> tuple[int, int] | None:
        """While it waits for the group's sessions: how many have come, and how many there are, 0 while that is not
        known; else None."""
        return None

    #: True when :meth:`requests_completed` sends the changes of all requests as one: their answers wait for one thing.
    sends_as_one = False

    @property
    def answers_wait(self) -> bool:
        """True when a request's answer may have to wait for messages of :meth:`request_completed`."""
        return True

    def requests_completed(self, entries: Sequence[CompletedRequest]) -> None:
        """Send the changes of the requests of one round of the loop, and make sure that their answers can leave.

        A fault is reported to the operator only, because the applications' answers are complete and right.
        """
        noted = current.noted
        for session, request, held in entries:
            deliveries: list[Delivery] = []
            outer, noted.deliveries = noted.deliveries, deliveries
            self.replicate(session, request)
            noted.deliveries = outer
            if held is not None:
                settle((held,), deliveries)

    def replicate(self, session: Session, request: Request) -> bool:
        """Call :meth:`request_completed` and log its faults; returns True if something was sent."""
        try:
            return self.request_completed(session, request) is not None
        except BaseException as error:
            log.exception(UNABLE)
            self.not_replicated(error)
            return False

    def not_replicated(self, error: BaseException) -> None:
        """Note that a request's changes could not be sent, so that the other nodes have missed them."""
        cluster = self.cluster
        if cluster is not None:
            cluster.missed.not_sent(cluster.members, error)

    def clone_from_template(self) -> Self:
        """A new manager of the same class with the same attributes and session id generator settings."""
        clone = type(self)(surroundings=self.surroundings)
        copy_component(self, clone)
        return clone

    def session_expiring(self, session: DeltaSession) -> None:
        """Called before a session ends here: a manager that sends messages sends the pending changes."""

    def end_copy(self, session: DeltaSession) -> None:
        """End a session that another node serves and whose time is up twice: that node may be gone. Nobody is told."""
        session.expire(notify_cluster=False, is_idle=True)

    def tells_end(self, session: DeltaSession) -> bool:
        """Called before a session ends here; False when another process of this node tells the listeners."""
        return True

    def session_expired(self, session: DeltaSession, *, is_idle: bool, tell: bool) -> None:
        """Called when a session has ended here: a manager that sends messages ends it on the other nodes.

        Args:
            is_idle: the session ended for idleness.
            tell: the other nodes do not know of the end yet.
        """

    def cannot_set(self, name: str, error: NotReplicableError) -> None:
        """An application sets a value that cannot travel: refuse it, unless the manager can let it stay here.

        Raises:
            NotReplicableError: ``error``.
        """
        raise error

    def cannot_travel(self, session: DeltaSession, name: str, error: NotReplicableError) -> EncodedValue | None:
        """A value that a session has cannot travel; returns what is sent in its place, None for nothing."""
        log.error("Session [%s] was changed inside a value and cannot be replicated: %s", session.id, error)
        return None

    def commit(self, session: DeltaSession, changes: Sequence[tuple[Any, ...]]) -> Version:
        """Enter the changes of a request into a session's record; returns the version of the change."""
        raise NotImplementedError

    def ask_about(self, session: DeltaSession) -> None:
        """Ask the other nodes about a session that has a copy here, because no node has reported a use for long."""

    def moved_to(self, session_id: str) -> str | None:
        """The new id of a session that has recently moved to another node's route; None when this session has not."""
        return None

    def member_added(self, member: Member) -> None:
        """A node has joined the group while the manager runs. Called in the reading thread, so it must never wait."""

    def member_missed_messages(self, member: Member) -> None:
        """A member that is still there has missed some message of this node lately."""

    def stood_still(self) -> Callable[[], bool] | None:
        """This node stood still: begin to get what it missed. Returns a function that returns True once everything has
        come.
        """
        return None

    def message_data_received(self, message: SessionMessage, sender: Member) -> None:
        """Handle a session message for this manager; a manager that replicates differently ignores it."""


def copy_component(source: Component, target: Component) -> None:
    """Copy the values of the attributes that both have, and those of the session id generator of ``source``."""
    known = {declaration.name for declaration in target.attributes().values()}
    for declaration in source.attributes().values():
        if declaration.name not in known:
            continue
        value = getattr(source, declaration.name)
        if declaration.name in source.given or value != declaration.default:
            target.give(**{declaration.name: value})
    if isinstance(source, ManagerBase) and isinstance(target, ManagerBase) and source.session_id_generator is not None:
        target.session_id_generator = type(source.session_id_generator)()
        copy_component(source.session_id_generator, target.session_id_generator)
