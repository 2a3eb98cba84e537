"""Real channels on the loopback interface, each test with a multicast port of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from tests.support.ports import free_port
from tests.support.waiting import wait_until

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0


def until(condition: Callable[[], Any], what: str = "", patience: float = PATIENCE) -> Any:
    """Wait for a condition to be true and return its value."""
    return wait_until(condition, what or str(condition), patience, 0.005)


class Recorder:
    """A listener for messages and members that keeps everything."""

    def __init__(self) -> None:
        self.messages: list[object] = []
        self.senders: list[Member] = []
        self.added: list[Member] = []
        self.gone: list[Member] = []
        self.fault: Exception | None = None

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        return True

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        self.messages.append(message.payload())
        self.senders.append(sender)
        if self.fault is not None:
            raise self.fault

    def member_added(self, member: Member) -> None:
        self.added.append(member)

    def member_disappeared(self, member: Member) -> None:
        self.gone.append(member)


def make_channel(
    mcast_port: int,
    *interceptors: ChannelInterceptorBase,
    receiver: NioReceiver | None = None,
    **membership: Any,
) -> tuple[GroupChannel, Recorder]:
    """A channel that is not started; without interceptors it has Tomcat's default ones."""
    channel = GroupChannel()
    channel.set_membership_service(
        McastService(**{"bind": LOOPBACK, "port": mcast_port, "frequency": 50, "drop_time": 1000} | membership)
    )
    channel.set_channel_receiver(receiver or NioReceiver(address=LOOPBACK, port=free_port()))
    for interceptor in interceptors or (MessageDispatchInterceptor(), TcpFailureDetector()):
        channel.add_interceptor(interceptor)
    recorder = Recorder()
    channel.add_channel_listener(recorder)
    channel.add_membership_listener(recorder)
    return channel, recorder


@contextlib.contextmanager
def started(*channels: GroupChannel) -> Iterator[None]:
    """All channels started and seeing each other; stopped at the end, whatever happened."""
    try:
        for channel in channels:
            channel.start()
        until(lambda: all(len(each.members) == len(channels) - 1 for each in channels), "each sees the others")
        yield
    finally:
        for channel in channels:
            channel.stop()
