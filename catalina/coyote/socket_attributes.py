"""The ``socket.*`` attributes of a Connector (Tomcat: util/net/SocketProperties.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["SocketAttributes"]

_JAVA = "there are no pooled channel objects or buffers here to size"
_WEIGHT = "a performance preference that Java itself ignores"


class SocketAttributes(Component):
    """Options of the accepted sockets; None leaves the system's default."""

    socket_rx_buf_size = Attribute(
        int, None, unit="bytes", xml="socket.rxBufSize", doc="SO_RCVBUF. Larger helps fast uploads over long links."
    )
    socket_tx_buf_size = Attribute(
        int,
        None,
        unit="bytes",
        xml="socket.txBufSize",
        doc="SO_SNDBUF. Larger lets a response leave in one piece; each slow client then holds that much memory.",
    )
    socket_tcp_no_delay = Attribute(bool, None, xml="socket.tcpNoDelay", doc="Same as tcpNoDelay, and wins over it.")
    socket_so_keep_alive = Attribute(bool, None, xml="socket.soKeepAlive", doc="SO_KEEPALIVE.")
    socket_oo_b_inline = Attribute(bool, None, xml="socket.ooBInline", doc="OOBINLINE.")
    socket_so_reuse_address = Attribute(
        bool, None, xml="socket.soReuseAddress", doc="SO_REUSEADDR of the listening socket; on unless set to false."
    )
    socket_so_linger_on = Attribute(bool, None, xml="socket.soLingerOn", doc="SO_LINGER; needs soLingerTime.")
    socket_so_linger_time = Attribute(
        int, None, unit="seconds", xml="socket.soLingerTime", doc="SO_LINGER; needs soLingerOn."
    )
    socket_so_timeout = Attribute(
        int, None, unit="ms", xml="socket.soTimeout", doc="Same as connectionTimeout, and wins over it."
    )
    socket_performance_connection_time = Attribute(int, 0, xml="socket.performanceConnectionTime", inert=_WEIGHT)
    socket_performance_latency = Attribute(int, 0, xml="socket.performanceLatency", inert=_WEIGHT)
    socket_performance_bandwidth = Attribute(int, 0, xml="socket.performanceBandwidth", inert=_WEIGHT)
    socket_unlock_timeout = Attribute(
        int, 250, unit="ms", xml="socket.unlockTimeout", inert="nothing has to unlock an acceptor here"
    )
    socket_direct_buffer = Attribute(bool, False, xml="socket.directBuffer", inert=_JAVA)
    socket_direct_ssl_buffer = Attribute(bool, False, xml="socket.directSslBuffer", inert=_JAVA)
    socket_app_read_buf_size = Attribute(int, 8192, unit="bytes", xml="socket.appReadBufSize", inert=_JAVA)
    socket_app_write_buf_size = Attribute(int, 8192, unit="bytes", xml="socket.appWriteBufSize", inert=_JAVA)
    socket_buffer_pool = Attribute(int, -2, xml="socket.bufferPool", inert=_JAVA)
    socket_buffer_pool_size = Attribute(int, -2, xml="socket.bufferPoolSize", inert=_JAVA)
    socket_processor_cache = Attribute(int, 0, xml="socket.processorCache", inert=_JAVA)
    socket_event_cache = Attribute(int, 0, xml="socket.eventCache", inert=_JAVA)
