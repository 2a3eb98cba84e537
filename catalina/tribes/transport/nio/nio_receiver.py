"""Takes messages over TCP, and over UDP where a port is given (Tomcat: tribes/transport/nio/NioReceiver.java)."""

from __future__ import annotations

import logging
import socket
from functools import partial

from catalina.errors import ChannelError, ConfigurationError, ProtocolError
from catalina.reactor import READ, Reactor
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK, ChannelMessage
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.channel_data import PackageDecoder
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, FrameDecoder
from catalina.tribes.transport.nio.nio_replication_task import NioReplicationTask
from catalina.tribes.transport.nio.receiver_limits import ReceiverLimits
from catalina.tribes.transport.nio.tls_channel import ByteStream, TlsChannel
from catalina.tribes.transport.receiver_base import ReceiverBase

__all__ = ["NioReceiver"]

log = logging.getLogger("org.apache.catalina.tribes.transport.nio.NioReceiver")
bind_log = logging.getLogger("org.apache.catalina.tribes.transport.ReceiverBase")

#: Connections that may wait to be accepted; all members connect at the same time when one starts.
_ACCEPT_QUEUE = 128
#: Connections accepted, or datagrams taken, in one round of the loop.
_PER_ROUND = 64
_MAX_DATAGRAM = 65535


