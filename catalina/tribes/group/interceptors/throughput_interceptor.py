"""Counts messages and bytes (Tomcat: interceptors/ThroughputInterceptor.java)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from catalina.attributes import Attribute
from catalina.operations import operation, readable
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.io.channel_data import framed_size
from catalina.tribes.member import Member

__all__ = ["ThroughputInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.ThroughputInterceptor")

_MIB = 1024 * 1024

_REPORT = (
    "ThroughputInterceptor Report[\n"
    "\tTx Msg:%d messages\n"
    "\tSent:%.2f MiB (total)\n"
    "\tSent:%.2f MiB (application)\n"
    "\tTime:%.2f seconds\n"
    "\tTx Speed:%.2f MiB/s (total)\n"
    "\tTx Speed:%.2f MiB/s (application)\n"
    "\tError Msg:%d\n"
    "\tRx Msg:%d messages\n"
    "\tRx Speed:%.2f MiB/s (since 1st msg)\n"
    "\tReceived:%.2f MiB]\n"
)


class ThroughputInterceptor(ChannelInterceptorBase):
    """Logs the number of messages, bytes and the speed every ``interval`` messages. It adds nothing to the wire.

    As the lowest interceptor it counts the traffic of the network, as the uppermost that of the application. The
    sending time is the time in which at least one message was on its way.
    """

    interval = Attribute(int, 10_000, doc="Report after this many messages, sent or received.")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._lock = threading.Lock()  # any thread sends messages
        self.msg_tx_cnt = 0
        self.msg_rx_cnt = 0
        self.msg_tx_err = 0
        self.bytes_tx = 0  # to all members together
        self.bytes_app_tx = 0  # each message once
        self.bytes_rx = 0
        self.time_tx = 0.0  # seconds
        self._on_the_way = 0
        self._tx_start = 0.0
        self._rx_start: float | None = None

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Count the message when it has arrived or failed at every member."""
        self.send_messages(to, (message,), delivery)

    def send_messages(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        """Count several messages, which arrive or fail together."""
        count, size = len(messages), sum(map(framed_size, messages))
        with self._lock:
            if self._on_the_way == 0:
                self._tx_start = self.channel.now()
            self._on_the_way += count
        delivery.add_done_callback(lambda done: self._sent(count, size, len(to), bool(done.faulty)))
        self._below.send_messages(to, messages, delivery)

    def _sent(self, count: int, size: int, members: int, faulty: bool) -> None:
        with self._lock:
            self._on_the_way -= count
            now = self.channel.now()
            if self._on_the_way == 0:
                self.time_tx += now - self._tx_start
            if faulty:
                self.msg_tx_err += count
                return
            due = self.msg_tx_cnt // self.interval != (self.msg_tx_cnt + count) // self.interval
            self.msg_tx_cnt += count
            self.bytes_tx += size * members
            self.bytes_app_tx += size
        if due:
            self.report()

    def message_received(self, message: ChannelMessage) -> None:
        """Count a message from the network."""
        with self._lock:
            if self._rx_start is None:
                self._rx_start = self.channel.now()
            self.msg_rx_cnt += 1
            self.bytes_rx += framed_size(message)
            due = self.msg_rx_cnt % self.interval == 0
        if due:
            self.report()
        super().message_received(message)

    @property
    @readable("MbTx", doc="MiB sent, to all members together.")
    def mb_tx(self) -> float:
        return self.bytes_tx / _MIB

    @property
    @readable("MbAppTx", doc="MiB sent, each message once.")
    def mb_app_tx(self) -> float:
        return self.bytes_app_tx / _MIB

    @property
    @readable("MbRx", doc="MiB received.")
    def mb_rx(self) -> float:
        return self.bytes_rx / _MIB

    @operation
    def report(self) -> None:
        """Log the counters."""
        receiving = self.channel.now() - self._rx_start if self._rx_start is not None else 0.0
        log.info(
            _REPORT,
            self.msg_tx_cnt,
            self.bytes_tx / _MIB,
            self.bytes_app_tx / _MIB,
            self.time_tx,
            _rate(self.bytes_tx, self.time_tx),
            _rate(self.bytes_app_tx, self.time_tx),
            self.msg_tx_err,
            self.msg_rx_cnt,
            _rate(self.bytes_rx, receiving),
            self.bytes_rx / _MIB,
        )


def _rate(size: int, seconds: float) -> float:
    """MiB per second, 0 when no time has passed."""
    return size / _MIB / seconds if seconds > 0 else 0.0
