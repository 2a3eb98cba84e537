"""Members for the examples, all on the loopback interface."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.nio_receiver import NioReceiver

__all__ = ["make_node", "started", "wait_until"]


def make_node(mcast_port: int) -> GroupChannel:
    """A channel that is not started yet. On a real network ``GroupChannel()`` alone has Tomcat's defaults."""
    channel = GroupChannel()
    channel.set_membership_service(McastService(bind="127.0.0.1", port=mcast_port, frequency=100))
    channel.set_channel_receiver(NioReceiver(address="127.0.0.1"))
    channel.add_interceptor(MessageDispatchInterceptor())
    channel.add_interceptor(TcpFailureDetector())
    return channel


@contextlib.contextmanager
def started(*channels: GroupChannel) -> Iterator[None]:
    """Start the channels, wait until they see each other, and stop them at the end."""
    try:
        for channel in channels:
            channel.start()
        for channel in channels:
            wait_until(lambda channel=channel: len(channel.members) == len(channels) - 1)  # type: ignore[misc]
        yield
    finally:
        for channel in channels:
            channel.stop()


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for something that other members bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {condition}")
        time.sleep(0.01)
