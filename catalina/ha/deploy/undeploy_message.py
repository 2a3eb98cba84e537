"""Tells the other nodes to remove an application (Tomcat: ha/deploy/UndeployMessage.java).

::

    class UndeployMessage, suid 2:    long timestamp, Member address (or null), String contextName, String uniqueId
"""

from __future__ import annotations

from dataclasses import dataclass

from catalina.errors import DeploymentError, ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.object_form import ObjectForm
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, MEMBER_KINDS, MemberObject
from catalina.tribes.member import Member
from catalina.util.context_name import ContextName

__all__ = ["UndeployMessage"]

_FORM = ObjectForm(
    describe(
        "org.apache.catalina.ha.deploy.UndeployMessage",
        2,
        fields="J timestamp, Lorg/apache/catalina/tribes/Member; address, Ljava/lang/String; contextName, "
        "Ljava/lang/String; uniqueId",
    ),
    MEMBER_KINDS,
)


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
        address = None if self.address is None else MemberObject(self.address, suid)
        return ObjectBytes(_FORM.stream((self.timestamp_ms,), (address, self.context_name, unique_id)))

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return _FORM.matches(data)

    @classmethod
    def decode(cls, data: bytes) -> UndeployMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no UndeployMessage, or its name cannot be a context's.
        """
        try:
            timestamp_ms, address, context_name, unique_id = _FORM.read(data)
        except FAULTS as fault:
            raise broken("an undeploy message", fault) from fault
        if context_name is None:
            raise ProtocolError("expected a contextName, got null")
        path, _, version = context_name.partition("##")
        try:
            ContextName(path, version)
        except DeploymentError as refused:
            raise ProtocolError(str(refused)) from None
        return cls(context_name, timestamp_ms, address and address.member, unique_id)
