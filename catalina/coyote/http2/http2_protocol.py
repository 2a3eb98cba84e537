"""HTTP/2 beside HTTP/1.1 (Tomcat: coyote/http2/Http2Protocol.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["Http2Protocol"]

_TAKEN = "the Connector's own attribute counts"


class Http2Protocol(Component):
    """HTTP/2 beside HTTP/1.1: chosen in the TLS handshake (ALPN), or by its preface when there is no TLS."""

    packages = ("hpack",)

    allow_scheme_mismatch = Attribute(bool, False, doc="Accept a :scheme that is not the connection's.")
    discard_requests_and_responses = Attribute(bool, False, inert="requests are never used again here")
    drain_timeout = Attribute(int, 0, unit="ns", inert="one GOAWAY is sent, streams under way are finished")
    initial_window_size = Attribute(
        int, 65_535, unit="bytes", doc="Body bytes a client may send ahead on each stream; more memory, fewer waits."
    )
    keep_alive_timeout = Attribute(int, 20_000, unit="ms", doc="How long a connection without streams is kept.")
    max_concurrent_stream_execution = Attribute(int, 20, doc="Streams of one connection that may run at a time.")
    max_concurrent_streams = Attribute(int, 100, doc="Streams that one connection may have open.")
    max_header_count = Attribute(int, 100, doc="Header fields per request; more resets the stream.")
    max_trailer_count = Attribute(int, 100, doc="Trailer fields per request.")
    max_trailer_size = Attribute(int, 8192, unit="bytes", doc="Trailer fields per request, together.")
    overhead_continuation_threshold = Attribute(int, 1024, doc="Smaller CONTINUATION frames count as overhead.")
    overhead_count_factor = Attribute(int, 10, doc="Weight of frames that cost more than they carry.")
    overhead_data_threshold = Attribute(int, 1024, doc="Smaller DATA frames count as overhead.")
    overhead_reset_factor = Attribute(int, 50, doc="Weight of a stream that the client resets (rapid reset).")
    overhead_window_update_threshold = Attribute(int, 1024, doc="Smaller WINDOW_UPDATEs count as overhead.")
    read_timeout = Attribute(int, 5000, unit="ms", doc="How long the rest of a frame may take.")
    stream_read_timeout = Attribute(int, 20_000, unit="ms", doc="How long a portion of a body may take.")
    stream_write_timeout = Attribute(int, 20_000, unit="ms", doc="How long a client may leave a window closed.")
    use_sendfile = Attribute(bool, True, inert="HTTP/2 frames are made in this process")
    write_timeout = Attribute(int, 5000, unit="ms", doc="How long a client may take nothing at all.")
    compression = Attribute(str, None, inert=_TAKEN)
    compression_min_size = Attribute(int, None, inert=_TAKEN)
    compressible_mime_type = Attribute(str, None, inert=_TAKEN)
    no_compression_user_agents = Attribute(str, None, inert=_TAKEN)
    no_compression_strong_e_tag = Attribute(
        bool, None, xml="noCompressionStrongETag", inert="a response with a strong tag is never compressed"
    )
    allowed_trailer_headers = Attribute(str, None, inert=_TAKEN)
    max_header_size = Attribute(int, None, inert=_TAKEN)

    def trailer_size(self, connectors: int) -> int:
        """Bytes of trailer fields: its own limit if that is given, otherwise the Connector's, as in Tomcat."""
        return self.max_trailer_size if "max_trailer_size" in self.__dict__ else connectors
