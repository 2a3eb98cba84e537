"""The listeners of a channel that a test simulates, whatever is below it."""

from __future__ import annotations

from typing import Any

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.member import Member

__all__ = ["FakeChannelBase"]


class FakeChannelBase:
    """Keeps the listeners and calls them; a subclass has the members, and sends."""

    secure = False
    is_guarded = False
    name = ""
    heartbeat_enabled = True
    membership_service: Any = None
    local_member: Member

    def __init__(self) -> None:
        self.interceptors: list[Any] = []
        self.listeners: list[Any] = []
        self.membership: list[Any] = []

    def traffic(self) -> dict[Member, tuple[int, int]]:
        """Nothing is counted."""
        return {}

    def add_interceptor(self, interceptor: Any) -> None:
        self.interceptors.append(interceptor)

    def add_channel_listener(self, listener: Any) -> None:
        self.listeners.append(listener)

    def remove_channel_listener(self, listener: Any) -> None:
        self.listeners.remove(listener)

    def add_membership_listener(self, listener: Any) -> None:
        self.membership.append(listener)

    def remove_membership_listener(self, listener: Any) -> None:
        self.membership.remove(listener)

    def receive(self, message: ChannelMessage, sender: Member) -> None:
        """A message has come: those that accept it get it."""
        for listener in list(self.listeners):
            if listener.accept(message, sender):
                listener.message_received(message, sender)

    def heartbeat(self) -> None:
        """Every listener that has periodic work does it."""
        for listener in [*self.membership, *self.listeners]:
            beat = getattr(listener, "heartbeat", None)
            if beat is not None:
                beat()
