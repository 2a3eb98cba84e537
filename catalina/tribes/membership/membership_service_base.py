"""The common part of membership services (Tomcat: tribes/membership/MembershipServiceBase.java)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Component
from catalina.errors import ChannelError
from catalina.operations import Impact, operation, readable
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.member import SHUTDOWN_COMMAND, Member
from catalina.tribes.membership.membership import Membership
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext

log = logging.getLogger("org.apache.catalina.tribes.membership.MembershipServiceBase")

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
    def _table(self) -> Membership | None:
        """The members that were heard; None while the service is stopped."""
        return None

    @property
    def members(self) -> Sequence[Member]:
        """The other members, oldest first. Every send reads them."""
        raise NotImplementedError

    def silence_of(self, member: Member) -> float | None:
        """Seconds since a member was heard; None for one that this service has not heard itself. Any thread."""
        table = self._table
        return table.silence_of(member, self.channel.now()) if table is not None else None

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
        table = self._table
        if table is not None:
            return table.get(member)
        return next((known for known in self.members if known == member), None)

    @operation(name="removeMember", name_of_member="such as tcp://10.0.0.2:4000")
    def remove_member_named(self, name_of_member: str) -> None:
        """Remove a member from this node's view of the group, until the channel or that member is started anew.

        To this node it has left in order: the managers take over what it owned, its connection is closed, nothing is
        sent to it, and what it sends is a stranger's. Its heartbeats are not listened to, and no failure detector
        looks for it. It is told nothing, and the other nodes keep it: remove it there, too.

        Raises:
            ChannelError: there is no such member.
        """
        members = [member for member in self.channel.members if member.name == name_of_member]
        if not members:
            raise ChannelError(
                f"no member {name_of_member!r}, expected one of {', '.join(self.member_names) or '(none)'}"
            )
        run_in_runner(self.channel.running_reactor, lambda: self._remove(members))

    def _remove(self, members: Sequence[Member]) -> None:
        for member in members:
            log.warning("Member [%s] is removed by an operator", member)
            table = self._table
            known = table is not None and table.bar(member)
            if self.channel.forget_configured(member) or known:
                self.listener.member_disappeared(replace(member, command=SHUTDOWN_COMMAND))

    @operation(name="readmitMember", name_of_member="one of RemovedMembers")
    def readmit_member_named(self, name_of_member: str) -> None:
        """Undo removeMember: the member joins when it is heard, or looked for, the next time.

        Raises:
            ChannelError: no such member was removed.
        """
        table = self._table
        members = [member for member in table.barred if member.name == name_of_member] if table is not None else []
        if table is None or not members:
            raise ChannelError(f"{name_of_member!r} was not removed, {', '.join(self.removed_members) or 'nobody'} was")

        def readmit() -> None:
            for member in members:
                table.readmit(member)
                self.channel.recall_configured(member)

        run_in_runner(self.channel.running_reactor, readmit)

    @property
    @readable("RemovedMembers", doc="Members that an operator has removed.")
    def removed_members(self) -> list[str]:
        table = self._table
        return [member.name for member in table.barred] if table is not None else []

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
