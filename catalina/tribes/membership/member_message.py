"""The messages of StaticMembershipService (Tomcat: MemberMessage in membership/StaticMembershipProvider.java).

::

    class StaticMembershipProvider$MemberMessage, suid 1:       int msgtype, Member member, byte[] membershipId

It travels inside an RpcMessage, except STOP, which is sent plain.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.descriptors import byte_array, describe, new_object
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaArray, JavaObject
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, member_node, member_of, suid_of
from catalina.tribes.member import Member

__all__ = ["MSG_PING", "MSG_START", "MSG_STOP", "MemberMessage"]

MSG_START = 1
MSG_STOP = 2
MSG_PING = 3

CLASS_NAME = "org.apache.catalina.tribes.membership.StaticMembershipProvider$MemberMessage"

_CLASS = describe(CLASS_NAME, 1, fields="I msgtype, Lorg/apache/catalina/tribes/Member; member, [B membershipId")
_NAME_HEAD = STREAM_HEADER + b"\x73" + encode_node(_CLASS).data[: 3 + len(CLASS_NAME)]


@dataclass(frozen=True, slots=True)
class MemberMessage:
    """One message about one member.

    Args:
        membership_id: ISO-8859-1 of ``<channelName>-StaticMembership``; also the id of the RPC channel.
        type: START, STOP or PING.
        member: the sender.
        suid: the serialVersionUID with which the member was written, None in this node's own messages.
    """

    membership_id: bytes
    type: int
    member: Member
    suid: int | None = None

    def to_encoded(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> EncodedValue:
        """The message as a value, for an RPC.

        Args:
            suid: the serialVersionUID of MemberImpl that the receiver has.
        """
        node = new_object(
            _CLASS,
            msgtype=self.type,
            member=member_node(self.member, suid),
            membershipId=byte_array(self.membership_id),
        )
        return encode_node(node)

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package."""
        return ObjectBytes(self.to_encoded(suid).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return data.startswith(_NAME_HEAD)

    @classmethod
    def decode(cls, data: bytes) -> MemberMessage:
        """Read a whole stream: the message of a channel package, or of an RPC by ``EncodedValue.to_stream()``.

        Raises:
            ProtocolError: the stream is no MemberMessage.
        """
        if data[:4] != STREAM_HEADER:
            raise ProtocolError(f"expected a Java object stream, got {data[:4]!r}", 0)
        node = read_object(data, 4)
        if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
        kind, member_id, inner = node.get("msgtype"), node.get("membershipId"), node.get("member")
        member = member_of(inner)
        if not isinstance(kind, int) or member is None or not isinstance(inner, JavaObject):
            raise ProtocolError(f"{CLASS_NAME}: expected a type and a member, got {kind!r} and {inner!r}")
        if not isinstance(member_id, JavaArray) or not isinstance(member_id.values, bytes):
            raise ProtocolError(f"{CLASS_NAME}: expected a membershipId, got {member_id!r}")
        return cls(member_id.values, kind, member, suid_of(inner))
