"""Attributes that every sender has (Tomcat: tribes/transport/AbstractSender.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component
from catalina.tribes.transport.socket_options import SocketOptions

__all__ = ["AbstractSender"]


class AbstractSender(SocketOptions, Component):
    """Times, retries and socket options of the connections to the members."""

    timeout = Attribute(
        int,
        3000,
        unit="ms",
        doc="A message that is not written, or not acknowledged where that was asked, after this time has failed for "
        "that member. The connection is kept for two thirds of it longer, because Java answers that late at times.",
    )
    max_retry_attempts = Attribute(
        int, 1, doc="How often a message is sent again after its connection broke; the receiver may see it twice."
    )
    keep_alive_count = Attribute(int, -1, doc="Messages after which a connection is renewed; -1 never.")
    keep_alive_time = Attribute(int, -1, unit="ms", doc="Age at which an idle connection is renewed; -1 never.")
    throw_on_failed_ack = Attribute(bool, True, doc="A negative acknowledgement is a failure; false takes it as done.")
    direct_buffer = Attribute(bool, False, aliases=("direct",), inert="Python has one kind of buffer")
    udp_based = Attribute(bool, False, doc="Send every message as a datagram, not only those with the UDP option.")
    udp_port = Attribute(int, -1, inert="the port of each member's record is used")
    udp_rx_buf_size = Attribute(int, 25188, unit="bytes", doc="SO_RCVBUF of datagram sockets, where configured.")
    udp_tx_buf_size = Attribute(int, 65536, unit="bytes", doc="SO_SNDBUF of datagram sockets, where configured.")
    max_backlog = Attribute(
        int,
        128 * 1024 * 1024,
        unit="bytes",
        doc="Bytes that may wait for one member. More fail at once, so a member that stops reading costs no "
        "more memory than this. More than the dispatcher's maxQueueSize, so that a caller who finds it full can "
        "wait.",
    )
    connect_timeout = Attribute(
        int, 3000, unit="ms", doc="How long a connection may take to be made before its messages fail."
    )
