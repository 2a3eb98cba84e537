"""The request packet of AJP/1.3 (Tomcat: coyote/ajp/AjpProcessor.prepareRequest, Constants.java).

::

    byte     2
    byte     method, 0xFF when it stands in an attribute
    string   protocol, request URI (without query), remote address, remote host, server name
    short    server port
    byte     1 when TLS
    short    number of header fields
      short or string  name: 0xA0nn is one of REQUEST_FIELDS
      string           value
    byte     attribute code, then its string (req_attribute: two, key size: a short) ... 0xFF
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from catalina.coyote.ajp.packets import AjpReader
from catalina.errors import LimitError, ProtocolError

__all__ = ["FORWARD_REQUEST", "ForwardRequest", "decode_forward_request"]

FORWARD_REQUEST = 2
STORED_METHOD = 0xFF
END_OF_ATTRIBUTES = 0xFF

METHODS = (
    *("", "OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE"),
    *("LOCK", "UNLOCK", "ACL", "REPORT", "VERSION-CONTROL", "CHECKIN", "CHECKOUT", "UNCHECKOUT", "SEARCH"),
    *("MKWORKSPACE", "UPDATE", "LABEL", "MERGE", "BASELINE-CONTROL", "MKACTIVITY"),
)
REQUEST_FIELDS = (
    *(b"", b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"authorization", b"connection"),
    *(b"content-type", b"content-length", b"cookie", b"cookie2", b"host", b"pragma", b"referer", b"user-agent"),
)

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

#: Attribute codes -> their names. No web server uses context (1) and servlet path (2).
TEXT_ATTRIBUTES = {
    1: "context",
    2: "servlet_path",
    3: "remote_user",
    4: "auth_type",
    5: "query_string",
    6: "route",
    7: "ssl_cert",
    8: "ssl_cipher",
    9: "ssl_session",
    12: "secret",
    13: "stored_method",
}
#: Attributes that neither we nor Tomcat read. When mod_jk 1.2.48 goes to another worker of a dead one's domain, it
#: sends released memory as the route.
PASSED_OVER = frozenset({"context", "servlet_path", "route"})
#: Certificates contain line ends.
UNCHECKED = PASSED_OVER | {"ssl_cert"}
REQUEST_ATTRIBUTE = 10
SSL_KEY_SIZE = 11


@dataclass(slots=True)
class ForwardRequest:
    """One request as a web server describes it. Texts are latin-1, that is bytes.

    ``attributes`` has those of :data:`TEXT_ATTRIBUTES` that came, ``request_attributes`` those that the administrator
    of the web server sends by name.
    """

    method: str
    protocol: str
    uri: str
    remote_addr: str
    remote_host: str | None
    server_name: str
    server_port: int
    is_tls: bool
    fields: tuple[tuple[bytes, bytes], ...]
    attributes: dict[str, str] = field(default_factory=dict)
    request_attributes: dict[str, str] = field(default_factory=dict)
    ssl_key_size: int | None = None

    @property
    def content_length(self) -> int:
        """Bytes of the body, -1 when they are not given.

        Raises:
            ProtocolError: there are several, or one is no number.
        """
        values = [value for name, value in self.fields if name.lower() == b"content-length"]
        if not values:
            return -1
        if len(values) > 1 or not values[0].isdigit() or len(values[0]) > 18:
            raise ProtocolError(f"Content-Length {b', '.join(values)!r}")
        return int(values[0])


def decode_forward_request(payload: bytes, max_fields: int = 100) -> ForwardRequest:
    """Decode a payload whose first byte is :data:`FORWARD_REQUEST`.

    Raises:
        LimitError: more header fields than ``max_fields`` (negative: no limit).
        ProtocolError: anything else that the form above does not allow.
    """
    reader = AjpReader(payload)
    if reader.byte() != FORWARD_REQUEST:
        raise ProtocolError(f"expected a forward request (2), got {payload[0]}", 0)
    method = reader.byte()
    request = ForwardRequest(
        _method(method),
        _latin(reader.required_text("protocol")),
        _latin(reader.required_text("request URI")),
        _latin(reader.text() or b""),
        _optional(reader.text()),
        _latin(reader.text() or b""),
        reader.short(),
        reader.boolean(),
        _fields(reader, max_fields),
    )
    _read_attributes(reader, request)
    if method == STORED_METHOD:
        request.method = request.attributes.get("stored_method", "")
    if not request.method:
        raise ProtocolError("the request has no method")
    _check_characters(request)
    return request


def _check_characters(request: ForwardRequest) -> None:
    """Refuse characters that HTTP does not allow: a web server cannot have them from its client, so applications must
    not see them.

    The application must judge a value that an administrator sends by name.
    """
    names = [name.decode("latin-1") for name, _ in request.fields]
    for token in (request.method, *names):
        if not _TOKEN.fullmatch(token):
            raise ProtocolError(f"{token[:40]!r} is no method or header name")
    texts = [request.protocol, request.uri, request.remote_addr, request.remote_host or "", request.server_name]
    texts += [value.decode("latin-1") for _, value in request.fields]
    texts += [value for name, value in request.attributes.items() if name not in UNCHECKED]
    for text in texts:
        if _CONTROL.search(text):
            raise ProtocolError(f"control characters in {text[:40]!r}")
    if "\t" in request.uri:
        raise ProtocolError(f"control characters in {request.uri[:40]!r}")


def _method(code: int) -> str:
    if code == STORED_METHOD:
        return ""
    if not 0 < code < len(METHODS):
        raise ProtocolError(f"method {code}, expected 1 to {len(METHODS) - 1} or 255", 1)
    return METHODS[code]


def _fields(reader: AjpReader, max_fields: int) -> tuple[tuple[bytes, bytes], ...]:
    count = reader.short()
    if 0 <= max_fields < count:
        raise LimitError(f"{count} header fields, limit maxHeaderCount {max_fields}")
    fields = []
    for _ in range(count):
        code = reader.peek_short()
        if code & 0xFF00 == 0xA000:
            reader.short()
            index = code & 0xFF
            if not 0 < index < len(REQUEST_FIELDS):
                raise ProtocolError(f"header code {code:#06x} is unknown")
            name = REQUEST_FIELDS[index]
        else:
            name = reader.required_text("a header name")
        fields.append((name, reader.text() or b""))
    return tuple(fields)


def _read_attributes(reader: AjpReader, request: ForwardRequest) -> None:
    while (code := reader.byte()) != END_OF_ATTRIBUTES:
        if code == REQUEST_ATTRIBUTE:
            name = _latin(reader.required_text("an attribute name"))
            request.request_attributes[name] = _latin(reader.text() or b"")
        elif code == SSL_KEY_SIZE:
            request.ssl_key_size = reader.short()
        elif code in TEXT_ATTRIBUTES:
            value = reader.text()
            if value is not None:
                request.attributes[TEXT_ATTRIBUTES[code]] = _latin(value)
        else:
            raise ProtocolError(f"attribute code {code} is unknown")


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


def _optional(data: bytes | None) -> str | None:
    return None if data is None else _latin(data)
