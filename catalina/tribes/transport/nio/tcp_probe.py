"""Checks whether a member is there: opens a connection and perhaps sends a message, without making the loop wait.

The message is that of Tomcat's failure detector (TcpFailureDetector.java), which every receiver drops.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from catalina.reactor import READ, WRITE, Reactor, Timer
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.tls_channel import ByteStream, TlsChannel

if TYPE_CHECKING:
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["TCP_FAIL_DETECT", "TcpProbe"]

TCP_FAIL_DETECT = bytes.fromhex(
    "4fa77348798243c99f6f8980a15b07147dd9525bebf1439ab77ebe8f81671eb6"
    "3715be87457e4ca8bf0a4d135338153255f694b73afa407891047dd77284c0d5"
)


class ProbingChannel(Protocol):
    """The parts of the channel that a probe needs."""

    @property
    def secure(self) -> bool: ...

    @property
    def tls(self) -> TribesSslContext | None: ...

    @property
    def running_reactor(self) -> Reactor: ...


class TcpProbe:
    """One check of one member. The runner makes it and calls ``verdict``.

    In a group that encrypts everything, nothing listens on the plain port: the probe connects to the securePort, and
    the member is there if it has the key.

    Args:
        channel: the group.
        member: the member to connect to.
        frame: written once connected; empty to write nothing.
        connect_timeout: seconds.
        read_timeout: seconds to wait for any byte of an answer; None does not wait.
        verdict: called once, with True when the member is there, and never before the constructor has returned.
    """

    def __init__(
        self,
        channel: ProbingChannel,
        member: Member,
        frame: bytes,
        connect_timeout: float,
        read_timeout: float | None,
        verdict: Callable[[bool], None],
    ) -> None:
        reactor = self._reactor = channel.running_reactor
        self._tls = channel.tls if channel.secure else None
        self._frame = frame
        self._read_timeout = read_timeout
        self._verdict: Callable[[bool], None] | None = verdict
        self._connected = False
        self._socket: ByteStream | None = None
        self._connecting: socket.socket | None = None
        self._timer: Timer = reactor.call_later(connect_timeout, lambda: self._finish(False))
        try:
            self._connect(member)
        except OSError:
            reactor.call_soon(lambda: self._finish(False))

    def _connect(self, member: Member) -> None:
        port = member.port if self._tls is None else member.secure_port
        if port <= 0:
            raise OSError(errno.EDESTADDRREQ, f"{member} has no securePort")
        family = socket.AF_INET6 if len(member.host) == 16 else socket.AF_INET
        sock = self._socket = self._connecting = self._reactor.new_socket(family)
        code = sock.connect_ex((member.address, port))
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            self._socket = None
            raise OSError(code, os.strerror(code))
        self._reactor.register(sock, READ | WRITE, self._on_ready, first=True)

    def _on_ready(self, events: int) -> None:
        sock = self._socket
        if sock is None:
            return
        try:
            if isinstance(sock, TlsChannel) and not self._connected:
                self._shake_hands(sock)
            elif self._connecting is not None and not self._connected:
                self._on_connected(self._connecting)
            else:
                self._finish(bool(sock.recv(1)))
        except BlockingIOError:
            return
        except OSError:
            self._finish(False)

    def _on_connected(self, sock: socket.socket) -> None:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(False)
        elif self._tls is not None:
            self._socket = TlsChannel(sock, self._tls, server_side=False)
            self._shake_hands(self._socket)
        else:
            self._is_connected(sock)

    def _shake_hands(self, channel: TlsChannel) -> None:
        events = channel.handshake()
        if events:
            self._reactor.modify(channel, events)
        else:
            self._is_connected(channel)

    def _is_connected(self, sock: ByteStream) -> None:
        self._connected = True
        if self._frame:
            sock.send(self._frame)  # the empty send buffer of a new connection takes these few bytes at once
        if self._read_timeout is None:
            self._finish(True)
            return
        self._timer.cancel()
        self._timer = self._reactor.call_later(self._read_timeout, lambda: self._finish(False))
        self._reactor.modify(sock, READ)

    def cancel(self) -> None:
        """Stop the check; no verdict follows. Only in the runner."""
        self._verdict = None
        self._finish(False)

    def _finish(self, alive: bool) -> None:
        verdict, self._verdict = self._verdict, None
        self._timer.cancel()
        if self._socket is not None:
            self._reactor.unregister(self._socket)
            self._socket.close()
            self._socket = None
        if verdict is not None:
            verdict(alive)
