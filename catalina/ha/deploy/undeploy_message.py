"""Tells the other nodes to remove an application (Tomcat: ha/deploy/UndeployMessage.java).

::

    class UndeployMessage, suid 2:    long timestamp, Member address (or null), String contextName, String uniqueId
"""

from __future__ import annotations

from dataclasses import dataclass

from catalina.errors import DeploymentError, ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.descriptors import describe, new_object, string
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaObject, text_of
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, member_node, member_of
from catalina.tribes.member import Member
from catalina.util.context_name import ContextName

__all__ = ["UndeployMessage"]

CLASS_NAME = "org.apache.catalina.ha.deploy.UndeployMessage"

_CLASS = describe(
    CLASS_NAME,
    2,
    fields="J timestamp, Lorg/apache/catalina/tribes/Member; address, Ljava/lang/String; contextName, "
    "Ljava/lang/String; uniqueId",
)
_NAME_HEAD = STREAM_HEADER + b"\x73" + encode_node(_CLASS).data[: 3 + len(CLASS_NAME)]


@dataclass(frozen=True, slots=True)
class UndeployMessage:
    """One application to remove.

    Args:
        context_name: the application, such as ``/app`` or ``/a##2``.
        timestamp_ms: the time of the message.
        address: the sender. Every version understands None; only versions with the same MemberImpl understand a member.
        unique_id: ``Undeploy:<context>:<ms>`` by default.
    """

    context_name: str
    timestamp_ms: int
    address: Member | None = None
    unique_id: str | None = None

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package."""
        unique_id = self.unique_id or f"Undeploy:{self.context_name}:{self.timestamp_ms}"
        node = new_object(
            _CLASS,
            timestamp=self.timestamp_ms,
            address=member_node(self.address, suid),
            contextName=string(self.context_name),
            uniqueId=string(unique_id),
        )
        return ObjectBytes(encode_node(node).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return data.startswith(_NAME_HEAD)

    @classmethod
    def decode(cls, data: bytes) -> UndeployMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no UndeployMessage, or its name cannot be a context's.
        """
        node = ObjectInputStream(data).read_node()
        if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
        context_name, timestamp = text_of(node.get("contextName"), "contextName"), node.get("timestamp")
        if context_name is None or not isinstance(timestamp, int):
            raise ProtocolError(f"expected contextName and timestamp, got {context_name!r} and {timestamp!r}")
        path, _, version = context_name.partition("##")
        try:
            ContextName(path, version)
        except DeploymentError as refused:
            raise ProtocolError(str(refused)) from None
        return cls(context_name, timestamp, member_of(node.get("address")), text_of(node.get("uniqueId"), "uniqueId"))
