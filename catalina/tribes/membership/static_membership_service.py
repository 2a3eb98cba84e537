"""Members from the configuration, which are asked regularly (Tomcat:
tribes/membership/StaticMembershipService.java).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from catalina.attributes import Attribute, Element
from catalina.errors import ChannelError
from catalina.tribes.channel import MBR_RX_SEQ, MBR_TX_SEQ
from catalina.tribes.member import Member
from catalina.tribes.membership.membership import Membership
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.membership.static_member import StaticMember
from catalina.tribes.membership.static_membership_provider import StaticMembershipProvider

__all__ = ["StaticMembershipService"]


class StaticMembershipService(MembershipServiceBase):
    """Asks the ``<Member>`` elements by RPC if they are there; a member that does not answer in time is lost."""

    connect_timeout = Attribute(
        int, 500, unit="ms", doc="How long a connection may take before a member is not asked this time."
    )
    expiration_time = Attribute(int, 5000, unit="ms", doc="Silence after which a member is gone.")
    rpc_timeout = Attribute(int, 3000, unit="ms", doc="How long answers may take; the start waits so long at most.")
    use_thread = Attribute(bool, False, doc="Ask every pingInterval on a timer; false asks on the channel's heartbeat.")
    ping_interval = Attribute(int, 1000, unit="ms", doc="Time between questions with useThread.")

    elements = {
        "Member": Element(
            add=lambda service, child: service.add_static_member(child),
            default="org.apache.catalina.tribes.membership.StaticMember",
            role=StaticMember,
        ),
        "LocalMember": Element(
            add=lambda service, child: service.set_local_member(child),
            default="org.apache.catalina.tribes.membership.StaticMember",
            role=StaticMember,
        ),
    }

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._configured: list[StaticMember] = []
        self._local_configured: StaticMember | None = None
        self._others: tuple[Member, ...] = ()
        self._provider: StaticMembershipProvider | None = None
        self._level = 0
        self._started = 0.0

    def add_static_member(self, member: StaticMember) -> None:
        """Add a member to ask. Without a <LocalMember>, the entry with this node's own address is the local member."""
        self._configured.append(member)

    def set_local_member(self, member: StaticMember) -> None:
        """Set the identity of this process."""
        self._local_configured = member

    def _new_local_member(self, host: bytes, port: int) -> Member:
        members = [each.to_member() for each in self._configured]
        if self._local_configured is not None:
            unique_id, domain = self._local_configured.unique_id, self._local_configured.domain
        else:
            own = next((each for each in members if each.host == host and each.port == port), None)
            if own is None:
                address = ipaddress.ip_address(host)
                raise ChannelError(f"There is no localMember in static member list. (expected {address}:{port})")
            unique_id, domain = own.unique_id, own.domain
        local = Member(host, port, unique_id=unique_id, domain=domain, payload=self._payload)
        self._others = tuple(each for each in members if each.host != host or each.port != port)
        return local

    @property
    def members(self) -> Sequence[Member]:
        """The members that answered, oldest first."""
        return self._provider.membership.members if self._provider is not None else ()

    @property
    def _table(self) -> Membership | None:
        return self._provider.membership if self._provider is not None else None

    def is_static(self, member: Member) -> bool:
        """True when the member is configured here."""
        return member in self._others and (self._provider is None or member not in self._provider.membership.barred)

    def current_local_member(self) -> Member:
        """The local member with the time it has been running."""
        alive_ms = int((self.channel.now() - self._started) * 1000)
        self._local = replace(super().local_member, alive_ms=alive_ms)
        return self._local

    def start(self, level: int) -> None:
        """With the last level, ask the members and wait for their answers."""
        if self._provider is None:
            self._started = self.channel.now()
            self._provider = StaticMembershipProvider(
                self.channel,
                self.listener,
                self._others,
                self.current_local_member,
                connect_timeout=self.connect_timeout / 1000,
                rpc_timeout=self.rpc_timeout / 1000,
                expiration=self.expiration_time / 1000,
            )
        self._level |= level
        if self._level & (MBR_RX_SEQ | MBR_TX_SEQ) == MBR_RX_SEQ | MBR_TX_SEQ:
            self._provider.start(self.ping_interval / 1000 if self.use_thread else None)

    def stop(self, level: int) -> None:
        """With the last level, tell the members that this one leaves."""
        self._level &= ~level
        if self._provider is not None and not self._level & (MBR_RX_SEQ | MBR_TX_SEQ):
            self._provider.stop()
            self._provider = None

    def heartbeat(self, now: float) -> None:
        """Ask all members, unless a timer does."""
        if self._provider is not None and not self.use_thread:
            self._provider.ping()
