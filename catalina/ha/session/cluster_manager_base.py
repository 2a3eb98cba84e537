"""What every replicating manager does (Tomcat: ha/session/ClusterManagerBase.java)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from catalina.attributes import Attribute
from catalina.ha.request_deliveries import current, settle
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.session.manager_base import ManagerBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.ha.session.delta_session import DeltaSession
    from catalina.ha.session.session_message import SessionMessage
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.session.session import Session
    from catalina.tribes.channel import Delivery
    from catalina.tribes.ledger.version import Version
    from catalina.tribes.member import Member

__all__ = ["UNABLE", "ClusterManagerBase", "CompletedRequest"]

log = logging.getLogger("org.apache.catalina.ha.session.ClusterManagerBase")

#: Tomcat's words for a request whose changes could not be sent.
UNABLE = "Unable to perform replication request."

#: A session that a request has used, the request, and what its answer is held for, if it is.
CompletedRequest = tuple["Session", "Request", "Delivery | None"]


class ClusterManagerBase(ManagerBase):
    """A manager that belongs to a cluster, and the template that the cluster makes others from."""

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

    @property
    def answers_wait(self) -> bool:
        """Whether a request's answer may have to wait for what :meth:`request_completed` sends."""
        return True

    def requests_completed(self, entries: Sequence[CompletedRequest]) -> None:
        """Send what the requests of one round of the loop have changed, and see that their answers can leave.

        A fault is the operator's to know: the applications' answers are complete and right.
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
        """:meth:`request_completed`, whose faults are logged; whether something was sent."""
        try:
            return self.request_completed(session, request) is not None
        except BaseException as error:
            log.exception(UNABLE)
            self.not_replicated(error)
            return False

    def not_replicated(self, error: BaseException) -> None:
        """A request's changes could not be sent: the other nodes have missed them, for whatever reason."""
        cluster = self.cluster
        if cluster is not None:
            cluster.missed.not_sent(cluster.members, error)

    def clone_from_template(self) -> Self:
        """A new manager of the same class with the same attributes and session id generator settings."""
        clone = type(self)(surroundings=self.surroundings)
        copy_component(self, clone)
        return clone

    def session_expiring(self, session: DeltaSession) -> None:
        """Told before a session ends here: a manager that sends messages sends what is pending."""

    def session_expired(self, session: DeltaSession, *, is_idle: bool, tell: bool) -> None:
        """Told when a session has ended here: a manager that sends messages ends it on the other nodes.

        Args:
            is_idle: it ended because nobody seems to use it.
            tell: the other nodes do not know it yet.
        """

    def commit(self, session: DeltaSession, changes: Sequence[tuple[Any, ...]]) -> Version:
        """Give a session's record what a request here has changed; the version of the change."""
        raise NotImplementedError

    def ask_about(self, session: DeltaSession) -> None:
        """Nobody has said for long that a session is in use, of which this node has a copy."""

    def moved_to(self, session_id: str) -> str | None:
        """The id of a session that has moved to another node's route lately; None when this one has not."""
        return None

    def member_added(self, member: Member) -> None:
        """A node has joined the group while the manager runs. In the reading thread: never wait."""

    def member_missed_messages(self, member: Member) -> None:
        """A member that is still there did not get some message of this node lately."""

    def stood_still(self) -> Callable[[], bool] | None:
        """This node was not run for a while. Begin to get what it missed; what is returned tells whether it is here."""
        return None

    def message_data_received(self, message: SessionMessage, sender: Member) -> None:
        """A session message for this manager; one that replicates in another way ignores it."""


def copy_component(source: Any, target: Any) -> None:
    """Give ``target`` the attribute values of ``source``, and its session id generator a copy of that one's."""
    for declaration in source.attributes().values():
        value = getattr(source, declaration.name)
        if declaration.name in source.given or value != declaration.default:
            target.give(**{declaration.name: value})
    generator = getattr(source, "session_id_generator", None)
    if generator is not None:
        target.session_id_generator = type(generator)()
        copy_component(generator, target.session_id_generator)
