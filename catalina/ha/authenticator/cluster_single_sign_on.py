"""One login for all applications of a host, on every node (Tomcat: ha/authenticator/ClusterSingleSignOn.java).

A map with a copy on every node has the logins. Distributable sessions carry a listener with them, so that the node on
which a session ends can end the single sign-on for all nodes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.errors import ChannelError, LifecycleError
from catalina.ha.authenticator.cluster_single_sign_on_listener import encode_listener
from catalina.ha.authenticator.sso_cache import SsoCache, SsoCodec
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK, parse_send_options
from catalina.tribes.tipis.replicated_map import ReplicatedMap

if TYPE_CHECKING:
    from catalina.session.session import Principal, Session

__all__ = ["ClusterSingleSignOn"]

log = logging.getLogger("org.apache.catalina.ha.authenticator.ClusterSingleSignOn")


class ClusterSingleSignOn(SingleSignOn):
    """Belongs into the Host that has the Cluster, or below an Engine that has it. Any thread.

    User, roles and, after a BASIC or FORM login, the password travel between the nodes; encrypt the channel to hide
    them from others on the network.
    """

    rpc_timeout = Attribute(int, 15_000, doc="Milliseconds in which other nodes answer with their single sign-ons.")
    map_send_options = Attribute(
        parse_send_options,
        SEND_OPTIONS_SYNCHRONIZED_ACK | SEND_OPTIONS_USE_ACK,
        doc="How changes are sent: a number or names, as the Cluster's channelSendOptions.",
    )
    terminate_on_start_failure = Attribute(bool, False, doc="Refuse to start when the other nodes cannot be asked.")
    access_timeout = Attribute(int, 5_000, doc="Milliseconds without an answer after which a node counts as gone.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.cluster: SimpleTcpCluster | None = None

    # -- lifecycle ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self.is_remote:
            super()._start()
            return
        cluster = self.cluster
        if cluster is None and self.container is not None and isinstance(self.container.cluster, SimpleTcpCluster):
            cluster = self.container.cluster
        channel = cluster.channel if cluster is not None else None
        if cluster is None or channel is None:
            raise LifecycleError(
                f"{self}: There is no Cluster associated with this host: ClusterSingleSignOn needs one there or in the"
                " Engine"
            )
        self.cluster = cluster
        entries = ReplicatedMap(
            channel,
            f"{cluster.name}-SSO-cache",
            codec=SsoCodec(),
            rpc_timeout_ms=self.rpc_timeout,
            access_timeout_ms=self.access_timeout,
            send_options=self.map_send_options,
        )
        try:
            entries.start()
        except ChannelError as error:
            entries.stop()
            if self.terminate_on_start_failure:
                raise LifecycleError(f"{self}: Unable to send map start message: {error}") from error
            log.warning("Unable to send map start message; single sign-ons stay in this node: %s", error)
            self.cache = {}
        else:
            self.cache = SsoCache(entries)
        super()._start()

    def _stop(self) -> None:
        super()._stop()
        if self.is_remote:
            return
        cache, self.cache = self.cache, {}
        if isinstance(cache, SsoCache):
            cache.entries.stop()

    # -- changes that the other nodes must know -------------------------------------------------------------------

    def associate(self, sso_id: str, session: Session) -> bool:
        """A session of an application joins the single sign-on. Returns False when the sign-on has ended."""
        entry = self.cache.get(sso_id)
        if entry is None:
            return False
        if SingleSignOnSessionKey.of(session) in entry.session_keys:
            return True
        associated = super().associate(sso_id, session)
        if associated:
            self._replicate(sso_id)
        return associated

    def listen(self, sso_id: str, session: Session) -> None:
        """Give a distributable session its listener."""
        if isinstance(session, DeltaSession):
            session.add_remote_listener(encode_listener(sso_id))
        else:
            super().listen(sso_id, session)

    def update(
        self, sso_id: str, principal: Principal, auth_type: str | None, username: str | None, password: str | None
    ) -> bool:
        """A known user has logged in again; returns True when the entry then says more than after the first login."""
        updated = super().update(sso_id, principal, auth_type, username, password)
        if updated:
            self._replicate(sso_id)
        return updated

    def session_changed_id(self, sso_id: str, session: Session, old_id: str) -> None:
        """A session has a new id. Tomcat does not tell the other nodes, which then cannot end the session."""
        super().session_changed_id(sso_id, session, old_id)
        self._replicate(sso_id)

    def remove_session(self, sso_id: str, key: SingleSignOnSessionKey) -> None:
        """A session has ended. Tomcat does not tell the other nodes, which then look for it in vain."""
        super().remove_session(sso_id, key)
        self._replicate(sso_id)

    def changed(self, sso_id: str) -> None:
        """A login was changed in place: the other nodes have it, too."""
        self._replicate(sso_id)

    def _replicate(self, sso_id: str) -> None:
        cache = self.cache
        if isinstance(cache, SsoCache):
            cache.replicate(sso_id)
