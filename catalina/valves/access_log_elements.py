"""The ``%`` codes of the access log (Tomcat: the element classes of AbstractAccessLogValve)."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.simple_date_format import DateNames
from catalina.valves.access_log_escape import escape
from catalina.valves.access_log_pattern import Code, Element
from catalina.valves.access_log_time import date_element, elapsed_element

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = [
    "PROTOCOL_ATTRIBUTE",
    "REMOTE_ADDR_ATTRIBUTE",
    "REMOTE_HOST_ATTRIBUTE",
    "SERVER_NAME_ATTRIBUTE",
    "SERVER_PORT_ATTRIBUTE",
    "ElementFactory",
    "bytes_sent",
    "canonical_ipv6",
    "query_string",
    "request_uri",
    "thread_name",
]

log = logging.getLogger("org.apache.catalina.valves.AbstractAccessLogValve")

#: Request attributes that RemoteIpValve sets for logs written after it has restored the request.
REMOTE_ADDR_ATTRIBUTE = "org.apache.catalina.AccessLog.RemoteAddr"
REMOTE_HOST_ATTRIBUTE = "org.apache.catalina.AccessLog.RemoteHost"
PROTOCOL_ATTRIBUTE = "org.apache.catalina.AccessLog.Protocol"
SERVER_NAME_ATTRIBUTE = "org.apache.catalina.AccessLog.ServerName"
SERVER_PORT_ATTRIBUTE = "org.apache.catalina.AccessLog.ServerPort"


def canonical_ipv6(text: str) -> str:
    """The short form of an IPv6 address (RFC 5952); any other text unchanged."""
    if ":" not in text:
        return text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def request_uri(request: Request) -> str:
    """The path as the client sent it, escaped."""
    return escape(request.request_uri)


def query_string(request: Request, delimiter: str, absent: str, write: Callable[[str], str] = escape) -> str:
    """The query with ``delimiter`` before it. An empty query gives the delimiter alone, no query gives ``absent``."""
    query: str | None = request.query_string
    if query is None:
        return absent
    return delimiter + write(query) if query else delimiter


def bytes_sent(response: Response) -> int:
    """Bytes of the body that were sent, without the head."""
    return response.bytes_written()


def thread_name(_request: Request, _response: Response, _time_ns: int) -> str:
    """The thread that served the request. A node logs in the thread that has written the answer."""
    return threading.current_thread().name


class ElementFactory:
    """Makes the function for a code, or its text if that is the same for all requests.

    Args:
        request_attributes: take address, host, port and protocol from RemoteIpValve's request attributes.
        ipv6_canonical: write IPv6 addresses in their short form.
        clock: nanoseconds since the epoch.
        names: names of months and days; None for English.
        complain: called with the fault of a code, which affects only the code's own place in the lines.
    """

    def __init__(
        self,
        request_attributes: bool = False,
        ipv6_canonical: bool = False,
        clock: Callable[[], int] = time.time_ns,
        names: DateNames | None = None,
        complain: Callable[[str], None] = log.error,
    ) -> None:
        self.request_attributes = request_attributes
        self.address_text = canonical_ipv6 if ipv6_canonical else str
        self.clock = clock
        self.names = names
        self.complain = complain

    def make(self, code: Code) -> str | Element:
        """The part of the line for one code; unknown codes write ``???x???``, as in Tomcat."""
        if code.name is None:
            plain = _PLAIN.get(code.letter)
            return plain(self) if plain is not None else f"???{code.letter}???"
        named = _NAMED.get(code.letter)
        return named(self, code.name) if named is not None else "???"

    def remote_address(self, kind: str = "remote") -> Element:
        """``%a``, ``%{remote}a``, ``%{peer}a``: the client, or the other end of the TCP connection."""
        text = self.address_text
        if kind not in ("remote", "peer"):
            self.complain(f"Invalid remote address type [{kind}], using remote (non-peer) address")
        if kind == "peer":
            return lambda request, _response, _time_ns: text(request.peer_addr or request.remote_addr or "-")
        if self.request_attributes:
            return lambda request, _response, _time_ns: text(
                str(request.attributes.get(REMOTE_ADDR_ATTRIBUTE) or request.remote_addr or "-")
            )
        return lambda request, _response, _time_ns: text(request.remote_addr or "-")

    def remote_host(self) -> Element:
        """``%h``: the client's name if the connector looks up names, otherwise its address."""
        text = self.address_text
        if self.request_attributes:
            return lambda request, _response, _time_ns: text(
                str(request.attributes.get(REMOTE_HOST_ATTRIBUTE) or request.remote_host or "-")
            )
        return lambda request, _response, _time_ns: text(request.remote_host or "-")

    def local_address(self) -> str:
        """``%A``: the address of this machine, the same for all requests."""
        try:
            address = socket.gethostbyname(socket.gethostname())
        except OSError:
            address = "127.0.0.1"
        return self.address_text(address)

    def protocol(self) -> Element:
        """``%H``"""
        if self.request_attributes:
            return lambda request, _response, _time_ns: str(
                request.attributes.get(PROTOCOL_ATTRIBUTE) or request.protocol
            )
        return lambda request, _response, _time_ns: request.protocol

    def server_name(self) -> Element:
        """``%v``"""
        text = self.address_text
        if self.request_attributes:
            return lambda request, _response, _time_ns: text(
                str(request.attributes.get(SERVER_NAME_ATTRIBUTE) or request.server_name or "-")
            )
        return lambda request, _response, _time_ns: text(request.server_name or "-")

    def port(self, kind: str = "local") -> Element:
        """``%p``, ``%{local}p``: the port that the client named; ``%{remote}p``: the client's own."""
        if kind == "remote":
            return lambda request, _response, _time_ns: str(request.remote_port)
        if kind != "local":
            self.complain(f"Invalid port type [{kind}], using server (local) port")
        if self.request_attributes:
            return lambda request, _response, _time_ns: str(
                request.attributes.get(SERVER_PORT_ATTRIBUTE) or request.server_port
            )
        return lambda request, _response, _time_ns: str(request.server_port)

    def identifier(self, kind: str) -> str | Element:
        """``%{c}L``: the number of the connection."""
        if kind != "c":
            self.complain(f"Invalid identifier type [{kind}]")
            return "???"
        return lambda request, _response, _time_ns: str(request.connection_id)

    def date(self, name: str = "") -> str | Element:
        """``%t``, ``%{...}t``; a wrong pattern affects only its own place in the lines, not the server's start."""
        try:
            return date_element(name, self.clock, self.names)
        except ValueError as error:
            self.complain(f"Invalid date pattern in %{{{name}}}t of the access log, writing ??? in its place: {error}")
            return "???"


