"""The connection to one member's receiver (Tomcat: tribes/transport/nio/NioSender.java).

Operations wanted: queue a message from any thread; write everything of a loop's round in one send; pair the
acknowledgements that come back, which carry no number, with the messages that asked for them, in order.

Cost allowed: a few microseconds of Python for a small message.

Plan: ``_queue`` takes messages from any thread; all that are posted together are one entry of it, which is written,
confirmed, failed or sent again as a whole. In the runner they move in batches to ``_writing`` (the batch that the
kernel has not taken completely) and, those that want an acknowledgement, to ``_in_flight``. One timer looks at the
oldest message of all. A connection that breaks puts what was not confirmed back to the front of the queue, once.

A peer of this software works through a connection in order, so any number of messages may be in flight. Java reads on
while it still processes what it read before, and acknowledges in the order it gets done. So there a message that wants
an acknowledgement has the connection for itself until it is acknowledged, as with Java's own sender, unless its key
says what it is about: messages of different keys go together, and the next ones follow when all of them are
acknowledged. Messages with a key are always acknowledged by Java, whatever their options, because otherwise the second
one about a new session could arrive before the session.
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

#: One send takes at most this much; a longer backlog leaves in several.
_BATCH = 256 * 1024
#: After this much of one round the others have their turn.
_ROUND = 2 * 1024 * 1024
#: Where the options of the package stand in a frame.
_OPTIONS_AT, _OPTIONS = 11, struct.Struct(">i")
#: Keys of messages that have the connection for themselves.
_ALONE = frozenset((None, EVERYTHING))
#: Answers are 21 bytes; anything longer is no answer.
_MAX_ANSWER = 64
#: Java closes a TLS connection on which nothing came for 3 s, and says nothing. A message that leaves just then would
#: be lost, so a connection that was idle for longer than this, in seconds, is made anew first.
_JAVA_TLS_IDLE = 2.0


#: A frame, and what its message is about; None when that is not known.
KeyedFrame = tuple[bytes, object]


class _Outgoing:
    """What is on its way to this member: one message, or all of a round together.

    Args:
        data: the frames.
        count: how many.
        wants_ack: whether each of them is acknowledged.
        key: what a single message is about.
    """

    __slots__ = ("attempts", "count", "data", "deadline", "delivery", "failures", "key", "unanswered", "wants_ack")

    def __init__(
        self, data: bytes, count: int, wants_ack: bool, delivery: Delivery, deadline: float, key: object
    ) -> None:
        self.data = data
        self.count = count
        self.wants_ack = wants_ack
        self.delivery: Delivery | None = delivery  # None: already reported as timed out
        self.deadline = deadline
        self.key = key
        self.unanswered = count if wants_ack else 0
        self.failures = 0  # negative answers
        self.attempts = 0

    def try_again(self) -> None:
        """Its connection is gone, and the answers with it."""
        self.attempts += 1
        self.unanswered = self.count if self.wants_ack else 0
        self.failures = 0


class NioSender:
    """Sends frames to one member over one connection, which it makes when there is something to send.

    Args:
        member: whom to.
        settings: attributes of the <Transport>.
        reactor: the loop.
        on_failure: told (member, reason) in the runner when messages failed or an idle connection broke.
        tls: what to encrypt with, to the member's securePort; None sends plain frames to its port.
    """

    # Slots: as many attributes as it has, the instances of a class cannot share the names of.
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
        #: Whether the peer keeps the order of a connection by itself; see the module's text.
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
        self._queue: deque[_Outgoing] = deque()  # any thread adds at its end; only the runner takes, or puts back
        self._scheduled = False
        # Bytes of all messages, and of those written, or acknowledged where wanted: the difference is the backlog.
        self._bytes_in = 0  # guarded by _lock
        self._bytes_out = 0  # only in the runner
        self._lock = threading.Lock()
        self._writing: list[_Outgoing] = []
        self._unsent = memoryview(b"")
        self._in_flight: deque[_Outgoing] = deque()
        self._java_answers = 0  # to the messages in flight, which are done when all are answered
        self._java_failures = 0
        self._answers = FrameDecoder(_MAX_ANSWER)
        self._timer: Timer | None = None
        self._connect_timer: Timer | None = None
        self._sent_count = 0
        self._connected_at = 0.0
        self._closed = False

    # Queueing, in any thread.

    def enqueue(self, frames: Sequence[KeyedFrame], wants_ack: bool, delivery: Delivery) -> None:
        """Queue frames: one, or to a member that keeps the order several, which leave together.

        The member reports to ``delivery`` once, in the runner.
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
                self._queue.append(message)  # inside: close() finds it, or it is refused
        if not accepted:
            reason = "closed" if self._closed else f"backlog of {backlog} bytes, limit {self._max_backlog}"
            error = BlockingIOError(errno.EAGAIN, f"the connection to {self.member} is full: {reason}")
            self._reactor.call_soon(lambda: delivery.failed(self.member, error))
        elif not self._scheduled:
            self._scheduled = True
            self._reactor.at_round_end(self._flush)

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes that were given to it so far, and those that are done: written, or acknowledged where that was asked
        for, or given up."""
        done = self._bytes_out  # first: it never stands behind the other one
        return self._bytes_in, done

    @property
    def backlog(self) -> int:
        """Bytes of what is not written yet, or not acknowledged where that was asked for."""
        return self._bytes_in - self._bytes_out

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be written or acknowledged."""
        return not (self._queue or self._writing or self._in_flight)

    # Everything below runs in the runner.

    def _flush(self) -> None:
        self._scheduled = False  # before the queue is read: what is added from here on schedules again
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
        """True when Java may just be closing this connection, on which nothing was sent lately."""
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
        """The next messages for one send, those that want an acknowledgement noted as in flight."""
        queue, batch, size = self._queue, [], 0
        while queue and size < _BATCH:
            message = queue.popleft()
            batch.append(message)
            size += len(message.data)
            if message.wants_ack:
                self._in_flight.append(message)
        return batch

    def _take_for_java(self) -> list[_Outgoing]:
        """The next messages that may be at Java at the same time; none while some are."""
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
        """Write what is unsent; return whether all of it is written. The connection may be closed afterwards."""
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
                # As Java: any other body answers nothing and is ignored.
        except ProtocolError as exc:
            log.warning("%s", exc.at_peer(self.member.name))
            self._broken(exc)

    def _answered(self, count: int, failed: bool = False) -> None:
        """``count`` answers, for the oldest messages. Those that nobody waits for are ignored, as in Java."""
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
        """Which message an answer is for cannot be told; when all are there every message is done.

        Where one failed there, each counts as failed: better a warning too many than a change that is taken for safe.
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
        """Every answer is there."""
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

    # Failing.

    def _broken(self, reason: BaseException) -> None:
        """The connection is gone: send again what may be sent again, on a new one."""
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
        """Fail everything that waits."""
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
        """What was written, or is being written, and may not have arrived."""
        return [*self._in_flight, *(each for each in self._writing if not each.wants_ack)]

    def _take_queue(self) -> list[_Outgoing]:
        """Everything that waits; what other threads add meanwhile comes with it or stays, in its order."""
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
        """Report what is too late; give the connection up when even a late answer will not come any more."""
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
        """Close the connection; what waits fails."""
        with self._lock:  # what is let in before gives up below, nothing is let in after
            self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._give_up(ConnectionAbortedError(errno.ECONNABORTED, "Sender has been disconnected"))


def _acknowledged(frame: bytes) -> bytes:
    """The frame with the options that make Java acknowledge it when it is worked through."""
    (options,) = _OPTIONS.unpack_from(frame, _OPTIONS_AT)
    asked = _OPTIONS.pack(options | SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK)
    return b"".join((frame[:_OPTIONS_AT], asked, frame[_OPTIONS_AT + _OPTIONS.size :]))
