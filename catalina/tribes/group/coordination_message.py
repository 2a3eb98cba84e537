"""The message of an election (Tomcat: interceptors/NonBlockingCoordinator.java, class CoordinationMessage).

16     header
4 + n  member record of the leader
4 + n  member record of the source
4      number of members
4 + n  each member of the view, in absolute order
16     id of the election, later of the view
16     type: request or confirmation
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from catalina.errors import ProtocolError
from catalina.tribes.member import Member

__all__ = ["COORD_ALIVE", "COORD_CONF", "COORD_HEADER", "COORD_REQUEST", "CoordinationMessage"]

COORD_HEADER = bytes.fromhex("aa26dee39e5a413faf86fa9263ca0d3f")
COORD_REQUEST = bytes.fromhex("68a1a4d672dc47edb1147a65ffd0cf1e")
COORD_CONF = bytes.fromhex("43586baa45174cbaa5e9a9e783564b14")
#: No implementation sends it any more; a received one is dropped.
COORD_ALIVE = bytes.fromhex(
    "4f87e7f1c505405eb37189a83472c8d2ee660a2281f74773ba489b5848847f6f"
    "4a4c8c326f674103b333dd00777509e67732b5979a244f25bcac850fea936ac9"
)

_LENGTH = struct.Struct(">i")
#: A member record has at least 73 bytes, and 4 more for its length.
_LEAST_MEMBER = 77


@dataclass(frozen=True, slots=True)
class CoordinationMessage:
    """A view that travels among its members.

    Args:
        leader: the first of the view, as the sender sees it.
        source: the member that began the election.
        view: the members, in absolute order.
        unique_id: the id of the election.
        kind: COORD_REQUEST or COORD_CONF.
    """

    leader: Member
    source: Member
    view: tuple[Member, ...]
    unique_id: bytes
    kind: bytes

    def encode(self) -> bytes:
        """The message's bytes."""
        members = (self.leader, self.source, *self.view)
        records = [member.encode() for member in members]
        sized = [_LENGTH.pack(len(record)) + record for record in records]
        return b"".join((COORD_HEADER, *sized[:2], _LENGTH.pack(len(self.view)), *sized[2:], self.unique_id, self.kind))

    @classmethod
    def decode(cls, data: bytes) -> CoordinationMessage:
        """Read a message that starts with the header.

        Raises:
            ProtocolError: the message is cut off or damaged.
        """
        at = len(COORD_HEADER)
        leader, at = _member(data, at)
        source, at = _member(data, at)
        count, at = _int(data, at)
        if not 0 < count <= len(data) // _LEAST_MEMBER:
            raise ProtocolError(f"view of {count} members in {len(data)} bytes", at)
        view = []
        for _ in range(count):
            member, at = _member(data, at)
            view.append(member)
        unique_id, kind = data[at : at + 16], data[at + 16 : at + 32]
        if kind not in (COORD_REQUEST, COORD_CONF):
            raise ProtocolError(f"expected the type of an election, got {kind!r}", at + 16)
        return cls(leader, source, tuple(view), unique_id, kind)


def _int(data: bytes, at: int) -> tuple[int, int]:
    if at + _LENGTH.size > len(data):
        raise ProtocolError(f"election message of {len(data)} bytes ends too early", at)
    return _LENGTH.unpack_from(data, at)[0], at + _LENGTH.size


def _member(data: bytes, at: int) -> tuple[Member, int]:
    size, at = _int(data, at)
    if not 0 <= size <= len(data) - at:
        raise ProtocolError(f"member of {size} bytes, {len(data) - at} are left", at)
    return Member.decode(data[at : at + size]), at + size