def _request_line(request: Request, _response: Response, _time_ns: int) -> str:
    method = request.method
    if not method:
        return "-"  # the request line could not be read
    return f"{method} {request_uri(request)}{query_string(request, '?', '')} {request.protocol}"


def _session_id(request: Request, _response: Response, _time_ns: int) -> str:
    session = request.get_session(False)
    return "-" if session is None else session.id


def _connection_status(_request: Request, response: Response, _time_ns: int) -> str:
    """``X`` for an answer that was aborted, ``+`` for a connection that stays open, ``-`` for one that is closed."""
    if isinstance(response.exception, ClientAbortException):
        return "X"
    if (response.get_header("Connection") or "").lower() == "close":
        return "-"
    will_close = getattr(response.outlet, "will_close", None)
    return "-" if will_close is not None and will_close(response) else "+"


def _first_byte(request: Request, response: Response, time_ns: int) -> str:
    """The time of the first byte. A short answer leaves right after it was logged, so for it the time is now."""
    committed = response.commit_time_ns
    return str((committed - request.start_time_ns if committed else time_ns) // 1_000_000)


def _joined(values: Iterable[str]) -> str:
    return ",".join([escape(value) for value in values]) or "-"


def _cookie(name: str) -> Element:
    return lambda request, _response, _time_ns: escape(",".join(request.cookies.get(name, ())))


def _request_header(name: str) -> Element:
    lower = name.lower()
    return lambda request, _response, _time_ns: _joined(request.headers.get_all(lower))


def _response_header(name: str) -> Element:
    by_connection = _BY_CONNECTION.get(name.lower())
    if by_connection is None:
        return lambda _request, response, _time_ns: _joined(response.get_headers(name))

    def write(_request: Request, response: Response, _time_ns: int) -> str:
        values = response.get_headers(name)
        return _joined(values) if values else by_connection(response)

    return write


def _length_to_send(response: Response) -> str:
    length = response.length_to_send
    return "-" if length < 0 else str(length)


def _date_to_send(response: Response) -> str:
    """The head leaves now, or left a while ago."""
    since = time.monotonic_ns() - response.commit_time_ns if response.commit_time_ns else 0
    return formatdate(time.time() - since / 1e9, usegmt=True)


#: Fields that the connection adds to those of the application.
_BY_CONNECTION: dict[str, Callable[[Response], str]] = {"content-length": _length_to_send, "date": _date_to_send}


def _object_text(value: object) -> str:
    return "-" if value is None else escape(str(value))


def _request_attribute(name: str) -> Element:
    return lambda request, _response, _time_ns: _object_text(request.attributes.get(name))


def _session_attribute(name: str) -> Element:
    def write(request: Request, _response: Response, _time_ns: int) -> str:
        session = request.get_session(False)
        return "-" if session is None else _object_text(session.get_attribute(name))

    return write


def _bytes_or_dash(_request: Request, response: Response, _time_ns: int) -> str:
    return str(bytes_sent(response) or "-")


_PLAIN: dict[str, Callable[[ElementFactory], str | Element]] = {
    "%": lambda _factory: "%",
    "a": ElementFactory.remote_address,
    "A": ElementFactory.local_address,
    "b": lambda _factory: _bytes_or_dash,
    "B": lambda _factory: lambda _request, response, _time_ns: str(bytes_sent(response)),
    "D": lambda _factory: elapsed_element("us"),
    "F": lambda _factory: _first_byte,
    "h": ElementFactory.remote_host,
    "H": ElementFactory.protocol,
    "I": lambda _factory: thread_name,
    "l": lambda _factory: "-",  # nobody asks identd, and Tomcat does not either
    "m": lambda _factory: lambda request, _response, _time_ns: request.method,
    "p": ElementFactory.port,
    "q": lambda _factory: lambda request, _response, _time_ns: query_string(request, "?", "-"),
    "r": lambda _factory: _request_line,
    "s": lambda _factory: lambda _request, response, _time_ns: str(response.status),
    "S": lambda _factory: _session_id,
    "t": ElementFactory.date,
    "T": lambda _factory: elapsed_element("s"),
    "u": lambda _factory: lambda request, _response, _time_ns: escape(request.remote_user),
    "U": lambda _factory: lambda request, _response, _time_ns: request_uri(request),
    "v": ElementFactory.server_name,
    "X": lambda _factory: _connection_status,
}
_NAMED: dict[str, Callable[[ElementFactory, str], str | Element]] = {
    "a": ElementFactory.remote_address,
    "c": lambda _factory, name: _cookie(name),
    "i": lambda _factory, name: _request_header(name),
    "L": ElementFactory.identifier,
    "o": lambda _factory, name: _response_header(name),
    "p": ElementFactory.port,
    "r": lambda _factory, name: _request_attribute(name),
    "s": lambda _factory, name: _session_attribute(name),
    "t": ElementFactory.date,
    "T": lambda _factory, name: elapsed_element(name),
}
