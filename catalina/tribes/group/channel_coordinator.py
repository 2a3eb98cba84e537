"""The lowest layer: joins receiver, sender and membership (Tomcat: tribes/group/ChannelCoordinator.java)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from catalina.attributes import Attribute
from catalina.errors import CatalinaError, ChannelError
from catalina.tribes.channel import (
    DEFAULT,
    MBR_RX_SEQ,
    MBR_TX_SEQ,
    SEND_OPTIONS_MULTICAST,
    SEND_OPTIONS_SECURE,
    SND_RX_SEQ,
    SND_TX_SEQ,
    ChannelMessage,
    Delivery,
)
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase, MembersSource
from catalina.tribes.logs import FINE, MESSAGES
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT
from catalina.tribes.transport.receiver_base import ReceiverBase
from catalina.tribes.transport.replication_transmitter import ReplicationTransmitter

__all__ = ["ChannelCoordinator"]

log = logging.getLogger("org.apache.catalina.tribes.group.ChannelCoordinator")


class ChannelCoordinator(ChannelInterceptorBase):
    """Sends through the sender or the membership's multicast group, and passes received messages and members up."""

    option_flag = Attribute(int, 7, doc="The bits that the transport itself acts on; only compared for clashes.")

    def __init__(self) -> None:
        super().__init__()
        self.receiver: ReceiverBase = NioReceiver()
        self.sender: ReplicationTransmitter = ReplicationTransmitter()
        self.membership_service: MembershipServiceBase = McastService()
        self.start_level = 0
        self._receive_above: Callable[[ChannelMessage], None] | None = None  # looked up anew at each start

    @property
    def members_source(self) -> MembersSource:
        """The membership service."""
        return self.membership_service

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send to the members' receivers or, with the multicast bit, to everybody who listens to the membership's
        group.
        """
        self.send_messages(to, (message,), delivery)

    def send_messages(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        """Send several messages to the same members."""
        if messages[0].options & SEND_OPTIONS_MULTICAST:
            if self.channel.secure or messages[0].options & SEND_OPTIONS_SECURE:
                raise ChannelError("a secure message cannot be sent by multicast")
            for message in messages:
                self.membership_service.broadcast(message)
            for _ in to:
                delivery.succeeded()
        else:
            self.sender.send_messages(to, messages, delivery)
        if MESSAGES.isEnabledFor(FINE):
            for message in messages:
                MESSAGES.log(FINE, "ChannelCoordinator - Sent msg:%s", message.unique_id.hex())

    def message_received(self, message: ChannelMessage) -> None:
        """Pass up a message of the receiver, or a broadcast of the membership service.

        A failure detector's probe ends here, because it never went through the transformations that the interceptors
        above undo.
        """
        if len(message.data) == len(TCP_FAIL_DETECT) and message.data == TCP_FAIL_DETECT:
            return
        if MESSAGES.isEnabledFor(FINE):
            MESSAGES.log(
                FINE, "ChannelCoordinator - Received msg:%s from %s", message.unique_id.hex(), message.address.name
            )
        if self._receive_above is None:
            self._receive_above = self.above_that_receives()
        self._receive_above(message)

    def start(self, level: int) -> None:
        """Start the services that ``level`` names: the receiver first, because the membership announces its port."""
        level &= DEFAULT
        if not level or self.start_level == DEFAULT:
            return
        self._receive_above = None
        if level == level & self.start_level:
            raise ChannelError(f"Channel already started for level:[{level}]")
        try:
            self._start_services(level)
        except (OSError, CatalinaError) as exc:
            raise ChannelError(f"channel {self.channel.name!r}: {exc}") from exc
        self.start_level |= level

    def _start_services(self, level: int) -> None:
        receiver, sender, membership = self.receiver, self.sender, self.membership_service
        if level & SND_RX_SEQ:
            receiver.listener = self
            receiver.channel = self.channel
            self._start_receiver()
        if level & SND_TX_SEQ:
            sender.channel = self.channel
            sender.listener = self
            sender.start()
            self.start_level |= SND_TX_SEQ
        for bit in (MBR_RX_SEQ, MBR_TX_SEQ):
            if level & bit:
                membership.channel = self.channel
                membership.listener = self
                membership.start(bit)
                self.start_level |= bit

    def _start_receiver(self) -> None:
        receiver, membership = self.receiver, self.membership_service
        receiver.start(membership.route_hint())
        self.start_level |= SND_RX_SEQ
        membership.set_local_member_properties(
            receiver.host, receiver.bound_port, receiver.bound_secure_port, receiver.bound_udp_port
        )

    def move_receiver(self) -> bool:
        """Bind the receiver anew at an address that the others can reach.

        This applies to a receiver whose address depends on the route to the group, when there was no route at the
        start.

        Returns:
            True when the receiver has moved. Only in the runner.
        """
        receiver = self.receiver
        if not self.start_level & SND_RX_SEQ or not receiver.could_move(self.membership_service.route_hint()):
            return False
        receiver.stop()
        try:
            self._start_receiver()
        except CatalinaError as exc:
            log.error("The receiver could not be bound to the address that the route has brought: %s", exc)
            return False
        return True

    def stop(self, level: int) -> None:
        """Stop the services that ``level`` names, the announcing one first; an error in one does not keep the others
        running.
        """
        level &= self.start_level
        faults: list[Exception] = []
        steps: tuple[tuple[int, Callable[[], None]], ...] = (
            (MBR_TX_SEQ, lambda: self.membership_service.stop(MBR_TX_SEQ)),
            (MBR_RX_SEQ, lambda: self.membership_service.stop(MBR_RX_SEQ)),
            (SND_TX_SEQ, self.sender.stop),
            (SND_RX_SEQ, self.receiver.stop),
        )
        for bit, step in steps:
            if level & bit:
                try:
                    step()
                except (OSError, CatalinaError) as exc:
                    faults.append(exc)
        self.start_level &= ~level
        if faults:
            raise ChannelError(f"channel {self.channel.name!r}: {'; '.join(map(str, faults))}") from faults[0]

    def heartbeat(self, now: float) -> None:
        """Let the sender renew connections, and a membership that pings do so."""
        self.sender.heartbeat(now)
        self.membership_service.heartbeat(now)

    @property
    def members(self) -> Sequence[Member]:
        """The members that the membership service knows."""
        return self.membership_service.members

    def get_member(self, member: Member) -> Member | None:
        """The member's record in the membership service."""
        return self.membership_service.get_member(member)

    def is_static(self, member: Member) -> bool:
        """True when the membership service has the member from the configuration."""
        return self.membership_service.is_static(member)

    @property
    def local_member(self) -> Member:
        """The local member that the membership service announces."""
        return self.membership_service.local_member
