"""The common part of membership services (Tomcat: tribes/membership/MembershipServiceBase.java)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Component
from catalina.errors import ChannelError
from catalina.operations import Impact, operation, readable
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext

__all__ = ["MembershipServiceBase", "ServiceListener", "new_unique_id"]


class ServiceListener(Protocol):
    """Is told of members and messages, in the runner."""

    def member_added(self, member: Member) -> None: ...

    def member_disappeared(self, member: Member) -> None: ...

    def message_received(self, message: ChannelMessage) -> None: ...


def new_unique_id() -> bytes:
    """The id of a process as a member: a random UUID."""
    return uuid.uuid4().bytes


class MembershipServiceBase(Component):
    """Finds the members and announces the local one.

    ``local_member`` exists after the first :meth:`set_local_member_properties`; ``members`` may be read at any time.
    """

    #: Set by the coordinator before start().
    channel: ChannelContext
    listener: ServiceListener

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._local: Member | None = None
        self._payload = THIS_PEER

    @property
    def members(self) -> Sequence[Member]:
        """The other members, oldest first."""
        raise NotImplementedError

    def silence_of(self, member: Member) -> float | None:
        """Seconds since a member was heard; None for one that this service has not heard itself. Any thread."""
        return None

    @property
    @readable("MembersByName", doc="The other members.")
    def member_names(self) -> list[str]:
        return [member.name for member in self.members]

    @property
    @readable("LocalMemberName", doc="This process as it was last announced.")
    def local_member_name(self) -> str | None:
        return None if self._local is None else self._local.name

    @operation(name="hasMembers", impact=Impact.INFO)
    def has_any_members(self) -> bool:
        """True when there is any other member."""
        return bool(self.members)

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member, None when it is not known."""
        return next((known for known in self.members if known == member), None)

    def is_static(self, member: Member) -> bool:
        """True when the member stands in the configuration."""
        return False

    @property
    def local_member(self) -> Member:
        """This process as it was last announced.

        Raises:
            ChannelError: the channel was never started.
        """
        if self._local is None:
            raise ChannelError("the channel has no local member before its receiver is started")
        return self._local

    def set_local_member_properties(self, host: bytes, port: int, secure_port: int, udp_port: int) -> None:
        """Set the address and ports of the receiver, before the service starts."""
        known = self._local
        if known is None:
            known = self._new_local_member(host, port)
        self._local = replace(known, host=host, port=port, secure_port=secure_port, udp_port=udp_port)

    def adopt_unique_id(self, unique_id: bytes) -> None:
        """Announce this process under an id from the configuration, which its messages then carry. Before start()."""
        self._local = replace(self.local_member, unique_id=unique_id)

    def _new_local_member(self, host: bytes, port: int) -> Member:
        return Member(host, port, unique_id=new_unique_id(), domain=self._local_domain(), payload=self._payload)

    def _local_domain(self) -> bytes:
        return b""

    @property
    def payload(self) -> bytes:
        """The free bytes that are announced with the local member."""
        return self._payload

    def set_payload(self, payload: bytes) -> None:
        """Announce other free bytes, behind the mark of this software by which peers know that they may send faster."""
        self._payload = THIS_PEER + b" " + payload if payload else THIS_PEER
        if self._local is not None:
            self._local = replace(self._local, payload=self._payload)

    def route_hint(self) -> tuple[str, int] | None:
        """An address of the group, for a receiver with address auto."""
        return None

    def start(self, level: int) -> None:
        """Start to listen (MBR_RX_SEQ) or to announce (MBR_TX_SEQ). May block while members are awaited."""
        raise NotImplementedError

    def stop(self, level: int) -> None:
        """Stop everything that :meth:`start` started."""
        raise NotImplementedError

    def heartbeat(self, now: float) -> None:
        """Do periodic work, in the runner."""

    def broadcast(self, message: ChannelMessage) -> None:
        """Send to everybody who listens.

        Raises:
            ChannelError: this kind of membership has no group to send to.
        """
        raise ChannelError(f"{type(self).__name__} cannot broadcast")
