"""A cloud service in a channel that is a fake."""

from __future__ import annotations

from typing import Any

from catalina.tribes.membership.cloud.cloud_membership_service import CloudMembershipService
from tests.tribes.fakes import FakeChannel, FakeReactor, Top


class CloudChannel(FakeChannel):
    """Keeps listeners; what runs elsewhere runs when the test says so."""

    def __init__(self, reactor: FakeReactor) -> None:
        super().__init__(reactor)
        self.listeners: list[Any] = []

    def add_channel_listener(self, listener: Any) -> None:
        self.listeners.append(listener)

    def remove_channel_listener(self, listener: Any) -> None:
        self.listeners.remove(listener)


def make_service(provider: str, **settings: Any) -> tuple[CloudMembershipService, Top, FakeReactor]:
    """A service whose receiver is at 10.0.0.1:4000."""
    reactor = FakeReactor()
    service = CloudMembershipService(membership_provider_class_name=provider, **settings)
    top = Top()
    service.channel, service.listener = CloudChannel(reactor), top  # type: ignore[assignment]
    service.set_local_member_properties(bytes([10, 0, 0, 1]), 4000, -1, -1)
    return service, top, reactor
