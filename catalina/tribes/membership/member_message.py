"""The messages of StaticMembershipService (Tomcat: MemberMessage in membership/StaticMembershipProvider.java).

::

    class StaticMembershipProvider$MemberMessage, suid 1:       int msgtype, Member member, byte[] membershipId

It travels inside an RpcMessage, except STOP, which is sent plain.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.object_form import ObjectForm, ObjectSink
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, MEMBER_KINDS, MemberObject
from catalina.tribes.member import Member

__all__ = ["MSG_PING", "MSG_START", "MSG_STOP", "MemberMessage"]

MSG_START = 1
MSG_STOP = 2
MSG_PING = 3

CLASS_NAME = "org.apache.catalina.tribes.membership.StaticMembershipProvider$MemberMessage"

_FORM = ObjectForm(
    describe(CLASS_NAME, 1, fields="I msgtype, Lorg/apache/catalina/tribes/Member; member, [B membershipId"),
    MEMBER_KINDS,
)


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
        sink = ObjectSink()
        _FORM.write(sink, (self.type,), (MemberObject(self.member, suid), self.membership_id))
        return sink.to_encoded()

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package."""
        return ObjectBytes(self.to_encoded(suid).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return _FORM.matches(data)

    @classmethod
    def decode(cls, data: bytes) -> MemberMessage:
        """Read a whole stream: the message of a channel package, or of an RPC by ``EncodedValue.to_stream()``.

        Raises:
            ProtocolError: the stream is no MemberMessage.
        """
        try:
            kind, inner, member_id = _FORM.read(data)
        except FAULTS as fault:
            raise broken("a message of the static membership", fault) from fault
        if inner is None or member_id is None:
            raise ProtocolError(f"{CLASS_NAME}: expected a member and a membershipId, got {inner!r} and {member_id!r}")
        return cls(member_id, kind, inner.member, inner.suid)
