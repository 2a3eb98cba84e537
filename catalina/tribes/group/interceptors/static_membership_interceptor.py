"""Members from the configuration (Tomcat: interceptors/StaticMembershipInterceptor.java)."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from catalina.attributes import Element
from catalina.errors import ChannelError
from catalina.tribes.channel import SND_RX_SEQ, SND_TX_SEQ, ChannelMessage, Delivery
from catalina.tribes.group.absolute_order import in_absolute_order
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.io.channel_data import UniqueIds
from catalina.tribes.member import Member
from catalina.tribes.membership.static_member import StaticMember

__all__ = ["MEMBER_START", "MEMBER_STOP", "StaticMembershipInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor")

MEMBER_START = b"Local StaticMember Notification Data"
MEMBER_STOP = b"Local StaticMember Shutdown Data"
#: Seconds that the stop waits for the farewells to leave.
_FAREWELL_SECONDS = 2.0


class StaticMembershipInterceptor(ChannelInterceptorBase):
    """Adds ``<Member>`` elements to what the membership service finds.

    Put it below a TcpFailureDetector, which checks if the members are there; a TcpPingInterceptor above both notices
    losses. Each node tells the others of its start and stop by a message that passes only the layers below this one.
    """

    elements = {
        "Member": Element(
            add=lambda layer, child: layer.add_static_member(child),
            default="org.apache.catalina.tribes.membership.StaticMember",
            role=StaticMember,
        ),
        "LocalMember": Element(
            add=lambda layer, child: layer.set_local_member(child),
            default="org.apache.catalina.tribes.membership.StaticMember",
            role=StaticMember,
        ),
    }

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._configured: list[StaticMember] = []
        self._local: StaticMember | None = None
        self._static: dict[Member, Member] = {}
        self._forgotten: dict[Member, Member] = {}
        self._below_seen: Sequence[Member] | None = None
        self._members: tuple[Member, ...] = ()
        self._base: Member | None = None
        self._local_member: Member | None = None
        self._next_id = UniqueIds().next

    def add_static_member(self, member: StaticMember) -> None:
        """Add a member that belongs to the group even if it is not heard."""
        self._configured.append(member)

    def set_local_member(self, member: StaticMember) -> None:
        """Set the unique id and the domain of this process, which the others have in their configuration."""
        self._local = member

    # Membership.

    @property
    def members(self) -> Sequence[Member]:
        """The configured members and those from below, in absolute order as in Tomcat."""
        below = super().members
        if below is not self._below_seen:
            self._below_seen = below
            self._members = in_absolute_order([*below, *self._static]) if self._static else tuple(below)
        return self._members

    def get_member(self, member: Member) -> Member | None:
        """A configured member, or one from below."""
        return self._static.get(member) or super().get_member(member)

    def is_static(self, member: Member) -> bool:
        """True when the member is configured here."""
        return member in self._static or super().is_static(member)

    def forget_configured(self, member: Member) -> bool:
        """Do not count it as configured; whoever removes it reports that from below."""
        known = self._static.pop(member, None)
        self._below_seen = None
        if known is not None:
            self._forgotten[member] = known
        return known is not None

    def recall_configured(self, member: Member) -> None:
        """Count it again, and have the layers above look for it."""
        known = self._forgotten.pop(member, None)
        if known is not None:
            self._static[member] = known
            self._below_seen = None
            self._announce(member)

    @property
    def local_member(self) -> Member:
        """The configured identity, at the address of the receiver."""
        base = super().local_member
        if self._local is None:
            return base
        if base is not self._base or self._local_member is None:
            self._base = base
            self._local_member = replace(base, unique_id=self._local.unique_id, domain=self._local.domain)
        return self._local_member

    # Life.

    def start(self, level: int) -> None:
        """Start the transport, let the layers above probe the members, then start the rest."""
        transport = level & (SND_RX_SEQ | SND_TX_SEQ)
        if transport:
            super().start(transport)
            if self._local is not None:  # members that hear its heartbeats must take its messages for those of a member
                self.channel.adopt_unique_id(self._local.unique_id)
        self._static = {member: member for member in (each.to_member() for each in self._configured)}
        self._forgotten.clear()
        self._below_seen = None
        self.channel.add_membership_listener(_Greeter(self))
        for member in self._static:
            self._announce(member)
        super().start(level & ~transport)
        self._warn_about_missing_layers()

    def _announce(self, member: Member) -> None:
        self.channel.running_reactor.call_soon(lambda: self.member_added(member))

    def _warn_about_missing_layers(self) -> None:
        above = []
        layer = self.previous
        while layer is not None:
            above.append(str(layer))
            layer = layer.previous
        if "TcpFailureDetector" not in above:
            log.warning(
                "There is no TcpFailureDetector. Automatic detection of static members does not work properly. By "
                "defining the StaticMembershipInterceptor under the TcpFailureDetector, automatic detection of the "
                "static members will work."
            )
        if "TcpPingInterceptor" not in above:
            log.warning(
                "There is no TcpPingInterceptor. The health check of static members does not work properly. By "
                "defining the TcpPingInterceptor, the health check of static members will work."
            )

    def stop(self, level: int) -> None:
        """Tell the members that this one leaves, then stop."""
        if level & SND_TX_SEQ:
            delivery = self._tell(self.channel.members, MEMBER_STOP)
            if delivery is not None:
                delivery.wait(_FAREWELL_SECONDS)
            for listener in [each for each in self.channel.membership_listeners if isinstance(each, _Greeter)]:
                self.channel.remove_membership_listener(listener)
        super().stop(level)

    # The two messages.

    def greet(self, member: Member) -> None:
        """Tell a member that was found that this one is there."""
        if member in self._static:
            self._tell([member], MEMBER_START)

    def _tell(self, members: Sequence[Member], data: bytes) -> Delivery | None:
        if not members:
            return None
        message = ChannelMessage(
            data, self.option_flag, time.time_ns() // 1_000_000, self._next_id(), self.local_member
        )
        delivery = Delivery(len(members), message.unique_id, self.channel.reactor)
        try:
            self.send_message(members, message, delivery)
        except ChannelError as exc:
            kind = "Local member notification" if data == MEMBER_START else "Shutdown notification"
            log.warning("%s failed. %s", kind, exc)
            return None
        return delivery

    def message_received(self, message: ChannelMessage) -> None:
        """Handle the others' notices; a notice from a node outside the configuration is ignored."""
        if message.data == MEMBER_START:
            member = self.get_member(message.address)
            if member is not None:
                self.member_added(member)
        elif message.data == MEMBER_STOP:
            member = self.get_member(message.address)
            if member is not None:
                # This does not count as a farewell, which a failure detector would believe: anybody can send this in a
                # member's name.
                self.member_disappeared(member)
        else:
            super().message_received(message)


class _Greeter:
    """Listens at the top of the channel for members that the layers above have found."""

    def __init__(self, layer: StaticMembershipInterceptor) -> None:
        self._layer = layer

    def member_added(self, member: Member) -> None:
        self._layer.greet(member)

    def member_disappeared(self, member: Member) -> None:
        """Nothing to do: there is nobody to greet."""
