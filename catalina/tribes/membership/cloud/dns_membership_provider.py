"""Takes the addresses of a name for members (Tomcat: membership/cloud/DNSMembershipProvider.java)."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.member import Member
from catalina.tribes.membership.cloud.cloud_membership_provider import (
    CloudMembershipProvider,
    environment,
    member_id,
)

if TYPE_CHECKING:
    from catalina.tribes.membership.cloud.cloud_membership_provider import CloudService

__all__ = ["DNSMembershipProvider"]

log = logging.getLogger("org.apache.catalina.tribes.membership.cloud.DNSMembershipProvider")

#: The number of addresses of one name that are used.
_MAX_ADDRESSES = 1000


class DNSMembershipProvider(CloudMembershipProvider):
    """Looks up ``DNS_MEMBERSHIP_SERVICE_NAME``, by default the namespace: a headless service in Kubernetes.

    Every address is a member with the port of this node's receiver, and its id is the MD5 of the address. An unknown
    node that sends a message is also taken for a member, before the name server knows it.
    """

    hears_strangers = True

    def __init__(self, service: CloudService) -> None:
        super().__init__(service)
        self.name = environment("DNS_MEMBERSHIP_SERVICE_NAME") or self.namespace()

    def start(self) -> None:
        """Look up, and listen to strangers."""
        log.debug("Namespace [%s] set; clustering enabled", self.name)
        self.service.channel.add_channel_listener(self)
        super().start()

    def stop(self) -> None:
        """Stop listening."""
        self.service.channel.remove_channel_listener(self)
        super().stop()

    def fetch_members(self) -> Sequence[Member] | None:
        """The members of the name, without the local one."""
        local = self.service.local_member
        try:
            found = socket.getaddrinfo(self.name, local.port, type=socket.SOCK_STREAM)
        except OSError as exc:
            log.warning("Error getting hosts address list for namespace [%s]: %s", self.name, exc)
            return None
        addresses = {ipaddress.ip_address(entry[4][0]) for entry in found[:_MAX_ADDRESSES]}
        return [
            Member(address.packed, local.port, alive_ms=-1, unique_id=member_id(str(address)))
            for address in sorted(addresses, key=str)
            if address.packed != local.host
        ]

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """Note an unknown sender; leave the message itself to other listeners."""
        known = any(each.host == sender.host and each.port == sender.port for each in self.membership.members)
        if not known:
            self.add(Member(sender.host, sender.port, alive_ms=-1, unique_id=member_id(sender.address)))
        return False

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Never called: no message is accepted."""
