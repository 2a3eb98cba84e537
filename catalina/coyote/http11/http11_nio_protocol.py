"""``protocol="HTTP/1.1"``: the attributes (Tomcat: coyote/http11/AbstractHttp11Protocol.java)."""

from __future__ import annotations

from collections.abc import Mapping

from catalina.attributes import Attribute, AttributeRefused, choice, comma_list
from catalina.coyote.abstract_protocol import AbstractProtocol
from catalina.coyote.http11.request_head import HeadLimits
from catalina.coyote.http11.tls_attributes import TlsAttributes

__all__ = ["Http11NioProtocol"]

TEXT_TYPES = (
    "text/html,text/xml,text/plain,text/css,text/javascript,application/javascript,application/json,application/xml"
)
NO_NAMES: tuple[str, ...] = ()


def _compression(text: str) -> str:
    word = text.strip().lower()
    if word in ("on", "off", "force") or word.isdecimal():
        return word
    raise AttributeRefused("on, off, force or a number of bytes")


class Http11NioProtocol(AbstractProtocol, TlsAttributes):
    """HTTP/1.1 over TCP, with TLS when SSLEnabled."""

    name_prefix = "http-nio"
    logger_name = "org.apache.coyote.http11.Http11NioProtocol"

    allow_host_header_mismatch = Attribute(
        bool, False, doc="Accept an absolute request URI whose host differs from the Host field."
    )
    allowed_trailer_headers = Attribute(
        comma_list, NO_NAMES, doc="Trailer fields that are passed on as request header fields; the others are dropped."
    )
    compressible_mime_type = Attribute(
        comma_list,
        comma_list(TEXT_TYPES),
        aliases=("compressableMimeType", "compressibleMimeTypes", "compressableMimeTypes"),
        doc="Content types that may be compressed.",
    )
    compression = Attribute(
        _compression,
        "off",
        doc="off, on, force, or a number of bytes = on from that size. Costs CPU in the loop, saves the client's link.",
    )
    compression_min_size = Attribute(int, 2048, unit="bytes", doc="Smaller bodies are not compressed.")
    no_compression_encodings = Attribute(
        comma_list,
        comma_list("br,compress,dcb,dcz,deflate,gzip,pack200-gzip,zstd"),
        doc="A response with one of these Content-Encodings is not compressed again.",
    )
    no_compression_user_agents = Attribute(
        str, None, doc="Regular expression (Java's) of User-Agents that get nothing compressed."
    )
    connection_upload_timeout = Attribute(
        int, 300_000, unit="ms", doc="How long each portion of a body may take when disableUploadTimeout is false."
    )
    disable_upload_timeout = Attribute(bool, True, doc="connectionTimeout counts for bodies too.")
    continue_response_timing = Attribute(
        choice("immediately", "onRead", "always"),
        "immediately",
        doc="When 100 Continue leaves: when the request is mapped, or when the application first reads.",
    )
    max_extension_size = Attribute(int, 8192, unit="bytes", doc="Chunk extensions per request.")
    max_http_header_size = Attribute(
        int, 8192, unit="bytes", doc="Default of maxHttpRequestHeaderSize and maxHttpResponseHeaderSize."
    )
    max_http_request_header_size = Attribute(
        int, None, unit="bytes", doc="Request line and fields together; more is 414 or 431."
    )
    max_http_response_header_size = Attribute(
        int, None, unit="bytes", doc="Status line and fields together; an application that sends more gets a 500."
    )
    max_keep_alive_requests = Attribute(
        int, 100, doc="Requests per connection; 1 is no keep-alive, -1 no limit. Raise it behind a proxy."
    )
    max_save_post_size = Attribute(int, 4096, unit="bytes", doc="Body bytes kept during a FORM login.")
    max_swallow_size = Attribute(
        int, 2 * 2**20, unit="bytes", doc="Unread body bytes that are read away to keep the connection; -1: no limit."
    )
    max_trailer_size = Attribute(int, 8192, unit="bytes", doc="Trailer fields per request.")
    reject_illegal_header = Attribute(
        bool,
        True,
        aliases=("rejectIllegalHeaderName",),
        doc="A malformed header field is 400; false drops the field. Bad framing is always 400.",
    )
    relaxed_path_chars = Attribute(str, "", doc='Characters of "<>[\\]^`{|} that paths may have unescaped.')
    relaxed_query_chars = Attribute(str, "", doc='Characters of "<>[\\]^`{|} that queries may have unescaped.')
    restricted_user_agents = Attribute(
        str, None, doc="Regular expression (Java's) of User-Agents whose connections are closed after each response."
    )
    send_reason_phrase = Attribute(
        bool,
        False,
        doc="Send the reason of the application's status (404 Not Found), as Tomcat 8.5 could. Without it the status "
        "line ends with the number, as in Tomcat since 9.",
    )
    server = Attribute(str, None, doc="The Server field of responses that have none; no field without it.")
    server_remove_app_provided_values = Attribute(bool, False, doc="Drop Server fields that applications set.")
    use_keep_alive_response_header = Attribute(
        bool, True, doc="Answer Connection: keep-alive with Keep-Alive: timeout."
    )
    use_sendfile = Attribute(bool, True, doc="Let the kernel send files (not with TLS or compression).")

    @property
    def request_header_size(self) -> int:
        """Bytes of a request's head."""
        size = self.max_http_request_header_size
        return self.max_http_header_size if size is None else size

    @property
    def response_header_size(self) -> int:
        """Bytes of a response's head."""
        size = self.max_http_response_header_size
        return self.max_http_header_size if size is None else size

    @property
    def head_limits(self) -> HeadLimits:
        """The limits for the parser of heads."""
        return HeadLimits(
            self.request_header_size,
            self.max_header_count,
            self.relaxed_path_chars,
            self.relaxed_query_chars,
            self.reject_illegal_header,
            self.allow_host_header_mismatch,
        )

    def needed_packages(self) -> tuple[str, ...]:
        """A keystore in the old place, on the Connector itself, needs cryptography."""
        return ("cryptography",) if self.ssl_enabled and self.keystore_file else ()

    def useful_packages(self) -> Mapping[str, str]:
        """The packages of the content codings beside gzip."""
        if self.compression == "off":
            return {}
        return {"brotli": "nothing is compressed as br", "zstandard": "nothing is compressed as zstd"}
