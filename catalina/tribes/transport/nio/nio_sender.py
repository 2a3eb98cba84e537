"""The connection to one member's receiver (Tomcat: tribes/transport/nio/NioSender.java).

Operations wanted: queue a message from any thread; write all messages of a loop's round in one send; pair each
acknowledgement, which carries no number, with the oldest message that asked for one.

Cost allowed: a few microseconds of Python for a small message.

Plan: any thread appends messages to ``_queue``. Messages that are posted together are one entry, which is written,
confirmed, failed or sent again as a whole. The runner moves entries in batches to ``_writing`` (the batch that the
kernel has not taken completely), and those that want an acknowledgement also to ``_in_flight``. One timer watches the
oldest entry of all. When the connection breaks, the unconfirmed entries go back to the front of the queue, at most
``maxRetryAttempts`` times each.

A peer of this software processes a connection in order, so any number of messages may be in flight. Java reads on while
other threads still process earlier messages, and acknowledges in the order in which they finish. Towards Java a message
that wants an acknowledgement therefore has the connection for itself until it is acknowledged, as with Java's own
sender. Only messages whose keys differ, which concern different sessions, go together, and the next ones follow when
all of them are acknowledged. Every message with a key asks Java for an acknowledgement, whatever its options, because
otherwise the second message about a new session could arrive before the first.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from catalina.errors import ProtocolError, RemoteProcessError
from catalina.reactor import READ, WRITE, Reactor, Timer
from catalina.tribes.channel import EVERYTHING, SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK, Delivery
from catalina.tribes.io.x_byte_buffer import ACK, ACK_BODY, FAIL_ACK_BODY, FrameDecoder
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.tls_channel import ByteStream, TlsChannel

if TYPE_CHECKING:
    from catalina.tribes.transport.abstract_sender import AbstractSender
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["KeyedFrame", "NioSender"]

log = logging.getLogger("org.apache.catalina.tribes.transport.nio.NioSender")

#: Bytes that one send takes at most; a longer backlog leaves in several sends.
_BATCH = 256 * 1024
#: After this many bytes in one round the other connections have their turn.
_ROUND = 2 * 1024 * 1024
#: Where the options of the package stand in a frame.
_OPTIONS_AT, _OPTIONS = 11, struct.Struct(">i")
#: Keys of messages that must have the connection for themselves.
_ALONE = frozenset((None, EVERYTHING))
#: Answers are 21 bytes; a longer frame is not an answer.
_MAX_ANSWER = 64
#: Java closes a TLS connection on which nothing came for 3 s, and does not say so. A message that leaves at that moment
#: would be lost, so a connection that was idle for longer than this, in seconds, is replaced first.
_JAVA_TLS_IDLE = 2.0


#: A frame, and the key of its message (the session that it is about); None when that is not known.
KeyedFrame = tuple[bytes, object]


class _Outgoing:
    """An entry of the queue: one message, or several that were posted together.

    Args:
        data: the frames.
        count: the number of frames.
        wants_ack: the peer is asked to acknowledge each of them.
        key: the subject of a single message.
    """

    __slots__ = ("attempts", "count", "data", "deadline", "delivery", "failures", "key", "unanswered", "wants_ack")

    def __init__(
        self, data: bytes, count: int, wants_ack: bool, delivery: Delivery, deadline: float, key: object
    ) -> None:
        self.data = data
        self.count = count
        self.wants_ack = wants_ack
        self.delivery: Delivery | None = delivery  # None: its timeout was already reported
        self.deadline = deadline
        self.key = key
        self.unanswered = count if wants_ack else 0
        self.failures = 0  # negative answers
        self.attempts = 0

    def try_again(self) -> None:
        """Prepare for another connection: the answers are lost with the old one."""
        self.attempts += 1
        self.unanswered = self.count if self.wants_ack else 0
        self.failures = 0


class NioSender:
    """Sends frames to one member over one connection, which it makes when there is something to send.

    Args:
        member: the receiver.
        settings: attributes of the <Transport>.
        reactor: the loop.
        on_failure: called in the runner with (member, reason) when messages failed or an idle connection broke.
        tls: encrypts, and connects to the member's securePort; None sends plain frames to its port.
    """

    # Slots, because instances with more than 30 attributes no longer share one table of attribute names.
    __slots__ = (
        "_answers",
        "_bytes_in",
        "_bytes_out",
        "_closed",
        "_connect_timer",
        "_connected",
        "_connected_at",
        "_connecting",
        "_in_flight",
        "_java_answers",
        "_java_failures",
        "_lock",
        "_max_backlog",
        "_now",
        "_on_failure",
        "_queue",
        "_reactor",
        "_scheduled",
        "_sent_count",
        "_settings",
        "_socket",
        "_timeout",
        "_timer",
        "_tls",
        "_tls_channel",
        "_unsent",
        "_used_at",
        "_writing",
        "member",
        "pipelined",
    )

    def __init__(
        self,
        member: Member,
        settings: AbstractSender,
        reactor: Reactor,
        on_failure: Callable[[Member, BaseException], None],
        tls: TribesSslContext | None = None,
    ) -> None:
        self.member = member
        #: True when the peer processes a connection in order; see the module's text.
        self.pipelined = False
        self._settings = settings
        self._reactor = reactor
        self._now = reactor.now
        self._on_failure = on_failure
        self._timeout = settings.timeout / 1000
        self._max_backlog = settings.max_backlog
        self._tls = tls
        self._tls_channel: TlsChannel | None = None
        self._used_at = 0.0
        self._socket: ByteStream | None = None
        self._connecting: socket.socket | None = None
        self._connected = False
        self._queue: deque[_Outgoing] = deque()  # any thread appends; only the runner takes or puts back
        self._scheduled = False
        # Bytes of all messages, and of the finished ones (written, or acknowledged if they asked for it). The
        # difference is the backlog.
        self._bytes_in = 0  # guarded by _lock
        self._bytes_out = 0  # only in the runner
        self._lock = threading.Lock()
        self._writing: list[_Outgoing] = []
        self._unsent = memoryview(b"")
        self._in_flight: deque[_Outgoing] = deque()
        self._java_answers = 0  # answers to the messages in flight, which are done when all are answered
        self._java_failures = 0
        self._answers = FrameDecoder(_MAX_ANSWER)
        self._timer: Timer | None = None
        self._connect_timer: Timer | None = None
        self._sent_count = 0
        self._connected_at = 0.0
        self._closed = False

    # Queueing, in any thread.

    def enqueue(self, frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery) -> None:
        """Queue frames that leave together: one frame, or several to a member that keeps the order.

        The connection reports to ``delivery`` once, in the runner.
        """
        data, key = frames[0]
        if len(frames) > 1:
            data = b"".join([frame for frame, _ in frames])
        elif not self.pipelined and not wants_ack and key is not None:
            data, wants_ack = _acknowledged(data), True
        message = _Outgoing(data, len(frames), wants_ack, delivery, self._now() + self._timeout, key)
        with self._lock:
            backlog = self._bytes_in - self._bytes_out
            accepted = not self._closed and (backlog <= 0 or backlog + len(data) <= self._max_backlog)
            if accepted:
                self._bytes_in += len(data)
                self._queue.append(message)  # under the lock, so that close() either finds the message or refuses it
        if not accepted:
            reason = "closed" if self._closed else f"backlog of {backlog} bytes, limit {self._max_backlog}"
            error = BlockingIOError(errno.EAGAIN, f"the connection to {self.member} is full: {reason}")
            self._reactor.call_soon(lambda: delivery.failed(self.member, error))
        elif not self._scheduled:
            self._scheduled = True
            self._reactor.at_round_end(self._flush)

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes that were queued so far, and those that are done: written, acknowledged if they asked for it, or given
        up."""
        done = self._bytes_out  # read first, so that it is never ahead of the other number
        return self._bytes_in, done

    @property
    def backlog(self) -> int:
        """Bytes that are not yet written, or not yet acknowledged if they asked for it."""
        return self._bytes_in - self._bytes_out

    @property
    def is_idle(self) -> bool:
        """True when nothing waits to be written or acknowledged."""
        return not (self._queue or self._writing or self._in_flight)

    # Only the runner calls the methods below.

    def _flush(self) -> None:
        self._scheduled = False  # cleared before the queue is read, so that a later message schedules another flush
        if self._timer is None and self._queue:
            self._arm_timer()
        if self._socket is None:
            if self._queue:
                self._connect()
        elif self._connected and not self._writing:
            if self._tls is not None and not self.pipelined and self._is_stale():
                self._disconnect()
                self._connect()
                return
            self._write_queued()

    def _is_stale(self) -> bool:
        """True when nothing was sent lately, so that Java may be closing this connection right now."""
        return not self._in_flight and self._now() - self._used_at > _JAVA_TLS_IDLE

    def _write_queued(self) -> None:
        written = 0
        while self._queue and not self._writing:
            batch = self._take_batch() if self.pipelined else self._take_for_java()
            if not batch:
                return
            data = batch[0].data if len(batch) == 1 else b"".join([each.data for each in batch])
            self._writing = batch
            self._unsent = memoryview(data)
            if not self._write_some():
                return
            written += len(data)
            if written > _ROUND and self._queue:
                self._reactor.call_soon(self._flush)
                return

    def _take_batch(self) -> list[_Outgoing]:
        """The next messages for one send; those that want an acknowledgement are noted as in flight."""
        queue, batch, size = self._queue, [], 0
        while queue and size < _BATCH:
            message = queue.popleft()
            batch.append(message)
            size += len(message.data)
            if message.wants_ack:
                self._in_flight.append(message)
        return batch

    def _take_for_java(self) -> list[_Outgoing]:
        """The next messages that Java may process at the same time; none while others are in flight.

        Messages go together as long as their keys differ. A message whose key stands in ``_ALONE`` goes alone.
        """
        batch: list[_Outgoing] = []
        if self._in_flight:
            return batch
        queue, size = self._queue, 0
        keys: set[object] = set()
        while queue and size < _BATCH:
            message = queue[0]
            if keys and (message.key in keys or message.key in _ALONE or not keys.isdisjoint(_ALONE)):
                break
            queue.popleft()
            batch.append(message)
            size += len(message.data)
            if message.wants_ack:
                self._in_flight.append(message)
                keys.add(message.key)
        return batch

    def _write_some(self) -> bool:
        """Write from ``_unsent``; return True if nothing of it is left. The connection may be closed afterwards."""
        sock = self._socket
        if sock is None:
            return False
        try:
            sent = sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            self._broken(exc)
            return False
        if sent < len(self._unsent):
            self._unsent = self._unsent[sent:]
            self._reactor.modify(sock, READ | WRITE)
            return False
        self._written()
        return True

    def _written(self) -> None:
        batch, self._writing = self._writing, []
        self._unsent = memoryview(b"")
        if self._tls is not None:
            self._used_at = self._now()
        freed = 0
        for message in batch:
            self._sent_count += message.count
            if not message.wants_ack:
                freed += len(message.data)
                if message.delivery is not None:
                    message.delivery.succeeded()
        self._bytes_out += freed

    def _on_ready(self, events: int) -> None:
        if not self._connected:
            if self._tls_channel is not None:
                self._shake_hands(self._tls_channel)
            elif self._connecting is not None:
                self._finish_connect(self._connecting)
            return
        if events & ~WRITE and self._socket is not None:
            self._read_answers(self._socket)
        if events & WRITE and self._writing and self._socket is not None and self._write_some():
            self._reactor.modify(self._socket, READ)
            self._write_queued()

    def _read_answers(self, sock: ByteStream) -> None:
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as exc:
            self._broken(exc)
            return
        if not data:
            self._broken(ConnectionResetError(errno.ECONNRESET, f"{self.member} closed the connection"))
            return
        count, rest = divmod(len(data), len(ACK))
        if not rest and not self._answers.buffered and data == ACK * count:
            self._answered(count)
        else:
            self._read_mixed_answers(data)
        if self._queue and not self._writing and self._connected:
            self._write_queued()

    def _read_mixed_answers(self, data: bytes) -> None:
        try:
            for answer in self._answers.receive_data(data):
                if answer == ACK_BODY or (answer == FAIL_ACK_BODY and not self._settings.throw_on_failed_ack):
                    self._answered(1)
                elif answer == FAIL_ACK_BODY:
                    self._answered(1, failed=True)
                # Any other body is no answer and is ignored, as in Java.
        except ProtocolError as exc:
            log.warning("%s", exc.at_peer(self.member.name))
            self._broken(exc)

    def _answered(self, count: int, failed: bool = False) -> None:
        """Count answers towards the oldest messages. Superfluous answers are ignored, as in Java."""
        if not self.pipelined:
            self._answered_by_java(count, failed)
            return
        in_flight = self._in_flight
        while count and in_flight:
            message = in_flight[0]
            message.failures += failed
            if message.unanswered > count:
                message.unanswered -= count
                return
            count -= message.unanswered
            in_flight.popleft()
            self._done(message, message.failures, message.count)

    def _answered_by_java(self, count: int, failed: bool) -> None:
        """Finish all messages in flight once Java has answered as often as there are messages.

        Java does not say which message an answer belongs to. If one answer is negative, every message counts as failed:
        a superfluous warning is better than a change that is wrongly taken for safe.
        """
        if not self._in_flight:
            return
        self._java_failures += failed
        self._java_answers += count
        if self._java_answers < len(self._in_flight):
            return
        done, self._in_flight = self._in_flight, deque()
        failures, self._java_answers, self._java_failures = self._java_failures, 0, 0
        for message in done:
            self._done(message, failures, len(done))

    def _done(self, message: _Outgoing, failures: int, of: int) -> None:
        """Report a message to which every answer has come."""
        self._bytes_out += len(message.data)
        if message.delivery is None:
            return
        if failures:
            text = f"Received {failures} failed acks for {of} messages from {self.member}"
            message.delivery.failed(self.member, RemoteProcessError(text))
        else:
            message.delivery.succeeded()

    # Connecting.

    def _connect(self) -> None:
        port = self.member.port if self._tls is None else self.member.secure_port
        if port <= 0:
            self._give_up(OSError(errno.EDESTADDRREQ, f"{self.member} has no securePort"))
            return
        family = socket.AF_INET6 if len(self.member.host) == 16 else socket.AF_INET
        try:
            sock = self._reactor.new_socket(family)
        except OSError as exc:
            self._give_up(exc)
            return
        self._socket = self._connecting = sock
        try:
            self._settings.apply_socket_options(sock)
            code = sock.connect_ex((self.member.address, port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError as exc:
            self._broken(exc)
            return
        self._reactor.register(sock, READ | WRITE, self._on_ready, first=True)
        self._connect_timer = self._reactor.call_later(self._settings.connect_timeout / 1000, self._connect_expired)

    def _finish_connect(self, sock: socket.socket) -> None:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._broken(OSError(code, os.strerror(code)))
        elif self._tls is not None:
            self._begin_tls(sock, self._tls)
        else:
            self._is_connected(sock)

    def _begin_tls(self, sock: socket.socket, tls: TribesSslContext) -> None:
        try:
            self._socket = self._tls_channel = TlsChannel(sock, tls, server_side=False)
        except OSError as exc:
            self._broken(exc)
            return
        self._shake_hands(self._tls_channel)

    def _shake_hands(self, channel: TlsChannel) -> None:
        try:
            events = channel.handshake()
        except OSError as exc:
            log.warning("No TLS connection to [%s]: %s", self.member, exc)
            self._give_up(exc)
            return
        if events:
            self._reactor.modify(channel, events)
        else:
            self._is_connected(channel)

    def _is_connected(self, sock: ByteStream) -> None:
        self._cancel_connect_timer()
        self._connected = True
        self._connected_at = self._used_at = self._now()
        self._sent_count = 0
        self._reactor.modify(sock, READ)
        self._flush()

    def _connect_expired(self) -> None:
        if not self._connected:
            self._give_up(TimeoutError(f"no connection within {self._settings.connect_timeout} ms"))

    # Failures.

    def _broken(self, reason: BaseException) -> None:
        """Handle a broken connection: send again, on a new one, what may be sent again.

        An idle connection that breaks counts as a failure of the member too, unless Java closed it as it always does.
        """
        unconfirmed, waiting = self._unconfirmed(), self._take_queue()
        was_idle = not unconfirmed and not waiting
        self._disconnect()
        again: list[_Outgoing] = []
        freed = 0
        for message in (*unconfirmed, *waiting):
            message.try_again()
            if message.delivery is not None and message.attempts <= self._settings.max_retry_attempts:
                again.append(message)
                continue
            freed += len(message.data)
            if message.delivery is not None:
                message.delivery.failed(self.member, reason)
        self._queue.extendleft(reversed(again))
        self._bytes_out += freed
        if again:
            log.debug("Member send is failing for:[%s] ; retrying: %s", self.member, reason)
            self._connect()
        elif was_idle and self._tls is not None and not self.pipelined:
            log.debug("[%s] closed an idle TLS connection, as Java does", self.member)
        elif unconfirmed or was_idle:
            self._on_failure(self.member, reason)
        else:
            log.info("Member send is failing for:[%s] ; Setting to suspect. %s", self.member, reason)
            self._on_failure(self.member, reason)

    def _give_up(self, reason: BaseException) -> None:
        """Fail every message that waits, without another attempt."""
        waiting = [*self._unconfirmed(), *self._take_queue()]
        self._disconnect()
        self._bytes_out += sum(len(message.data) for message in waiting)
        for message in waiting:
            if message.delivery is not None:
                message.delivery.failed(self.member, reason)
        if not self._closed:
            log.info("Member send is failing for:[%s] ; Setting to suspect. %s", self.member, reason)
            self._on_failure(self.member, reason)

    def _unconfirmed(self) -> list[_Outgoing]:
        """The messages that were written, or are being written, and may not have arrived."""
        return [*self._in_flight, *(each for each in self._writing if not each.wants_ack)]

    def _take_queue(self) -> list[_Outgoing]:
        """Take all waiting messages. A message that another thread adds meanwhile is taken too or stays; the order is
        kept.
        """
        return [self._queue.popleft() for _ in range(len(self._queue))]

    def _disconnect(self) -> None:
        self._cancel_connect_timer()
        self._connected = False
        self._in_flight = deque()
        self._java_answers = self._java_failures = 0
        self._writing = []
        self._unsent = memoryview(b"")
        self._answers = FrameDecoder(_MAX_ANSWER)
        if self._socket is not None:
            self._reactor.unregister(self._socket)
            self._socket.close()
            self._socket = self._tls_channel = self._connecting = None

    def _cancel_connect_timer(self) -> None:
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    # Time.

    def _arm_timer(self) -> None:
        self._timer = self._reactor.call_later(self._timeout, self._check_deadlines)

    def _check_deadlines(self) -> None:
        """Report the messages whose time is over, and arm the timer for the next one.

        A message is reported late once its deadline has passed, but stays in flight, because its answer still pairs
        with it.
        """
        self._timer = None
        now = self._now()
        late = TimeoutError(f"Operation has timed out([{self._settings.timeout}] ms.).")
        oldest = None
        for message in (*self._unconfirmed(), *tuple(self._queue)):
            if message.deadline > now:
                oldest = message.deadline
                break
            if message.delivery is not None:
                message.delivery.failed(self.member, late)
                message.delivery = None
        while self._queue and self._queue[0].delivery is None:
            self._bytes_out += len(self._queue.popleft().data)
        self._rearm(now, oldest, late)

    def _rearm(self, now: float, oldest: float | None, late: TimeoutError) -> None:
        waiting = self._in_flight[0] if self._in_flight else self._writing[0] if self._writing else None
        # The oldest message was reported as late. Its answer may still come, and the connection remains usable, for
        # another two thirds of the timeout. After that, or when the kernel does not even take the message, nothing on
        # this connection can be paired with its answer, so the connection is given up.
        if waiting is not None and waiting.delivery is None:
            given_up_at = waiting.deadline + self._timeout * 2 / 3
            if now >= given_up_at or (self._writing and waiting is self._writing[0]):
                self._broken(late)
                if self._queue and self._timer is None:
                    self._arm_timer()
                return
            oldest = given_up_at if oldest is None else min(oldest, given_up_at)
        if oldest is None and self._queue:
            oldest = now + self._timeout
        if oldest is not None:
            self._timer = self._reactor.call_later(max(0.001, oldest - now), self._check_deadlines)

    def renew_if_old(self, now: float) -> None:
        """Close an idle connection that has sent enough or lived long enough; the next message makes a new one."""
        if self._socket is None or not self._connected or not self.is_idle:
            return
        count, age_ms = self._settings.keep_alive_count, self._settings.keep_alive_time
        if 0 <= count <= self._sent_count or 0 <= age_ms <= (now - self._connected_at) * 1000:
            self._disconnect()

    def close(self) -> None:
        """Close the connection and fail everything that waits."""
        with self._lock:  # a message queued before this is failed below; no message is queued after it
            self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._give_up(ConnectionAbortedError(errno.ECONNABORTED, "Sender has been disconnected"))


def _acknowledged(frame: bytes) -> bytes:
    """The frame with options that make Java acknowledge it after processing."""
    (options,) = _OPTIONS.unpack_from(frame, _OPTIONS_AT)
    asked = _OPTIONS.pack(options | SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK)
    return b"".join((frame[:_OPTIONS_AT], asked, frame[_OPTIONS_AT + _OPTIONS.size :]))
