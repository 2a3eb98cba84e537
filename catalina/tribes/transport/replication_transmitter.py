"""The sending side of a channel (Tomcat: tribes/transport/ReplicationTransmitter.java)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Component, Element
from catalina.errors import ChannelError
from catalina.tribes.channel import (
    SEND_OPTIONS_SECURE,
    SEND_OPTIONS_UDP,
    SEND_OPTIONS_USE_ACK,
    ChannelMessage,
    Delivery,
)
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.nio_sender import KeyedFrame
from catalina.tribes.transport.nio.parallel_nio_sender import ParallelNioSender
from catalina.tribes.transport.nio.pooled_parallel_sender import PooledParallelSender

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext

__all__ = ["FailureListener", "ReplicationTransmitter"]

_SPECIAL = SEND_OPTIONS_SECURE | SEND_OPTIONS_UDP


class FailureListener(Protocol):
    """Told which member a message did not reach."""

    def member_send_failed(self, member: Member, reason: BaseException) -> None: ...


class ReplicationTransmitter(Component):
    """Encodes messages once and queues them to each member."""

    elements = {
        "Transport": Element(
            add=lambda transmitter, child: transmitter.set_transport(child),
            default="org.apache.catalina.tribes.transport.nio.PooledParallelSender",
            role=ParallelNioSender,
        )
    }

    #: Set by the coordinator before start().
    channel: ChannelContext
    listener: FailureListener

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.transport: ParallelNioSender = PooledParallelSender()
        self._encoder = PackageEncoder()
        self._udp_based = False

    def set_transport(self, transport: ParallelNioSender) -> None:
        """Set the transport, which makes the connections. Only while stopped."""
        self.transport = transport

    def start(self) -> None:
        """Get ready to send."""
        self._udp_based = self.transport.udp_based
        self.transport.knows = self.channel.is_known
        self.transport.tls, self.transport.secure = self.channel.tls, self.channel.secure
        self.transport.open(self.channel.running_reactor, self.listener.member_send_failed)

    def stop(self) -> None:
        """Close the connections; waiting messages fail."""
        self.transport.close()

    def send_messages(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        """Queue messages with the same options to each member's receiver. Any thread.

        Raises:
            ChannelError: a message that must be encrypted would go as a datagram.
        """
        options = messages[0].options
        frame = self._encoder.frame
        frames = [(frame(message), message.key) for message in messages]
        wants_ack = bool(options & SEND_OPTIONS_USE_ACK)
        if options & _SPECIAL or self._udp_based:
            self._send_specially(to, frames, options, wants_ack, delivery)
        else:
            self.transport.enqueue(to, frames, wants_ack, delivery)

    def _send_specially(
        self, to: Sequence[Member], frames: Sequence[KeyedFrame], options: int, wants_ack: bool, delivery: Delivery
    ) -> None:
        secure = bool(options & SEND_OPTIONS_SECURE) or self.transport.secure
        if not (options & SEND_OPTIONS_UDP or self._udp_based):
            self.transport.enqueue_secure(to, frames, wants_ack, delivery)
        elif secure:
            raise ChannelError("a secure message cannot be sent as a datagram")
        else:
            self.transport.enqueue_datagrams(to, frames, wants_ack, delivery)

    def welcome(self, member: Member) -> None:
        """The member has joined. Only in the runner."""
        self.transport.welcome(member)

    def forget(self, member: Member) -> None:
        """The member has gone. Only in the runner."""
        self.transport.forget(member)

    def heartbeat(self, now: float) -> None:
        """Renew connections that are old enough. Only in the runner."""
        self.transport.heartbeat(now)
