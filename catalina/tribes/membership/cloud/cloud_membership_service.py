"""Finds members by asking a service of the platform (Tomcat: membership/cloud/CloudMembershipService.java)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from catalina.attributes import Attribute
from catalina.errors import ChannelError
from catalina.tribes.channel import MBR_RX_SEQ
from catalina.tribes.member import Member
from catalina.tribes.membership.cloud.cloud_membership_provider import CloudMembershipProvider
from catalina.tribes.membership.cloud.dns_membership_provider import DNSMembershipProvider
from catalina.tribes.membership.cloud.kubernetes_membership_provider import KubernetesMembershipProvider
from catalina.tribes.membership.membership import Membership
from catalina.tribes.membership.membership_service_base import MembershipServiceBase

__all__ = ["CloudMembershipService"]

_PACKAGE = "org.apache.catalina.tribes.membership.cloud."
_PROVIDERS: dict[str, type[CloudMembershipProvider]] = {
    "": KubernetesMembershipProvider,
    "kubernetes": KubernetesMembershipProvider,
    _PACKAGE + "KubernetesMembershipProvider": KubernetesMembershipProvider,
    "dns": DNSMembershipProvider,
    _PACKAGE + "DNSMembershipProvider": DNSMembershipProvider,
}


class CloudMembershipService(MembershipServiceBase):
    """Asks for the members on every heartbeat of the channel. It announces nothing by messages.

    All members must use the same receiver port. Environment variables configure the provider, as in Tomcat; see the
    providers.
    """

    keeps_unknown_attributes = True

    membership_provider_class_name = Attribute(
        str, "", doc="kubernetes, dns, or the name of one of the two classes; empty is kubernetes."
    )
    connect_timeout = Attribute(int, 1000, unit="ms", doc="How long a connection to the API may take.")
    read_timeout = Attribute(int, 1000, unit="ms", doc="How long the API may be silent.")
    expiration_time = Attribute(
        int, 5000, unit="ms", doc="How long a member stays that was not in the answers; at least one heartbeat."
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.provider: CloudMembershipProvider | None = None
        self._domain = b""

    def _new_local_member(self, host: bytes, port: int) -> Member:
        # Holds until the provider knows better: with DNS the address gives the id, with Kubernetes the uid of the pod.
        unique_id = hashlib.md5(Member(host, port).address.encode("ascii"), usedforsecurity=False).digest()
        return Member(host, port, unique_id=unique_id, payload=self._payload)

    @property
    def members(self) -> Sequence[Member]:
        """The members in the last answers, oldest first."""
        return self.provider.membership.members if self.provider is not None else ()

    @property
    def _table(self) -> Membership | None:
        return self.provider.membership if self.provider is not None else None

    def set_local_id(self, unique_id: bytes) -> None:
        """Called by the provider when it has learned the id under which the others find this node."""
        self._local = replace(self.local_member, unique_id=unique_id)
        if self.provider is not None:
            self.provider.membership.local = self._local

    def start(self, level: int) -> None:
        """Ask for the first time, and wait for the answer."""
        if not level & MBR_RX_SEQ:
            return
        provider_class = _PROVIDERS.get(self.membership_provider_class_name.strip())
        if provider_class is None:
            raise ChannelError(
                f"membershipProviderClassName={self.membership_provider_class_name!r}, expected kubernetes or dns"
            )
        self.provider = provider_class(self)
        self.provider.start()

    def stop(self, level: int) -> None:
        """Stop asking."""
        if level & MBR_RX_SEQ and self.provider is not None:
            self.provider.stop()
            self.provider = None

    def heartbeat(self, now: float) -> None:
        """Ask again, in another thread, so that the loop does not wait."""
        if self.provider is not None:
            self.provider.refresh()
