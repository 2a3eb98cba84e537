"""One connection from a member (Tomcat: tribes/transport/nio/NioReplicationTask.java).

Frames are processed in the order in which they came. Acknowledgements are counted, and all of them leave in one send at
the end of the loop's round. One round processes at most :data:`BUDGET` messages; while messages wait, the connection is
not read, so TCP slows a flooding peer down and HTTP has its turn.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from catalina.errors import ProtocolError
from catalina.reactor import READ, WRITE, Reactor
from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK, ChannelMessage
from catalina.tribes.io.channel_data import PackageDecoder
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, FrameDecoder
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.receiver_limits import ReceiverLimits
from catalina.tribes.transport.nio.tls_channel import ByteStream, TlsChannel

__all__ = ["BUDGET", "NioReplicationTask"]

log = logging.getLogger("org.apache.catalina.tribes.transport.nio.NioReplicationTask")

#: Messages of one connection that are processed at a time: about a millisecond, then the other sockets have their turn.
BUDGET = 100
#: Acknowledgements that a peer may leave unread before its connection is closed, in bytes.
_MAX_UNREAD_ACKS = 1024 * 1024

_SYNCHRONIZED = SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK


class NioReplicationTask:
    """Reads, processes and acknowledges the messages of one peer.

    Args:
        sock: the accepted connection, not blocking: a socket, or TLS whose handshake is still to come.
        peer: ``host:port`` of the other side, for log lines.
        reactor: the loop.
        deliver: called with each message; an exception of it becomes a negative acknowledgement.
        max_package: largest package accepted, in bytes.
        read_size: largest read, in bytes.
        limits: the limits of all connections together; this one counts in them until it is closed.
    """

    def __init__(
        self,
        sock: ByteStream,
        peer: str,
        reactor: Reactor,
        deliver: Callable[[ChannelMessage], None],
        max_package: int,
        read_size: int,
        limits: ReceiverLimits,
    ) -> None:
        self.peer = peer
        self.proven = False
        self.sender: Member | None = None
        self.half_bytes = 0
        self.half_since = 0.0
        self.since = limits.now()
        self._limits = limits
        self._socket: ByteStream | None = sock
        self._handshaking = sock if isinstance(sock, TlsChannel) else None
        self._reactor = reactor
        self._deliver = deliver
        self._read_size = read_size
        self._frames = FrameDecoder(max_package)
        self._packages = PackageDecoder()
        self._waiting: deque[bytes] = deque()
        self._working = False
        self._answers = bytearray()
        self._answers_scheduled = False
        self._answers_stuck = False
        self._interest = READ
        reactor.register(sock, READ, self._on_ready, first=True)
        limits.add(self, reactor)

    def _on_ready(self, events: int) -> None:
        if self._handshaking is not None:
            self._shake_hands(self._handshaking)
            return
        if events & WRITE:
            self._write_answers()
        if events & ~WRITE and self._socket is not None:
            self._read(self._socket)

    def _shake_hands(self, channel: TlsChannel) -> None:
        try:
            events = channel.handshake()
        except OSError as exc:
            self.refuse(ProtocolError(f"no TLS connection: {exc}"))
            return
        if not events:
            self._handshaking = None
        interest = events or READ
        if interest != self._interest:
            self._interest = interest
            self._reactor.modify(channel, interest)

    def _read(self, sock: ByteStream) -> None:
        if self._working or self._waiting:
            self._update_interest()
            return
        try:
            data = sock.recv(self._read_size)
        except BlockingIOError:
            return
        except OSError as exc:
            log.info("Replication client %s disconnected: %s", self.peer, exc)
            self.close()
            return
        if not data:
            self.close()
            return
        try:
            packages = self._frames.receive_data(data)
            self._waiting.extend(packages)
            half = self._frames.buffered
            if half or self.half_bytes:
                self._limits.buffered(self, half, is_new=bool(packages))
        except ProtocolError as exc:
            self.refuse(exc)
            return
        if self._waiting:
            self._work()

    def _work(self) -> None:
        """Process waiting messages, up to the budget, as long as this thread is the runner."""
        self._working = True
        waiting, decode, deliver, reactor = self._waiting, self._packages.decode, self._deliver, self._reactor
        try:
            for _ in range(min(BUDGET, len(waiting))):
                package = waiting.popleft()
                message = decode(package)
                if not self.proven:
                    self.sender = message.address
                    self._limits.prove(self)
                wanted = message.options & _SYNCHRONIZED
                if wanted == SEND_OPTIONS_USE_ACK:
                    self._answer(ACK)  # answered before it is processed: the sender did not ask for more
                answer = ACK
                try:
                    deliver(message)
                except ProtocolError as exc:  # an interceptor cannot undo the work of its counterpart at the sender
                    self._limits.repeated.log(
                        logging.WARNING,
                        f"refused messages from {message.address}",
                        "Message %s refused: %s",
                        message.unique_id.hex(),
                        exc.at_peer(str(message.address)),
                    )
                    answer = FAIL_ACK
                except Exception as exc:  # noqa: BLE001  # a listener is foreign code; the sender learns that it failed
                    self._limits.repeated.log(
                        logging.ERROR,
                        f"messages from {message.address} that a listener failed on",
                        "Processing of a message from %s failed",
                        message.address,
                        exc_info=exc,
                    )
                    answer = FAIL_ACK
                if not reactor.in_runner:
                    if wanted == _SYNCHRONIZED:
                        reactor.call_soon(partial(self._answer, answer))
                    break
                if wanted == _SYNCHRONIZED:
                    self._answer(answer)
        except ProtocolError as exc:
            self.refuse(exc)
            return
        if reactor.in_runner and not waiting:
            self._working = False
        else:
            reactor.call_soon(self._resume)

    def _resume(self) -> None:
        if self._socket is None:
            return
        self._working = False
        if self._waiting:
            self._work()
        self._update_interest()

    def _update_interest(self) -> None:
        """Stop reading while a listener that gave up the runner's role is still at work, or when the budget was
        spent.
        """
        interest = 0 if self._working or self._waiting else READ
        if self._answers_stuck:
            interest |= WRITE
        if interest != self._interest and self._socket is not None:
            self._interest = interest
            self._reactor.modify(self._socket, interest)

    def _answer(self, answer: bytes) -> None:
        self._answers += answer
        if not self._answers_scheduled:
            self._answers_scheduled = True
            self._reactor.at_round_end(self._write_answers)

    def _write_answers(self) -> None:
        self._answers_scheduled = False
        sock = self._socket
        if sock is None or not self._answers:
            return
        try:
            sent = sock.send(self._answers)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            log.info("Unable to send ACK back to %s, disconnected: %s", self.peer, exc)
            self.close()
            return
        del self._answers[:sent]
        if len(self._answers) > _MAX_UNREAD_ACKS:
            self.refuse(ProtocolError(f"{len(self._answers)} bytes of acknowledgements unread"))
            return
        self._answers_stuck = bool(self._answers)
        self._update_interest()

    def refuse(self, error: ProtocolError) -> None:
        """Close the connection of a peer that breaks the rules."""
        host = self.peer.rpartition(":")[0]
        self._limits.repeated.log(
            logging.WARNING,
            f"connections of {host} that were closed",
            "%s; closing the connection",
            error.at_peer(self.peer),
        )
        self.close()

    def close(self) -> None:
        """Close the connection. Only in the runner."""
        sock, self._socket = self._socket, None
        if sock is not None:
            self._waiting.clear()
            self._reactor.unregister(sock)
            sock.close()
            self._limits.discard(self)
