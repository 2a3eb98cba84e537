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
        is_local: whether it is this node.
        is_silent: whether it leaves messages unacknowledged.
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
        """Address that it receives at."""
        return self._member.address

    @property
    def port(self) -> int:
        """Port that it receives at."""
        return self._member.port

    @property
    def secure_port(self) -> int:
        """Port where it takes TLS, -1 for none."""
        return self._member.secure_port

    @property
    def udp_port(self) -> int:
        """Port where it takes datagrams, -1 for none."""
        return self._member.udp_port

    @property
    def member_alive_time(self) -> Long:
        """How long its membership has been running, as it says, in ms."""
        return self._member.alive_ms

    @property
    def service_start_time(self) -> Long:
        """When its membership began, by this node's clock, in ms since 1970."""
        return int(time.time() * 1000) - self._member.alive_ms

    @property
    def local(self) -> bool:
        """Whether it is this node."""
        return self._is_local

    @property
    def ready(self) -> bool:
        """Whether messages are sent to it and acknowledged."""
        return not self._is_silent

    @property
    def failing(self) -> bool:
        """Whether it leaves messages unacknowledged."""
        return self._is_silent

    @property
    def suspect(self) -> bool:
        """Whether it is silent and may have gone."""
        return self._is_silent

    @property
    def data_length(self) -> int:
        """Bytes of its record in a heartbeat."""
        return self._member.record_size

    @property
    @readable("uniqueId", doc="Of its process, in hex.")
    def unique(self) -> str:
        return self._member.unique_id.hex()
