"""Attributes that every receiver has (Tomcat: tribes/transport/ReceiverBase.java)."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Attribute, Component
from catalina.errors import ConfigurationError
from catalina.operations import readable
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.transport.socket_options import SocketOptions

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext

__all__ = ["MessageListener", "ReceiverBase", "local_address"]

log = logging.getLogger("org.apache.catalina.tribes.transport.ReceiverBase")

#: Error numbers for "somebody has this port, try the next".
_TAKEN = (errno.EADDRINUSE, errno.EACCES)
#: Documentation addresses (RFC 5737, RFC 3849): nothing is sent there, the kernel is only asked for the route.
_ANYWHERE = (("192.0.2.1", 9), ("2001:db8::1", 9))


class MessageListener(Protocol):
    """Takes the messages that a receiver has decoded."""

    def message_received(self, message: ChannelMessage) -> None: ...


class ReceiverBase(SocketOptions, Component):
    """Address, ports and socket options of a receiver."""

    address = Attribute(
        str,
        "auto",
        aliases=("host",),
        doc="Address to listen on and to announce. auto takes the local address from which the membership's group is "
        "reached; a name is looked up once.",
    )
    bind = Attribute(str, "", doc="Address to listen on when it differs from the announced one.")
    port = Attribute(int, 4000, doc="First TCP port that is tried.")
    auto_bind = Attribute(int, 100, doc="How many ports are tried from port on; 0 and 1 try only port.")
    secure_port = Attribute(
        int,
        -1,
        doc="First port that is tried for TLS, with pskIdentity and pskKey of the <Channel>; -1 takes none. With the "
        'channel\'s secure="true" it is the only port that is listened on.',
    )
    udp_port = Attribute(int, -1, doc="First UDP port that is tried; -1 takes no datagrams.")
    direct = Attribute(bool, True, inert="Python has one kind of buffer")
    selector_timeout = Attribute(int, 5000, unit="ms", inert="the event loop waits until something comes")
    max_threads = Attribute(int, 15, inert="the event loop's thread receives")
    min_threads = Attribute(int, 6, inert="the event loop's thread receives")
    max_tasks = Attribute(int, 100, inert="there are no tasks to pool")
    min_tasks = Attribute(int, 10, inert="there are no tasks to pool")
    max_idle_time = Attribute(int, 60_000, unit="ms", inert="there are no idle threads")
    rx_buf_size = Attribute(int, 65536, unit="bytes", doc="SO_RCVBUF, and what one read takes at most.")
    tx_buf_size = Attribute(int, 25188, unit="bytes", doc="SO_SNDBUF; only acknowledgements are sent.")
    udp_rx_buf_size = Attribute(int, 65536, unit="bytes", doc="SO_RCVBUF of the datagram socket.")
    udp_tx_buf_size = Attribute(int, 25188, unit="bytes", doc="SO_SNDBUF of the datagram socket.")
    so_linger_on = Attribute(bool, True, doc="SO_LINGER of accepted connections.")
    timeout = Attribute(int, 3000, unit="ms", inert="reads never block here")
    use_buffer_pool = Attribute(bool, True, inert="there is no pool of buffers")
    daemon = Attribute(bool, True, inert="there are no receiver threads")
    max_package = Attribute(
        int,
        256 * 1024 * 1024,
        unit="bytes",
        doc="Largest package accepted; a member that announces a larger one loses its connection. It must fit what the "
        "members send at once, such as all sessions of a state transfer.",
    )
    max_buffered = Attribute(
        int,
        512 * 1024 * 1024,
        unit="bytes",
        doc="Bytes that incomplete packages may take together; one more costs its connection. Connections on "
        "which no member has spoken yet have an eighth of it, and never more.",
    )
    max_connections = Attribute(
        int,
        1000,
        doc="Connections accepted at a time; more are closed with one log line. Those from addresses of no member, on "
        "which no member has spoken, are half of it at most.",
    )

    #: Set by the coordinator before start().
    channel: ChannelContext
    listener: MessageListener

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.host = b""
        self.bound_port = 0
        self.bound_secure_port = -1
        self.bound_udp_port = -1

    @property
    @readable("Listening", doc="True while it takes messages.")
    def listens(self) -> bool:
        return max(self.bound_port, self.bound_secure_port) > 0

    def start(self, route_hint: tuple[str, int] | None) -> None:
        """Bind the ports and take messages.

        Args:
            route_hint: an address of the group, for address auto.

        Raises:
            ConfigurationError: no port of a range is free, or the address is unknown or not local; the error says
                which.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Close every socket."""
        raise NotImplementedError

    def could_move(self, route_hint: tuple[str, int] | None) -> bool:
        """True when address auto would now choose another address, because the receiver was started on loopback."""
        if self.address.strip().lower() != "auto" or not self.host or not ipaddress.ip_address(self.host).is_loopback:
            return False
        return not ipaddress.ip_address(local_address(route_hint)).is_loopback

    def refused(self, attributes: str, error: OSError) -> ConfigurationError:
        """The error that tells the operator about an address or a port that cannot be had."""
        declared = self.attributes()
        words = " ".join(f"{name}='{getattr(self, declared[name].name)}'" for name in attributes.split())
        return ConfigurationError(f"<Receiver {words}>: {error.strerror or error}", self.place)

    def _resolve_host(self, route_hint: tuple[str, int] | None) -> str:
        """Resolve and set ``host``; return it as text."""
        text = local_address(route_hint) if self.address.strip().lower() == "auto" else _look_up(self.address)
        self.host = ipaddress.ip_address(text).packed
        return text

    def _first_free(self, first: int, make: Callable[[int], socket.socket]) -> socket.socket:
        """The socket that ``make`` makes for the first free port of the range.

        ``make`` must bind and, for a listening socket, also listen: two nodes that start at the same moment can both
        bind a port, and only the second call of listen() reports that it is taken.
        """
        last = first + max(self.auto_bind, 1) - 1 if first else first
        for port in range(first, last + 1):
            try:
                return make(port)
            except OSError as exc:
                if exc.errno not in _TAKEN or port == last:
                    log.info("Unable to bind server socket to:[%s:%d] throwing error.", self.bind or self.address, port)
                    raise
        raise AssertionError("the range is never empty")


def _look_up(name: str) -> str:
    """The first address of a name; looked up once at the start, before the loop has anything to serve."""
    return str(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0])


def local_address(route_hint: tuple[str, int] | None) -> str:
    """The address of this machine that the other members can reach (address ``auto``).

    It is the one from which ``route_hint`` is reached, else that of the default route, else loopback with a warning.

    Java resolves the host's own name, which on many systems gives 127.0.1.1, and then announces that to everybody.
    """
    hints = [route_hint] if route_hint else []
    for target in (*hints, *_ANYWHERE):
        address = source_address(target)
        if address and not ipaddress.ip_address(address).is_loopback:
            return address
    log.warning(
        "Only the loopback address is left for address=auto: members on other machines cannot reach this one. "
        "Set the address attribute of <Receiver>."
    )
    return "127.0.0.1"


def source_address(target: tuple[str, int]) -> str | None:
    """The address that the kernel would send from, None when there is no route. Nothing is sent."""
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return None if ipaddress.ip_address(address).is_unspecified else address
