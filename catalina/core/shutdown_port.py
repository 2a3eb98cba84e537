"""The shutdown port: a word that arrives on it stops the server (Tomcat: StandardServer.await())."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import time
import weakref
from typing import Any

__all__ = ["ShutdownPort"]

log = logging.getLogger("org.apache.catalina.core.StandardServer")

#: Seconds of silence after which reading a command ends (Tomcat: setSoTimeout(10 * 1000)).
READ_TIMEOUT = 10.0
#: Bytes that are read of a command that does not end.
MAX_COMMAND = 1024


class ShutdownPort:
    """Listens on ``address:port + offset`` for ``command``; nothing is ever sent back.

    Args:
        port: with -1 nothing listens, and :meth:`wait` only waits for :meth:`close`.
    """

    def __init__(self, address: str, port: int, offset: int, command: str) -> None:
        self.address = address
        self.port = port
        self.offset = offset
        self._command = command
        self._closed = False
        self._wake = -1  # a descriptor from the first wait on, for as long as this lives: a signal may come at any time

    def close(self) -> None:
        """End :meth:`wait`, now or when it is called. A signal handler may call this."""
        self._closed = True  # before it looks for the descriptor: wait() looks in the other order
        if self._wake >= 0:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_write(self._wake, 1)

    def wait(self) -> None:
        """Return when the command has arrived, :meth:`close` was called, or the port cannot be bound (logged)."""
        if self._wake < 0:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            weakref.finalize(self, os.close, self._wake)
        if self._closed:
            return
        if self.port < 0:
            self._ready()
            return
        listener = self._bind()
        if listener is None:
            return
        with listener:
            while not self._one_command(listener):
                pass

    def _ready(self, *sockets: socket.socket, timeout: float | None = None) -> list[Any]:
        """The sockets, and the wake-up, that can be read now."""
        # poll, not select: with many clients the descriptors are beyond what select can take.
        waiting: dict[int, Any] = {sock.fileno(): sock for sock in sockets} | {self._wake: self._wake}
        poll = select.poll()
        for descriptor in waiting:
            poll.register(descriptor, select.POLLIN)
        return [waiting[descriptor] for descriptor, _ in poll.poll(None if timeout is None else timeout * 1000)]

    def _bind(self) -> socket.socket | None:
        port = self.port + self.offset
        try:
            family = socket.getaddrinfo(self.address, port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((self.address, port), family=family, backlog=1)
        except (OSError, OverflowError) as exc:
            log.error(
                "Failed to create server shutdown socket on address [%s] and port [%s] "
                "(base port [%s] and offset [%s])",
                self.address, port, self.port, self.offset, exc_info=exc,
            )  # fmt: skip
            return None

    def _one_command(self, listener: socket.socket) -> bool:
        """Serve one client; returns True when the command ends the wait."""
        if self._wake in self._ready(listener):
            return True
        try:
            connection, _ = listener.accept()
            with connection:
                command = self._read_command(connection)
        except OSError as exc:
            log.warning("Reading a shutdown command failed: %s", exc)
            return False
        if command == self._command:
            log.info("A valid shutdown command was received via the shutdown port. Stopping the Server instance.")
            return True
        log.warning("Invalid shutdown command [%s] received", command)
        return False

    def _read_command(self, connection: socket.socket) -> str:
        """Read up to a control character, the end of the stream or ten seconds of silence."""
        limit = max(MAX_COMMAND, len(self._command) + 1)
        deadline = time.monotonic() + READ_TIMEOUT
        received = bytearray()
        while len(received) < limit:
            if connection not in self._ready(connection, timeout=max(0.0, deadline - time.monotonic())):
                break
            byte = connection.recv(1)
            if not byte or byte[0] < 32 or byte[0] == 127:
                break
            received += byte
            deadline = time.monotonic() + READ_TIMEOUT
        return received.decode("latin-1")
