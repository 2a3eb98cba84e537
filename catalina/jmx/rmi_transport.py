"""Sockets and threads of the JMX port. Each connection has a thread of its own: there are few of them."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import threading
import time
from dataclasses import replace

from catalina.errors import LimitError, ProtocolError
from catalina.jmx.jrmp import (
    CALL,
    DGC_ACK,
    MAGIC,
    PING,
    PING_ACK,
    STREAM_PROTOCOL,
    Call,
    acknowledgement,
    read_call,
)
from catalina.jmx.rmi_objects import Peer, RmiObjects
from catalina.mbeans.audit import printable
from catalina.polling import is_ready
from catalina.repeated_messages import RepeatedMessages

__all__ = ["RmiTransport"]

log = logging.getLogger("org.apache.catalina.jmx.RmiTransport")

#: Sockets at a time; more are closed at once.
MAX_SOCKETS = 200
#: Bytes of a call by somebody who has not logged in, and by a client.
MAX_STRANGERS_CALL = 64 * 1024
MAX_CALL = 1024 * 1024
#: Seconds for the first bytes, for a call once it has begun, and between two calls.
HANDSHAKE_SECONDS = 10.0
#: Bytes of the name that a client calls itself by.
MAX_HOST = 1024
CALL_SECONDS = 20.0
IDLE_SECONDS = 600.0
#: Seconds without a byte after which a call that has begun is looked at: it may be complete.
QUIET_SECONDS = 0.02
#: Looks at one call. The bytes have no length in front, so only a look tells whether all are there; each but those
#: after a pause sees at least twice the bytes of the one before.
MAX_LOOKS = 64
#: A TLS handshake begins with this byte.
_HANDSHAKE = 0x16


class _Gone(Exception):
    """The client has closed its end, or the time is over."""


class RmiTransport:
    """Listens on one or two ports.

    Args:
        objects: who answers.
        host: address to bind to, None for all.
        hostname: what clients are told to call, None for the address that they have called.
        tls: for the objects, None for plain sockets.
        registry_tls: whether the registry needs it, too.
    """

    def __init__(
        self, objects: RmiObjects, host: str | None, hostname: str | None = None, *,
        tls: ssl.SSLContext | None = None, registry_tls: bool = False,
    ) -> None:  # fmt: skip
        self._objects = objects
        self._host = host
        self._hostname = hostname
        self._tls = tls
        self._registry_tls = registry_tls
        self._listeners: list[socket.socket] = []
        self._threads: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._messages = RepeatedMessages(log)
        self.port = self.rmi_port = 0

    def start(self, port: int, rmi_port: int) -> None:
        """Listen; 0 is any free port.

        Raises:
            OSError: a port cannot be had.
        """
        try:
            first = self._listen(port)
            self.port = self.rmi_port = first.getsockname()[1]
            second = None
            if rmi_port not in (port, self.port):
                second = self._listen(rmi_port)
                self.rmi_port = second.getsockname()[1]
        except OSError:
            self.stop()
            raise
        self._run(lambda: self._accept(first, True, second is None), "jmx-accept")
        if second is not None:
            self._run(lambda: self._accept(second, False, True), "jmx-accept-rmi")

    def _listen(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if self._host is not None and ":" in self._host else socket.AF_INET
        both = self._host is None and socket.has_dualstack_ipv6()
        made = socket.create_server(
            (self._host or "", port), family=socket.AF_INET6 if both else family, dualstack_ipv6=both, backlog=50
        )
        self._listeners.append(made)
        return made

    def stop(self) -> None:
        """Close all sockets, and wait for the threads."""
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._objects.close()
        with self._lock:
            sockets, threads = list(self._open), list(self._threads)
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(5)
        self._listeners.clear()

    def _run(self, work, name: str) -> bool:  # type: ignore[no-untyped-def]
        def run() -> None:
            try:
                work()
            except BaseException:
                log.exception("A thread of the JMX port has failed")
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # no more threads
            with self._lock:
                self._threads.discard(thread)
            return False
        return True

    def _accept(self, listener: socket.socket, sees_registry: bool, sees_objects: bool) -> None:
        while True:
            try:
                sock, address = listener.accept()
            except OSError:
                if listener.fileno() < 0 or listener not in self._listeners:
                    return
                time.sleep(0.1)  # no descriptor is free
                continue
            with self._lock:
                is_full = len(self._open) >= MAX_SOCKETS
                if not is_full:
                    self._open.add(sock)
            host = address[0].removeprefix("::ffff:")
            peer = Peer(host, address[1], self._local_host(sock), self.rmi_port, sees_registry, sees_objects)
            if is_full or not self._run(lambda sock=sock, peer=peer: self._serve(sock, peer), f"jmx-{host}"):
                self._messages.log(
                    logging.WARNING, "connections that were refused",
                    "A JMX connection from [%s] is refused: %d are open", host, len(self._open),
                )  # fmt: skip
                self._close(sock)

    def _local_host(self, sock: socket.socket) -> str:
        if self._hostname is not None:
            return self._hostname
        return str(sock.getsockname()[0]).removeprefix("::ffff:")

    @property
    def open_sockets(self) -> int:
        """Connections that are open."""
        with self._lock:
            return len(self._open)

    def _close(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.discard(sock)
        with contextlib.suppress(OSError):
            sock.close()

    # -- one connection

    def _serve(self, sock: socket.socket, peer: Peer) -> None:
        secured: socket.socket = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(HANDSHAKE_SECONDS)
            secured, peer = self._secure(sock, peer)
            _Connection(secured, peer, self._objects).run()
        except _Gone:
            pass
        except (ProtocolError, OSError) as error:
            self._messages.log(
                logging.WARNING, f"JMX connections from {peer.address} that broke the rules",
                "The JMX connection from [%s:%s] is closed: %s", peer.address, peer.port, printable(str(error)),
            )  # fmt: skip
        finally:
            if secured is not sock:
                self._close(secured)
            self._close(sock)

    def _secure(self, sock: socket.socket, peer: Peer) -> tuple[socket.socket, Peer]:
        """TLS where the client begins it; what is only served over TLS is not there on a plain socket."""
        first = sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise _Gone
        if self._tls is None:
            return sock, peer
        if first[0] != _HANDSHAKE:
            sees_registry = peer.sees_registry and not self._registry_tls
            return sock, replace(peer, sees_registry=sees_registry, sees_objects=False, tls=True)
        secured = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.discard(sock)
            self._open.add(secured)
        try:
            _handshake(secured, time.monotonic() + HANDSHAKE_SECONDS)
        except BaseException:
            self._close(secured)
            raise
        return secured, replace(peer, tls=True)


def _handshake(sock: ssl.SSLSocket, ends: float) -> None:
    """TLS with all of its messages within the time, however slowly they drip.

    Raises:
        _Gone, OSError: the time is over, or it fails.
    """
    sock.settimeout(0)
    while True:
        try:
            sock.do_handshake()
            return
        except ssl.SSLWantReadError:
            wanted = select.POLLIN
        except ssl.SSLWantWriteError:
            wanted = select.POLLOUT
        left = ends - time.monotonic()
        if left <= 0 or not is_ready(sock, wanted, left):
            raise _Gone


class _Connection:
    """Reads calls and writes returns, one after another."""

    def __init__(self, sock: socket.socket, peer: Peer, objects: RmiObjects) -> None:
        self._socket = sock
        self._peer = peer
        self._objects = objects
        self._buffer = bytearray()
        #: time.monotonic() at which what is waited for must be there.
        self._ends = 0.0

    def run(self) -> None:
        """Until the client closes.

        Raises:
            _Gone, OSError, ProtocolError: that is so, or it breaks the rules.
        """
        self._ends = time.monotonic() + HANDSHAKE_SECONDS
        head = self._take(7)
        if head[:4] != MAGIC or head[6] != STREAM_PROTOCOL:
            raise ProtocolError(f"expected RMI's stream protocol, got {head!r}", 0)
        self._socket.sendall(acknowledgement(self._peer.address, self._peer.port))
        size = int.from_bytes(self._take(2), "big")
        if size > MAX_HOST:
            raise LimitError(f"a host name of {size} bytes, the limit is {MAX_HOST}")
        self._take(size + 4)
        while True:
            self._ends = time.monotonic() + IDLE_SECONDS
            kind = self._take(1)[0]
            self._ends = time.monotonic() + CALL_SECONDS
            self._socket.settimeout(CALL_SECONDS)
            if kind == PING:
                self._socket.sendall(bytes([PING_ACK]))
            elif kind == DGC_ACK:
                self._take(14)
            elif kind == CALL:
                self._socket.sendall(self._objects.answer(self._read_call(), self._peer))
            else:
                raise ProtocolError(f"expected a call, got {kind:#x}")

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _more(self) -> None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise _Gone
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise _Gone from None
        if not data:
            raise _Gone
        self._buffer += data

    def _read_call(self) -> Call:
        limit = MAX_CALL if self._objects.has_client(self._peer.address) else MAX_STRANGERS_CALL
        ends = self._ends
        seen = 0
        for _ in range(MAX_LOOKS):
            self._fill(2 * seen, limit, ends)
            seen = len(self._buffer)
            try:
                call = read_call(bytes(self._buffer), self._objects.arguments_of)
            except LimitError:
                raise
            except ProtocolError as error:
                if seen >= limit:
                    raise LimitError(f"a call of more than {limit} bytes") from error
                if time.monotonic() >= ends:
                    raise ProtocolError(f"a call of {seen} bytes that does not end: {error}") from error
                continue
            del self._buffer[: call.end]
            return call
        raise ProtocolError(f"a call in more than {MAX_LOOKS} pieces")

    def _fill(self, enough: int, limit: int, ends: float) -> None:
        """Read until there are ``enough`` bytes, or nothing has come for a moment."""
        before = len(self._buffer)
        while len(self._buffer) < min(max(enough, 1), limit):
            left = ends - time.monotonic()
            if left <= 0:
                return
            is_new = len(self._buffer) > before or before == 0
            if not self._is_readable(QUIET_SECONDS if is_new and self._buffer else left):
                if self._buffer and is_new:
                    return
                continue
            self._more()

    def _is_readable(self, seconds: float) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return is_ready(self._socket, select.POLLIN, seconds)
