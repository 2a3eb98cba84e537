"""The common part of the providers (Tomcat: membership/cloud/CloudMembershipProvider.java)."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.member import Member
from catalina.tribes.membership.membership import Membership

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext, MembershipListener

__all__ = ["CUSTOM_ENV_PREFIX", "CloudMembershipProvider", "CloudService", "environment", "member_id"]

log = logging.getLogger("org.apache.catalina.tribes.membership.cloud.CloudMembershipProvider")

CUSTOM_ENV_PREFIX = "OPENSHIFT_KUBE_PING_"


def environment(*names: str) -> str | None:
    """The value of the first of these environment variables that is set."""
    return next((os.environ[name] for name in names if name in os.environ), None)


def member_id(text: str) -> bytes:
    """The unique id that every node computes for a member: MD5 of its address or of its pod's uid."""
    return hashlib.md5(text.encode("ascii", "replace"), usedforsecurity=False).digest()


class CloudService(Protocol):
    """The ``<Membership>`` of the channel that a provider finds members for; the times are milliseconds."""

    @property
    def channel(self) -> ChannelContext: ...

    @property
    def listener(self) -> MembershipListener: ...

    @property
    def local_member(self) -> Member: ...

    @property
    def expiration_time(self) -> int: ...

    @property
    def connect_timeout(self) -> int: ...

    @property
    def read_timeout(self) -> int: ...

    def set_local_id(self, unique_id: bytes) -> None: ...


class CloudMembershipProvider:
    """Keeps the members that were in the answers; one that is missing for longer than ``expiration_time`` is lost."""

    def __init__(self, service: CloudService) -> None:
        self.service = service
        self.membership = Membership()
        self.membership.local = service.local_member
        self._asking = False
        self._stopped = False

    def fetch_members(self) -> Sequence[Member] | None:
        """Ask, and wait for the answer; never in the runner. None when there was no answer, which is logged."""
        raise NotImplementedError

    def namespace(self) -> str:
        """The namespace of the members, from the environment."""
        found = environment(CUSTOM_ENV_PREFIX + "NAMESPACE", "KUBERNETES_NAMESPACE")
        if not found:
            log.warning("Namespace not set")
            return "tomcat"
        return found

    def start(self) -> None:
        """Ask for the first time, in the caller's thread."""
        reactor = self.service.channel.running_reactor
        with reactor.blocking():
            found = self.fetch_members()
            run_in_runner(reactor, lambda: self.take(found))

    def stop(self) -> None:
        """Ignore answers that come later."""
        self._stopped = True
        self.membership.clear()

    def refresh(self) -> None:
        """Ask in another thread, unless the last question is still open. Only in the runner."""
        if not self._asking:
            self._asking = True
            self.service.channel.running_reactor.submit(self._ask)

    def _ask(self) -> None:
        found: Sequence[Member] | None = None
        try:
            found = self.fetch_members()
        finally:
            reactor = self.service.channel.reactor
            if reactor is not None:
                reactor.call_soon(lambda: self._answered(found))

    def _answered(self, found: Sequence[Member] | None) -> None:
        self._asking = False
        if not self._stopped:
            self.take(found)

    def take(self, found: Sequence[Member] | None) -> None:
        """Announce new members and report lost ones. Only in the runner."""
        now = self.service.channel.now()
        for member in found or ():
            self.add(member)
        for member in self.membership.expire(self.service.expiration_time / 1000, now):
            log.debug("Member [%s] disappeared", member)
            self.service.listener.member_disappeared(member)

    def add(self, member: Member) -> None:
        """Note that a member is there. Only in the runner."""
        if self.membership.alive(member, self.service.channel.now()):
            log.debug("Member [%s] added", member)
            self.service.listener.member_added(member)
