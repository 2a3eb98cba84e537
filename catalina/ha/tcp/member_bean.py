"""``type=Cluster,component=Member``: a member of the group (Tomcat: the bean of tribes/membership/MemberImpl.java)."""

from __future__ import annotations

import time

from catalina.attributes import Component
from catalina.operations import Long, readable
from catalina.tribes.member import Member

__all__ = ["MemberBean"]


class MemberBean(Component):
    """A member as this node sees it.

    Args:
        member: this node, or another one.
        is_local: True for this node.
        is_silent: True for a member that leaves messages unacknowledged.
    """

    bean_class = "org.apache.catalina.tribes.membership.MemberImpl"

    def __init__(self, member: Member, is_local: bool, is_silent: bool) -> None:
        super().__init__()
        self._member = member
        self._is_local = is_local
        self._is_silent = is_silent

    @property
    @readable("name", doc="Address and port that it receives at.")
    def label(self) -> str:
        return self._member.name

    @property
    def hostname(self) -> str:
        """The address at which it receives."""
        return self._member.address

    @property
    def port(self) -> int:
        """The port at which it receives."""
        return self._member.port

    @property
    def secure_port(self) -> int:
        """The port for TLS, -1 for none."""
        return self._member.secure_port

    @property
    def udp_port(self) -> int:
        """The port for datagrams, -1 for none."""
        return self._member.udp_port

    @property
    def member_alive_time(self) -> Long:
        """The time in ms that its membership has been running, by its own word."""
        return self._member.alive_ms

    @property
    def service_start_time(self) -> Long:
        """The start of its membership by this node's clock, in ms since 1970."""
        return int(time.time() * 1000) - self._member.alive_ms

    @property
    def local(self) -> bool:
        """True for this node."""
        return self._is_local

    @property
    def ready(self) -> bool:
        """True when messages are sent to it and acknowledged."""
        return not self._is_silent

    @property
    def failing(self) -> bool:
        """True when it leaves messages unacknowledged."""
        return self._is_silent

    @property
    def suspect(self) -> bool:
        """True when it is silent and may have gone."""
        return self._is_silent

    @property
    def data_length(self) -> int:
        """Bytes of its record in a heartbeat."""
        return self._member.record_size

    @property
    @readable("uniqueId", doc="The id of its process, in hex.")
    def unique(self) -> str:
        return self._member.unique_id.hex()
