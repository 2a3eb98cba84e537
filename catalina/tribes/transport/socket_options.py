"""Socket options that receiver and sender share (Tomcat: transport/ReceiverBase.java, AbstractSender.java)."""

from __future__ import annotations

import socket
import struct

from catalina.attributes import Attribute, Component

__all__ = ["SocketOptions"]


class SocketOptions(Component):
    """Attributes that become options of a TCP socket."""

    rx_buf_size = Attribute(int, 25188, unit="bytes", doc="SO_RCVBUF.")
    tx_buf_size = Attribute(int, 65536, unit="bytes", doc="SO_SNDBUF.")
    oo_b_inline = Attribute(bool, True, xml="ooBInline", doc="SO_OOBINLINE.")
    so_keep_alive = Attribute(bool, False, doc="SO_KEEPALIVE.")
    so_linger_on = Attribute(
        bool,
        False,
        doc="SO_LINGER. Only a time of 0 differs here: it drops what is "
        "unsent. With other times the kernel sends it after the close, which never makes the event loop wait.",
    )
    so_linger_time = Attribute(int, 3, unit="seconds", doc="0 with so_linger_on resets connections on close.")
    so_reuse_address = Attribute(bool, True, doc="SO_REUSEADDR.")
    so_traffic_class = Attribute(int, 0x1C, doc="IP_TOS of the packets.")
    tcp_no_delay = Attribute(bool, True, doc="TCP_NODELAY; false lets the kernel wait for more to send.")

    def apply_socket_options(self, sock: socket.socket) -> None:
        """Set the options of a TCP socket that is connected or about to be.

        Buffer sizes are set only where they were configured: otherwise the kernel sizes them by the traffic, which
        carries more than Tomcat's fixed defaults.
        """
        options: list[tuple[int, int, int]] = [
            (socket.SOL_SOCKET, socket.SO_OOBINLINE, self.oo_b_inline),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, self.so_keep_alive),
            (socket.SOL_SOCKET, socket.SO_REUSEADDR, self.so_reuse_address),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, self.tcp_no_delay),
        ]
        if "rx_buf_size" in self.given:
            options.append((socket.SOL_SOCKET, socket.SO_RCVBUF, self.rx_buf_size))
        if "tx_buf_size" in self.given:
            options.append((socket.SOL_SOCKET, socket.SO_SNDBUF, self.tx_buf_size))
        for level, option, value in options:
            sock.setsockopt(level, option, int(value))
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self.so_traffic_class)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self.so_traffic_class)
        if self.so_linger_on and self.so_linger_time == 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
