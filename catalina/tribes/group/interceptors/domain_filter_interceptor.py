"""Keeps members of other domains out (Tomcat: interceptors/DomainFilterInterceptor.java)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from catalina.attributes import Attribute
from catalina.tribes.byte_text import text_or_byte_list
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["DomainFilterInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.DomainFilterInterceptor")


class DomainFilterInterceptor(ChannelInterceptorBase):
    """Passes only members that announce ``domain``, and their messages. The membership's domain must be set as well.

    It separates clusters that share a group by mistake or to save addresses. It protects against nobody.
    """

    domain = Attribute(text_or_byte_list, b"", doc="The domain: text, or bytes as {1,2,3}.")
    log_interval = Attribute(int, 100, doc="Every so many refused messages one is logged, the first one too.")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._refused = 0
        self._below_seen: Sequence[Member] | None = None
        self._members: tuple[Member, ...] = ()

    def message_received(self, message: ChannelMessage) -> None:
        """Pass on messages of the domain."""
        if message.address.domain == self.domain:
            super().message_received(message)
            return
        if self._refused % max(self.log_interval, 1) == 0:
            log.warning("Received message from cluster[%s] was refused.", message.address)
        self._refused += 1

    def member_added(self, member: Member) -> None:
        """Pass on members of the domain."""
        if member.domain == self.domain:
            super().member_added(member)
        else:
            log.info("Member [%s] was refused to join cluster", member)

    def member_disappeared(self, member: Member) -> None:
        """Pass on members of the domain."""
        if member.domain == self.domain:
            super().member_disappeared(member)

    @property
    def members(self) -> Sequence[Member]:
        """The members of the domain."""
        below = super().members
        if below is not self._below_seen:
            self._below_seen = below
            self._members = tuple(member for member in below if member.domain == self.domain)
        return self._members

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member of the domain."""
        known = super().get_member(member)
        return known if known is not None and known.domain == self.domain else None
