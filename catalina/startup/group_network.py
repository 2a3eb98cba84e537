"""Network checks of ``catalina doctor``: messages of a group that arrive on this machine, and members that can be
reached.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalina.errors import ProtocolError
from catalina.polling import is_ready
from catalina.tribes.member import BEGIN, MAX_RECORD, Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.multicast_socket import open_multicast_socket

if TYPE_CHECKING:
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["Heard", "Reach", "group_mtu", "listen", "reach"]

_IP_MTU = 14
#: Members that are noted, because anybody who can send to the group could name any number.
MAX_HEARD = 200


@dataclass(slots=True)
class Heard:
    """The heartbeats of a group that were heard.

    Args:
        members: each member that announced itself -> the address that the datagram came from.
        datagrams: the number of all datagrams.
        broken: the number of datagrams that begin like an announcement and are none.
    """

    members: dict[Member, str] = field(default_factory=dict)
    datagrams: int = 0
    broken: int = 0


def listen(membership: McastService, seconds: float) -> Heard:
    """Join the group with another socket, as the membership does, and listen; nothing is sent.

    Raises:
        OSError: the group cannot be joined.
    """
    heard = Heard()
    group = (membership.address, membership.port)
    with contextlib.closing(open_multicast_socket(group, membership.bind, -1, True)) as sock:
        for data, source in _datagrams(sock, seconds):
            heard.datagrams += 1
            if not data.startswith(BEGIN):
                continue
            try:
                member = Member.decode(data)
            except (ProtocolError, ValueError):
                heard.broken += 1
                continue
            if len(heard.members) < MAX_HEARD:
                heard.members[member] = source
    return heard


def _datagrams(sock: socket.socket, seconds: float) -> Iterator[tuple[bytes, str]]:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if is_ready(sock, select.POLLIN, left):
            with contextlib.suppress(BlockingIOError):
                data, address = sock.recvfrom(MAX_RECORD)
                yield data, str(address[0])


@dataclass(frozen=True, slots=True)
class Reach:
    """The outcome of connecting to a member's receiver.

    Args:
        seconds: the time that it took, None when there is no connection.
        mtu: bytes of a packet on the way there, as far as the kernel knows; 0 when it does not.
        error: the reason of a failure: ``refused``, ``timeout``, ``route``, ``no securePort``, ``key: ...`` for a
            handshake that fails, or the system's words.
    """

    seconds: float | None
    mtu: int = 0
    error: str = ""


def reach(member: Member, seconds: float, tls: TribesSslContext | None = None) -> Reach:
    """Connect to a member's receiver, and close the connection.

    Args:
        tls: connect to its securePort, and prove to each other that both have the key.
    """
    began = time.monotonic()
    port = member.port if tls is None else member.secure_port
    if port <= 0:
        return Reach(None, error="no securePort")
    try:
        with socket.create_connection((member.address, port), timeout=seconds) as sock:
            found = Reach(time.monotonic() - began, _mtu_of(sock))
            if tls is not None:
                with tls.client.wrap_socket(sock) as encrypted:
                    tls.check_peer(encrypted)
            return found
    except ssl.SSLError as error:
        return Reach(None, error=f"key: {error.reason or error}")
    except TimeoutError:
        return Reach(None, error="timeout")
    except ConnectionRefusedError:
        return Reach(None, error="refused")
    except OSError as error:
        return Reach(None, error=error.strerror or str(error))


def group_mtu(membership: McastService) -> int:
    """Bytes of a packet to the group on this machine's interface; 0 when the kernel does not say."""
    if ":" in membership.address:
        return 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        if membership.bind:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(membership.bind))
        sock.connect((membership.address, membership.port))
        return _mtu_of(sock)
    return 0


def _mtu_of(sock: socket.socket) -> int:
    with contextlib.suppress(OSError):
        return sock.getsockopt(socket.IPPROTO_IP, _IP_MTU)
    return 0
