"""Sends many messages, and measures their speed and their loss.

Members that run a :class:`MeasurementListener` count the messages and report the count when asked. For other members,
such as Java's, only acknowledgements are known.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.rpc_channel import ALL_REPLY, RpcChannel
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from catalina.tribes.member import Member

__all__ = ["Measurement", "MeasurementListener", "measure"]

_MARK = b"catalina.tribes.measurement/"
_RUN_SIZE = 8
_HEAD_SIZE = len(_MARK) + _RUN_SIZE
#: Bytes and messages on their way at a time; more would only measure the queue.
_MAX_BYTES, _MAX_MESSAGES = 4 * 1024 * 1024, 4096
#: The number of runs whose counts are kept.
_MAX_RUNS = 100
_RPC_ID = b"catalina.tribes.measurement"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result. A latency lasts from sending to the acknowledgement or, if none was asked for, until the kernel took
    the bytes.

    Args:
        count: the number of messages sent, each to all members.
        seconds: the time until the last message had arrived everywhere, or failed.
        latencies: sorted, in seconds.
        failed: the number of messages that did not reach every member.
        received: member -> the number of messages that it counted, for members that count.
    """

    count: int
    seconds: float
    latencies: Sequence[float]
    failed: int
    received: dict[Member, int]

    @property
    def lost(self) -> int:
        """Messages that the counting members did not get."""
        return sum(self.count - number for number in self.received.values())

    def percentile(self, share: float) -> float:
        """The latency that ``share`` of the messages did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]

    def __str__(self) -> str:
        counted = f"{self.lost} lost" if self.received else "no member counts"
        return (
            f"{self.count} messages in {self.seconds:.2f} s: {self.count / self.seconds:.0f} per second, "
            f"p50 {self.percentile(0.5) * 1000:.2f} ms, p99 {self.percentile(0.99) * 1000:.2f} ms, "
            f"{self.failed} failed, {counted}"
        )


class MeasurementListener:
    """Counts the messages of each measurement, and reports the number when asked."""

    def __init__(self, channel: GroupChannel) -> None:
        self._counts: dict[bytes, int] = {}
        self._rpc = RpcChannel(channel, _RPC_ID, self)
        self._channel = channel
        channel.add_channel_listener(self)

    def close(self) -> None:
        """Stop counting."""
        self._channel.remove_channel_listener(self)
        self._rpc.close()

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """True when the message belongs to a measurement."""
        return message.data.startswith(_MARK)

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Count the message."""
        run = message.data[len(_MARK) : _HEAD_SIZE]
        self._counts[run] = self._counts.get(run, 0) + 1
        while len(self._counts) > _MAX_RUNS:
            del self._counts[next(iter(self._counts))]

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue:
        """Answer with the number of messages of the run."""
        return encode_value(self._counts.get(_run_of(message), 0))

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """A late answer changes nothing."""

    def ask(self, members: Sequence[Member], run: bytes, timeout: float) -> dict[Member, int]:
        """The counts of the members; members that do not count are left out."""
        responses = self._rpc.send(members, encode_value(run), ALL_REPLY, 0, timeout)
        return {response.source: int(decode_value(response.message)) for response in responses}


def _run_of(message: EncodedValue) -> bytes:
    run = decode_value(message)
    return run if isinstance(run, bytes) else b""


class _Window:
    """Limits the number of messages on their way."""

    def __init__(self, size: int) -> None:
        self._free = threading.Semaphore(max(1, min(_MAX_MESSAGES, _MAX_BYTES // size)))
        self._lock = threading.Lock()
        self.latencies: list[float] = []
        self.failed = 0
        self.last = 0.0

    def handle_completion(self, unique_id: bytes) -> None:
        """An asynchronous message has left; :meth:`note` notes its latency."""

    def handle_error(self, error: ChannelError, unique_id: bytes) -> None:
        """An asynchronous message did not reach a member."""
        with self._lock:
            self.failed += 1

    def acquire(self) -> None:
        """Wait for room."""
        self._free.acquire()

    def note(self, began: float, done: Delivery) -> None:
        """Note that a message has arrived or failed."""
        with self._lock:
            self.last = time.perf_counter()
            self.latencies.append(self.last - began)
            self.failed += bool(done.faulty)
        self._free.release()


def measure(
    channel: GroupChannel,
    listener: MeasurementListener,
    to: Sequence[Member],
    count: int,
    size: int,
    options: int,
    timeout: float = 60.0,
) -> Measurement:
    """Send ``count`` messages of ``size`` bytes to every member of ``to``, as fast as they go.

    Raises:
        ChannelError: there is nobody to send to, or messages are still open ``timeout`` seconds after the last was
            sent.
    """
    run = os.urandom(_RUN_SIZE)
    message = (_MARK + run).ljust(size, b".")
    window = _Window(size)
    start = time.perf_counter()
    for _ in range(count):
        window.acquire()
        began = time.perf_counter()
        delivery = channel.post(to, message, options, window)
        delivery.add_done_callback(lambda done, began=began: window.note(began, done))  # type: ignore[misc]
    received = _settled_counts(listener, to, run, count, time.monotonic() + timeout)
    _wait_for_all(window, count, time.monotonic() + timeout)
    return Measurement(count, max(window.last - start, 1e-9), sorted(window.latencies), window.failed, received)


def _wait_for_all(window: _Window, count: int, deadline: float) -> None:
    while len(window.latencies) < count:
        if time.monotonic() > deadline:
            raise ChannelError(f"{count - len(window.latencies)} of {count} messages are still on their way")
        time.sleep(0.005)


def _settled_counts(
    listener: MeasurementListener, to: Sequence[Member], run: bytes, count: int, deadline: float
) -> dict[Member, int]:
    """Ask until every counting member has all messages, or the counts no longer grow."""
    before: dict[Member, int] = {}
    while True:
        counts = listener.ask(to, run, 5.0)
        if all(number >= count for number in counts.values()) or counts == before or time.monotonic() > deadline:
            return counts
        before = counts
        time.sleep(0.5)
