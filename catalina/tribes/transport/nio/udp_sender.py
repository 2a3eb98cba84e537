"""Datagrams to one member (Tomcat: tribes/transport/nio/NioSender.java with its datagram channel).

One frame per datagram. Acknowledgements carry no number and datagrams overtake each other, so a datagram that wants an
acknowledgement waits until the one before it was acknowledged or given up. Nothing is sent again.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import TYPE_CHECKING

from catalina.errors import ProtocolError, RemoteProcessError
from catalina.reactor import READ, Reactor, Timer
from catalina.tribes.channel import Delivery
from catalina.tribes.io.x_byte_buffer import ACK_BODY, FAIL_ACK_BODY, FrameDecoder
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.tribes.transport.abstract_sender import AbstractSender

__all__ = ["MAX_DATAGRAM", "UdpSender"]

#: Largest payload of one UDP datagram over IPv4.
MAX_DATAGRAM = 65507
#: Datagrams that may wait for the acknowledgement of the one before them.
_MAX_WAITING = 1000


class UdpSender:
    """Sends frames to a member's UDP port from a socket of its own, on which the acknowledgements come back."""

    def __init__(self, member: Member, settings: AbstractSender, reactor: Reactor) -> None:
        self.member = member
        self._settings = settings
        self._reactor = reactor
        self._socket: socket.socket | None = None
        self._waiting: deque[tuple[bytes, Delivery]] = deque()
        self._asked: Delivery | None = None
        self._timer: Timer | None = None

    def enqueue(self, frame: bytes, wants_ack: bool, delivery: Delivery) -> None:
        """Send a datagram, or queue it behind one that waits for its acknowledgement. Any thread."""
        self._reactor.call_soon(lambda: self._submit(frame, wants_ack, delivery))

    @property
    def is_idle(self) -> bool:
        """True when nothing waits for its acknowledgement."""
        return self._asked is None and not self._waiting

    def _submit(self, frame: bytes, wants_ack: bool, delivery: Delivery) -> None:
        if self.member.udp_port <= 0:
            delivery.failed(self.member, OSError(errno.EDESTADDRREQ, f"{self.member} has no UDP port"))
        elif len(frame) > MAX_DATAGRAM:
            reason = OSError(errno.EMSGSIZE, f"a datagram of {len(frame)} bytes, limit {MAX_DATAGRAM}")
            delivery.failed(self.member, reason)
        elif not wants_ack:
            self._send(frame, delivery)
        elif len(self._waiting) >= _MAX_WAITING:
            reason = BlockingIOError(errno.EAGAIN, f"{_MAX_WAITING} datagrams wait for acknowledgements already")
            delivery.failed(self.member, reason)
        else:
            self._waiting.append((frame, delivery))
            self._next()

    def _send(self, frame: bytes, delivery: Delivery) -> None:
        try:
            self._open_socket().send(frame)
        except OSError as exc:
            delivery.failed(self.member, exc)
        else:
            delivery.succeeded()

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            family = socket.AF_INET6 if len(self.member.host) == 16 else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            try:
                if "udp_rx_buf_size" in self._settings.given:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._settings.udp_rx_buf_size)
                if "udp_tx_buf_size" in self._settings.given:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._settings.udp_tx_buf_size)
                sock.connect((self.member.address, self.member.udp_port))
            except OSError:
                sock.close()
                raise
            self._socket = sock
            self._reactor.register(sock, READ, self._on_readable, first=True)
        return self._socket

    def _next(self) -> None:
        while self._asked is None and self._waiting:
            frame, delivery = self._waiting.popleft()
            self._asked = delivery
            self._timer = self._reactor.call_later(self._settings.timeout / 1000, self._expired)
            try:
                self._open_socket().send(frame)
            except OSError as exc:
                self._answered(exc)

    def _answered(self, reason: BaseException | None) -> None:
        delivery, self._asked = self._asked, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if delivery is not None and reason is None:
            delivery.succeeded()
        elif delivery is not None and reason is not None:
            delivery.failed(self.member, reason)

    def _expired(self) -> None:
        self._timer = None
        self._answered(TimeoutError(f"Operation has timed out([{self._settings.timeout}] ms.)."))
        self._next()

    def _on_readable(self, events: int) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(MAX_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as exc:  # ICMP reported that the port is closed
            self._answered(exc)
            self._next()
            return
        try:
            answers = FrameDecoder().receive_data(data)
        except ProtocolError:
            return  # not an answer: anybody can send datagrams here, and the acknowledgement may still come
        if answers == [ACK_BODY]:
            self._answered(None)
        elif answers == [FAIL_ACK_BODY]:
            failed = self._settings.throw_on_failed_ack
            self._answered(RemoteProcessError(f"Received a failed ack from {self.member}") if failed else None)
        self._next()

    def close(self) -> None:
        """Close the socket; waiting datagrams fail. Only in the runner."""
        closed = ConnectionAbortedError(errno.ECONNABORTED, "Sender has been disconnected")
        self._answered(closed)
        while self._waiting:
            self._waiting.popleft()[1].failed(self.member, closed)
        if self._socket is not None:
            self._reactor.unregister(self._socket)
            self._socket.close()
            self._socket = None
