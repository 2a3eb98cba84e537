"""Checks all members regularly (Tomcat: interceptors/TcpPingInterceptor.java)."""

from __future__ import annotations

import logging
import time

from catalina.attributes import Attribute
from catalina.errors import ChannelError
from catalina.reactor import Timer
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.group.interceptors.static_membership_interceptor import StaticMembershipInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.io.channel_data import UniqueIds

__all__ = ["TCP_PING_DATA", "TcpPingInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.TcpPingInterceptor")

TCP_PING_DATA = bytes.fromhex(
    "4fa7734879df43c99f6f8980a15b07147dd9525bebdf439ab77ebe8f81671eb6"
    "3715be8745214ca8bf0a4d135338153255f694b73adf217891047dd77284c0d5"
)


class TcpPingInterceptor(ChannelInterceptorBase):
    """Lets a TcpFailureDetector below it check every member; without one, sends each member a message of 64 bytes.

    A member without this layer would pass that message to the application.
    """

    interval = Attribute(int, 1000, unit="ms", doc="Time between pings with useThread.")
    use_thread = Attribute(bool, False, doc="Ping every interval, on a timer; false pings on the channel's heartbeat.")
    static_only = Attribute(bool, False, doc="Without a failure detector, ping only members of the configuration.")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._timer: Timer | None = None
        self._detector: TcpFailureDetector | None = None
        self._static: StaticMembershipInterceptor | None = None
        self._next_id = UniqueIds().next

    def start(self, level: int) -> None:
        """Find the layers to work with, and start to ping."""
        super().start(level)
        layer = self.next
        while layer is not None:
            if isinstance(layer, TcpFailureDetector):
                self._detector = layer
            if isinstance(layer, StaticMembershipInterceptor):
                self._static = layer
            layer = layer.next
        if self.use_thread and self._timer is None:
            self._arm()

    def stop(self, level: int) -> None:
        """Stop pinging."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().stop(level)

    def _arm(self) -> None:
        self._timer = self.channel.running_reactor.call_later(self.interval / 1000, self._tick)

    def _tick(self) -> None:
        if self._timer is not None:
            self._arm()
            self.send_ping()

    def heartbeat(self, now: float) -> None:
        """Ping, unless a timer does."""
        super().heartbeat(now)
        if not self.use_thread:
            self.send_ping()

    def send_ping(self) -> None:
        """Check every member once. Only in the runner."""
        if self._detector is not None:
            self._detector.check_members()
            return
        members = self._static.members if self.static_only and self._static is not None else self.members
        if not members:
            return
        message = ChannelMessage(
            TCP_PING_DATA, self.option_flag, time.time_ns() // 1_000_000, self._next_id(), self.local_member
        )
        try:
            self.send_message(members, message, Delivery(len(members), message.unique_id))
        except ChannelError as exc:
            log.warning("Unable to send TCP ping. %s", exc)

    def message_received(self, message: ChannelMessage) -> None:
        """Take a ping out of the stream of messages."""
        if message.data != TCP_PING_DATA or not self.ok_to_process(message.options):
            super().message_received(message)