class NioReceiver(ReceiverBase):
    """Accepts connections of members on the event loop."""

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._servers: list[socket.socket] = []
        self._udp: socket.socket | None = None
        self._limits: ReceiverLimits | None = None
        self._reactor: Reactor | None = None

    def start(self, route_hint: tuple[str, int] | None) -> None:
        """Bind the first free port of each range and take connections."""
        self._check_security()
        reactor = self._reactor = self.channel.running_reactor
        self._limits = ReceiverLimits(
            self.max_buffered,
            self.max_connections,
            lambda: self.channel.members,
            self.channel.is_known,
            self.channel.now,
        )
        try:
            host = self._resolve_host(route_hint)
        except OSError as exc:
            raise self.refused("address", exc) from exc
        try:
            self._bind_all(self.bind or host, reactor)
        except ConfigurationError:
            self._close_all(reactor)
            raise

    def _check_security(self) -> None:
        """Refuse a configuration that would leave something readable without saying so. Raises ChannelError."""
        secure, tls = self.channel.secure, self.channel.tls
        if secure and self.secure_port <= 0:
            raise ChannelError("secure='true' of the channel needs the receiver's securePort")
        if secure and self.udp_port > 0:
            raise ChannelError(f"udpPort='{self.udp_port}': datagrams are not encrypted, and the channel is secure")
        if self.secure_port > 0 and tls is None:
            log.warning(
                "securePort='%d': nothing listens there without pskIdentity and pskKey of the channel", self.secure_port
            )

    def _bind_all(self, address: str, reactor: Reactor) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.bound_secure_port = self.bound_udp_port = -1
        if not self.channel.secure:
            self.bound_port = self._open_server(family, address, self.port, reactor, secure=False)
            bind_log.info("Receiver Server Socket bound to:[%s]", f"/{address}:{self.bound_port}")
        if self.secure_port > 0 and self.channel.tls is not None:
            self.bound_secure_port = self._open_server(family, address, self.secure_port, reactor, secure=True)
            bind_log.info("Receiver Server TLS Socket bound to:[%s]", f"/{address}:{self.bound_secure_port}")
        if self.channel.secure:
            # Nothing listens on this port; it is a part of the member's name, and must differ between two nodes of one
            # machine.
            self.bound_port = self.port + self.bound_secure_port - self.secure_port
        if self.udp_port > 0:
            try:
                udp = self._udp = self._first_free(self.udp_port, lambda port: self._open_udp(family, address, port))
            except OSError as exc:
                raise self.refused(f"{self._bound_by} udpPort autoBind", exc) from exc
            self.bound_udp_port = udp.getsockname()[1]
            bind_log.info("UDP Receiver Server Socket bound to:[%s]", f"/{address}:{self.bound_udp_port}")
            reactor.register(udp, READ, self._on_datagrams, first=True)

    @property
    def _bound_by(self) -> str:
        """The attribute that says where to listen."""
        return "bind" if self.bind else "address"

    def _open_server(
        self, family: socket.AddressFamily, address: str, first: int, reactor: Reactor, secure: bool
    ) -> int:
        try:
            server = self._first_free(first, lambda port: self._listen(family, address, port))
        except OSError as exc:
            raise self.refused(f"{self._bound_by} {'securePort' if secure else 'port'} autoBind", exc) from exc
        self._servers.append(server)
        reactor.register(server, READ, partial(self._on_acceptable, server, secure), first=True)
        return int(server.getsockname()[1])

    def _listen(self, family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        server = self.channel.running_reactor.new_socket(family)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.so_reuse_address))
            if "rx_buf_size" in self.given:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rx_buf_size)
            server.bind((address, port))
            server.listen(_ACCEPT_QUEUE)
        except OSError:
            server.close()
            raise
        return server

    def _open_udp(self, family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        udp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if "udp_rx_buf_size" in self.given:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.udp_rx_buf_size)
            if "udp_tx_buf_size" in self.given:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.udp_tx_buf_size)
            udp.bind((address, port))
        except OSError:
            udp.close()
            raise
        return udp

    def stop(self) -> None:
        """Close the sockets and all connections."""
        reactor, self._reactor = self._reactor, None
        if reactor is not None:
            run_in_runner(reactor, lambda: self._close_all(reactor))

    def _close_all(self, reactor: Reactor) -> None:
        for sock in (*self._servers, self._udp):
            if sock is not None:
                reactor.unregister(sock)
                sock.close()
        self._servers = []
        self._udp = None
        limits, self._limits = self._limits, None
        if limits is not None:
            limits.stop()
            for task in tuple(limits.tasks):
                task.close()

    def _on_acceptable(self, server: socket.socket, secure: bool, events: int) -> None:
        for _ in range(_PER_ROUND):
            limits, reactor = self._limits, self._reactor  # another thread's stop() may clear it at any time
            if limits is None or reactor is None:
                return
            try:
                sock, peer = server.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                limits.repeated.log(
                    logging.WARNING, "connections not accepted", "Unable to accept a connection: %s", exc
                )
                return
            if limits.admits(peer[0]):
                self._take(sock, f"{peer[0]}:{peer[1]}", secure, reactor, limits)
            else:
                sock.close()

    def _take(self, sock: socket.socket, name: str, secure: bool, reactor: Reactor, limits: ReceiverLimits) -> None:
        stream: ByteStream = sock
        try:
            sock.setblocking(False)
            self.apply_socket_options(sock)
            if secure and self.channel.tls is not None:
                stream = TlsChannel(sock, self.channel.tls, server_side=True)
        except OSError as exc:  # the peer has already gone
            log.debug("Connection from %s: %s", name, exc)
            sock.close()
            return
        NioReplicationTask(
            stream, name, reactor, self.listener.message_received, self.max_package, self.rx_buf_size, limits
        )

    def _on_datagrams(self, events: int) -> None:
        for _ in range(_PER_ROUND):
            limits = self._limits
            if self._udp is None or limits is None:
                return
            try:
                data, sender = self._udp.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as exc:
                log.warning("Unable to take a datagram: %s", exc)
                return
            try:
                messages = [
                    PackageDecoder().decode(package) for package in FrameDecoder(_MAX_DATAGRAM).receive_data(data)
                ]
            except ProtocolError as exc:
                peer = f"{sender[0]}:{sender[1]}"
                limits.repeated.log(
                    logging.WARNING, f"bad datagrams from {sender[0]}", "%s; datagram dropped", exc.at_peer(peer)
                )
                continue
            for message in messages:
                self._take_datagram(message, sender)

    def _take_datagram(self, message: ChannelMessage, sender: tuple[str, int]) -> None:
        answer = ACK
        try:
            self.listener.message_received(message)
        except Exception:  # a listener is foreign code; the sender is told of the failure
            log.exception("Processing of a datagram from %s failed", message.address)
            answer = FAIL_ACK
        if message.options & SEND_OPTIONS_USE_ACK and self._udp is not None:
            try:
                self._udp.sendto(answer, sender)
            except OSError as exc:
                log.info("Unable to send ACK back to %s:%d: %s", sender[0], sender[1], exc)
