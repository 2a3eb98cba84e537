"""Is a member there? One connection and perhaps one message, without making the loop wait.

The message is the one of Tomcat's failure detector (TcpFailureDetector.java), which every receiver drops.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from catalina.reactor import READ, WRITE, Reactor, Timer
from catalina.tribes.member import Member

__all__ = ["TCP_FAIL_DETECT", "TcpProbe"]

TCP_FAIL_DETECT = bytes.fromhex(
    "4fa77348798243c99f6f8980a15b07147dd9525bebf1439ab77ebe8f81671eb6"
    "3715be87457e4ca8bf0a4d135338153255f694b73afa407891047dd77284c0d5"
)


class TcpProbe:
    """One check of one member; made in the runner, where ``verdict`` is called too.

    Args:
        member: whom to connect to.
        frame: written once connected, empty writes nothing.
        connect_timeout: seconds.
        read_timeout: seconds to wait for any byte in answer, None does not wait.
        verdict: called once with whether the member is there, and never before the constructor has returned.
    """

    def __init__(
        self,
        reactor: Reactor,
        member: Member,
        frame: bytes,
        connect_timeout: float,
        read_timeout: float | None,
        verdict: Callable[[bool], None],
    ) -> None:
        self._reactor = reactor
        self._frame = frame
        self._read_timeout = read_timeout
        self._verdict: Callable[[bool], None] | None = verdict
        self._connected = False
        self._socket: socket.socket | None = None
        self._timer: Timer = reactor.call_later(connect_timeout, lambda: self._finish(False))
        try:
            self._connect(member)
        except OSError:
            reactor.call_soon(lambda: self._finish(False))

    def _connect(self, member: Member) -> None:
        family = socket.AF_INET6 if len(member.host) == 16 else socket.AF_INET
        sock = self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        code = sock.connect_ex((member.address, member.port))
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            self._socket = None
            raise OSError(code, os.strerror(code))
        self._reactor.register(sock, READ | WRITE, self._on_ready)

    def _on_ready(self, events: int) -> None:
        sock = self._socket
        if sock is None:
            return
        try:
            if not self._connected:
                self._on_connected(sock)
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
            return
        self._connected = True
        if self._frame:
            sock.send(self._frame)  # a new connection takes these few bytes at once
        if self._read_timeout is None:
            self._finish(True)
            return
        self._timer.cancel()
        self._timer = self._reactor.call_later(self._read_timeout, lambda: self._finish(False))
        self._reactor.modify(sock, READ)

    def _finish(self, alive: bool) -> None:
        verdict, self._verdict = self._verdict, None
        self._timer.cancel()
        if self._socket is not None:
            self._reactor.unregister(self._socket)
            self._socket.close()
            self._socket = None
        if verdict is not None:
            verdict(alive)
