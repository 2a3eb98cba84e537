"""A member of the group, and its record on the wire (Tomcat: tribes/membership/MemberImpl.java; docs/wire.md 1.1)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field, replace

from catalina.errors import ProtocolError

__all__ = ["BEGIN", "END", "MAX_RECORD", "SHUTDOWN_COMMAND", "Member"]

BEGIN = bytes.fromhex("5452494245532d420100")  # TRIBES-B 1 0
END = bytes.fromhex("5452494245532d450100")  # TRIBES-E 1 0
#: The command of a member that leaves in order.
SHUTDOWN_COMMAND = b"BABY-ALEX"
#: A record must fit into one datagram.
MAX_RECORD = 65535

_LENGTH = struct.Struct(">i")
_FIXED = struct.Struct(">qiiiB")  # alive, port, securePort, udpPort, hostLen
_NO_ID = bytes(16)
#: The size of a record whose variable parts are all empty.
_MIN_RECORD = 73
_FRAME_SIZE = len(BEGIN) + _LENGTH.size + len(END)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A node that can be sent to. Its identity is ``host``, ``port`` and ``unique_id``, nothing else.

    Args:
        host: raw IP address, 4 or 16 bytes.
        port: the TCP port of its receiver.
        secure_port: the port for TLS; -1 or 0 when there is none.
        udp_port: the port for datagrams; -1 or 0 when there is none.
        alive_ms: the time that its membership service has been running, by its own word; some members send epoch
            milliseconds.
        unique_id: 16 bytes, new in each process.
        command: :data:`SHUTDOWN_COMMAND` when the member leaves.
        domain: free bytes, compared by DomainFilterInterceptor.
        payload: free bytes of the application.
    """

    host: bytes
    port: int
    secure_port: int = -1
    udp_port: int = -1
    alive_ms: int = 0
    unique_id: bytes = _NO_ID
    command: bytes = b""
    domain: bytes = b""
    payload: bytes = b""
    _hash: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.host, self.port, self.unique_id)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Member):
            return NotImplemented
        return self.port == other.port and self.unique_id == other.unique_id and self.host == other.host

    @property
    def address(self) -> str:
        """The IP address as text; in hex for bytes that are no address, which no record carries."""
        if len(self.host) in (4, 16):
            return str(ipaddress.ip_address(self.host))
        return self.host.hex()

    @property
    def name(self) -> str:
        """Tomcat's name for the member: ``tcp://10.0.0.7:4000``; IPv6 addresses are in brackets."""
        host = f"[{self.address}]" if len(self.host) == 16 else self.address
        return f"tcp://{host}:{self.port}"

    @property
    def is_leaving(self) -> bool:
        """True when the record carries the farewell command."""
        return self.command == SHUTDOWN_COMMAND

    def __str__(self) -> str:
        return f"{self.name}[{self.unique_id.hex()[:8]}]"

    def with_alive(self, alive_ms: int) -> Member:
        """The same member with another alive time."""
        return replace(self, alive_ms=alive_ms)

    @property
    def record_size(self) -> int:
        """Bytes of the record."""
        return _MIN_RECORD + len(self.host) + len(self.command) + len(self.domain) + len(self.payload)

    def encode(self) -> bytes:
        """The record: 77 bytes for an IPv4 member without command, domain and payload.

        Raises:
            ValueError: the host is no address, the id is not 16 bytes, or the record exceeds a datagram.
        """
        if len(self.host) not in (4, 16) or len(self.unique_id) != 16:
            raise ValueError(f"member {self!r}: expected a host of 4 or 16 bytes and a unique id of 16")
        body = b"".join(
            (
                _FIXED.pack(self.alive_ms, self.port, self.secure_port, self.udp_port, len(self.host)),
                self.host,
                _LENGTH.pack(len(self.command)),
                self.command,
                _LENGTH.pack(len(self.domain)),
                self.domain,
                self.unique_id,
                _LENGTH.pack(len(self.payload)),
                self.payload,
            )
        )
        if len(body) + _FRAME_SIZE > MAX_RECORD:
            raise ValueError(f"member record of {len(body) + _FRAME_SIZE} bytes, limit {MAX_RECORD}")
        return b"".join((BEGIN, _LENGTH.pack(len(body)), body, END))

    @classmethod
    def decode(cls, data: bytes, offset: int = 0) -> Member:
        """Read the record at ``offset``; bytes behind it are ignored, as Java does.

        A decoded member can be connected to without a name server: its host is an address, and its ports are valid. The
        loop connects in the thread that serves everybody, so a host name would stop it for as long as a name server is
        silent.

        Raises:
            ProtocolError: the bytes are no member record, or nobody could connect to the member.
        """
        body = _body_start(data, offset)
        end = body + _LENGTH.unpack_from(data, body - _LENGTH.size)[0]
        alive, port, secure, udp, host_size = _FIXED.unpack_from(data, body)
        if host_size not in (4, 16):
            raise ProtocolError(f"member host of {host_size} bytes, expected an IP address of 4 or 16", body)
        if not (0 < port <= 65535 and -1 <= secure <= 65535 and -1 <= udp <= 65535):
            raise ProtocolError(
                f"member with port {port}, securePort {secure} and udpPort {udp}, expected 1 to 65535, and for the "
                "last two also -1 or 0, which mean none",
                body,
            )
        at = body + _FIXED.size
        host, at = _take(data, at, host_size, end)
        command, at = _take_sized(data, at, end)
        domain, at = _take_sized(data, at, end)
        unique_id, at = _take(data, at, 16, end)
        payload, at = _take_sized(data, at, end)
        return cls(host, port, secure, udp, alive, unique_id, command, domain, payload)


def _body_start(data: bytes, offset: int) -> int:
    """Check the markers and lengths around the body; returns the offset at which the body starts."""
    start = offset + len(BEGIN)
    if data[offset:start] != BEGIN:
        raise ProtocolError(f"expected a member record {BEGIN!r}, got {data[offset:start]!r}", offset)
    body = start + _LENGTH.size
    if len(data) < body:
        raise ProtocolError(f"member record ends after {len(data) - offset} bytes", offset)
    (size,) = _LENGTH.unpack_from(data, start)
    if not _FIXED.size <= size <= MAX_RECORD - _FRAME_SIZE:
        raise ProtocolError(f"member body of {size} bytes, expected {_FIXED.size} to {MAX_RECORD - _FRAME_SIZE}", start)
    if data[body + size : body + size + len(END)] != END:
        raise ProtocolError(f"no {END!r} after {size} bytes of member body", body + size)
    return body


def _take(data: bytes, at: int, size: int, end: int) -> tuple[bytes, int]:
    if size < 0 or at + size > end:
        raise ProtocolError(f"member field of {size} bytes, {end - at} are left", at)
    return bytes(data[at : at + size]), at + size


def _take_sized(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    if at + _LENGTH.size > end:
        raise ProtocolError(f"member field's length at the record's end, {end - at} bytes are left", at)
    return _take(data, at + _LENGTH.size, _LENGTH.unpack_from(data, at)[0], end)
