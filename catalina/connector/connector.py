"""``<Connector>`` (Tomcat: connector/Connector.java)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused, Element, choice, comma_list
from catalina.connector.charsets import charset, find_charset
from catalina.connector.compression import Compression
from catalina.connector.connection_factory import connection_factory
from catalina.connector.coyote_adapter import CoyoteAdapter
from catalina.connector.endpoint import Endpoint
from catalina.connector.tls_contexts import TlsContexts
from catalina.connector.uri import UriRules
from catalina.coyote.abstract_protocol import AbstractProtocol
from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.coyote.request_group_info import RequestGroupInfo
from catalina.errors import ConfigurationError, LifecycleError
from catalina.extras import is_installed, missing_package
from catalina.lifecycle import LISTENER, Lifecycle
from catalina.mbeans.object_name import ObjectName, quote
from catalina.mbeans.secrets import shown
from catalina.operations import operation

if TYPE_CHECKING:
    from catalina.connector.carried import Role, Service
    from catalina.connector.connection import Connection, ConnectionHost
    from catalina.connector.handover import Handover, Taker
    from catalina.connector.outlet import Encoder
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.reactor import Reactor
    from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig

__all__ = ["Connector"]

log = logging.getLogger("org.apache.catalina.connector.Connector")

#: The values of ``protocol``: the short names, and the classes of all Tomcats with a protocol of that kind.
PROTOCOLS: dict[str, type[AbstractProtocol]] = {
    "HTTP/1.1": Http11NioProtocol,
    "AJP/1.3": AjpNioProtocol,
    **{f"org.apache.coyote.http11.Http11{kind}Protocol": Http11NioProtocol for kind in ("", "Nio", "Nio2", "Apr")},
    **{f"org.apache.coyote.ajp.Ajp{kind}Protocol": AjpNioProtocol for kind in ("", "Nio", "Nio2", "Apr")},
    "org.apache.jk.server.JkCoyoteHandler": AjpNioProtocol,
}


def _protocol(text: str) -> str:
    if text.strip() not in PROTOCOLS:
        raise AttributeRefused("HTTP/1.1, AJP/1.3 or the class of a Tomcat protocol handler")
    return text.strip()


class Connector(Lifecycle):
    """A port, its protocol, and the settings for its requests.

    ``protocol_handler`` has the attributes of the protocol; the XML names of both are set here.
    """

    bean_operations = (
        "init",
        "start",
        "stop",
        "destroy",
        "drain",
        "undrain",
        "reload_ssl_host_configs",
    )

    allow_backslash = Attribute(bool, False, doc="A backslash in a path is a slash; false makes it 400.")
    allow_trace = Attribute(bool, False, doc="Let TRACE through to applications; false answers 405.")
    async_timeout = Attribute(int, 30_000, unit="ms", inert="WSGI has no asynchronous processing")
    discard_facades = Attribute(bool, True, inert="requests are never used again here")
    enable_lookups = Attribute(bool, False, doc="remote_host asks DNS, which may take seconds per request.")
    encoded_reverse_solidus_handling = Attribute(
        choice("decode", "reject", "passthrough"), "decode", doc="The treatment of %5C in a path."
    )
    encoded_solidus_handling = Attribute(
        choice("reject", "decode", "passthrough"), "reject", doc="The treatment of %2F in a path; reject is 400."
    )
    enforce_encoding_in_get_writer = Attribute(bool, True, inert="WSGI bodies are bytes")
    max_cookie_count = Attribute(int, 200, doc="Cookies per request, more are 400; negative: no limit.")
    max_parameter_count = Attribute(int, 10_000, doc="Query and form parameters per request, more are 400.")
    max_part_count = Attribute(int, 50, inert="applications parse multipart bodies themselves")
    max_part_header_size = Attribute(int, 512, unit="bytes", inert="applications parse multipart bodies themselves")
    max_post_size = Attribute(
        int,
        2 * 2**20,
        unit="bytes",
        doc="Form bytes that the container itself turns into parameters; negative: no limit.",
    )
    max_save_post_size = Attribute(int, 4096, unit="bytes", doc="Body bytes kept during a FORM login; -1: no limit.")
    parse_body_methods = Attribute(comma_list, comma_list("POST"), doc="Methods whose form bodies become parameters.")
    port = Attribute(int, -1, doc="TCP port; 0 is any free one, -1 none.")
    port_offset = Attribute(int, 0, inert="the Server's portOffset is added")
    protocol = Attribute(_protocol, "HTTP/1.1", doc="HTTP/1.1, AJP/1.3, or the class name of a protocol handler.")
    protocol_handler_class_name = Attribute(_protocol, None, doc="Old form of protocol.")
    proxy_name = Attribute(str, None, doc="Host name that requests report, behind a proxy that does not pass it on.")
    proxy_port = Attribute(int, 0, doc="Port that requests report; 0 is the real one.")
    redirect_port = Attribute(int, 443, doc="Port that a request is redirected to when it needs TLS.")
    reject_suspicious_uris = Attribute(
        bool, False, xml="rejectSuspiciousURIs", doc="400 for what Servlet 6.0 calls suspicious, such as /..;/ and %2e."
    )
    scheme = Attribute(str, "http", doc="Scheme that requests report.")
    secure = Attribute(bool, False, doc="True makes requests count as secure; for ports behind a TLS proxy.")
    throw_on_failure = Attribute(bool, False, doc="The server does not start when this connector cannot.")
    uri_encoding = Attribute(charset, "UTF-8", xml="URIEncoding", doc="Charset of URIs; what is not of it is 400.")
    use_body_encoding_for_uri = Attribute(
        bool, False, xml="useBodyEncodingForURI", doc="Decode query parameters with the charset of the Content-Type."
    )
    use_ipv_hosts = Attribute(bool, False, xml="useIPVHosts", doc="Choose the Host by the local IP address.")
    worker_ports = Attribute(
        bool,
        False,
        doc="Beyond Tomcat: in a node with workers, worker 0 listens on the port, worker 1 on the next one, and so on. "
        "Each adds its number to the jvmRoute (n1-0, n1-1), for balancers that choose the worker.",
    )
    xpowered_by = Attribute(bool, False, xml="xpoweredBy", doc="Send X-Powered-By.")

    elements = {
        "Listener": LISTENER,
        "SSLHostConfig": Element(
            add=lambda connector, config: connector.add_ssl_host_config(config),
            default="org.apache.tomcat.util.net.SSLHostConfig",
        ),
        "UpgradeProtocol": Element(add=lambda connector, upgrade: connector.add_upgrade_protocol(upgrade)),
    }

    #: The Service; set before init.
    service: Service | None = None

    def __init__(self, **values: Any) -> None:
        self.protocol_handler: AbstractProtocol = Http11NioProtocol()
        self.protocol_handler.connector = self
        self._given: dict[str, str] = {}  # protocol attributes as written, because `protocol` may come after them
        self._refused: set[str] = set()  # those of them that could not be understood
        self.ssl_host_configs: list[SSLHostConfig] = []
        self.upgrade_protocols: list[Any] = []
        #: Counts of served requests, which continue over a restart of the connector.
        self.request_info = RequestGroupInfo(keeps_times=True)
        self._endpoint: Endpoint | None = None
        self._inherited: Sequence[socket.socket] = ()
        self._compression: Compression | None = None
        #: True when any response may be compressed.
        self.compresses = False
        #: TLS contexts of an SSLEnabled connector, from init on.
        self.tls: TlsContexts | None = None
        super().__init__(**values)
        if "protocol" in values:
            self._choose_protocol(values["protocol"])

    def __str__(self) -> str:
        return f'Connector["{self.name}"]'

    # Attributes

    def set_attribute(self, name: str, text: str) -> bool:
        """Set an attribute of the connector, or of its protocol.

        Tomcat reads ``protocol`` first, wherever it stands. So attributes before it are set again on the new protocol,
        and a warning at init names those that only another protocol knows.
        """
        if name not in self.attributes() and name not in self.protocol_handler.attributes():
            name = name[:1].lower() + name[1:]  # Server= sets server, as setServer() does in Java
        declaration = type(self).attributes().get(name)
        if declaration is not None:
            known = super().set_attribute(name, text)
            if declaration.name in ("protocol", "protocol_handler_class_name"):
                self._choose_protocol(getattr(self, declaration.name))
            return known
        if name not in self.protocol_handler.attributes() and not (
            "protocol" not in self.__dict__ and name in AjpNioProtocol.attributes()
        ):
            return False
        self._given[name] = text
        try:
            self.protocol_handler.set_attribute(name, text)
        except AttributeRefused:
            self._refused.add(name)
            raise
        return True

    def _choose_protocol(self, name: str) -> None:
        self.protocol_handler = PROTOCOLS[name]()
        self.protocol_handler.connector = self
        for given, text in self._given.items():
            try:
                self.protocol_handler.set_attribute(given, text)
            except AttributeRefused as refused:
                if given not in self._refused:  # otherwise the digester has reported it already
                    place = f"{self.place} <Connector>: " if self.place else ""
                    log.warning("%s%s=%r ignored, expected %s", place, given, text, refused.expected)

    @property
    def http(self) -> Http11NioProtocol:
        """The protocol handler of an HTTP connector."""
        if not isinstance(self.protocol_handler, Http11NioProtocol):
            raise TypeError(f"{self} does not speak HTTP")
        return self.protocol_handler

    @property
    def ajp(self) -> AjpNioProtocol:
        """The protocol handler of an AJP connector."""
        if not isinstance(self.protocol_handler, AjpNioProtocol):
            raise TypeError(f"{self} does not speak AJP")
        return self.protocol_handler

    @property
    def acknowledges_when_mapped(self) -> bool:
        """True when 100 Continue leaves as soon as a request is mapped, False when it waits for the first read."""
        return self.http.continue_response_timing != "onRead"

    @property
    def is_ajp(self) -> bool:
        """True when it speaks AJP."""
        return isinstance(self.protocol_handler, AjpNioProtocol)

    @property
    def is_tls(self) -> bool:
        """True when it speaks TLS."""
        return isinstance(self.protocol_handler, Http11NioProtocol) and self.protocol_handler.ssl_enabled

    def add_ssl_host_config(self, config: SSLHostConfig) -> None:
        """Add a TLS configuration; each has another hostName."""
        self.ssl_host_configs.append(config)

    def add_upgrade_protocol(self, upgrade: object) -> None:
        """``<UpgradeProtocol>``: HTTP/2 beside HTTP/1.1."""
        self.upgrade_protocols.append(upgrade)

    # For other parts of the server

    @property
    def name(self) -> str:
        """The name in Tomcat's logs and MBeans: ``http-nio-127.0.0.1-8080``, ``http-nio-auto-1-41234``."""
        handler = self.protocol_handler
        prefix = "https-jsse-nio" if self.is_tls else handler.name_prefix
        address = f"{handler.address.replace('/', '')}-" if handler.address else ""
        if handler.unix_domain_socket_path:
            return f"{prefix}-{handler.unix_domain_socket_path}"
        if self.port == 0:
            bound = f"-{self.local_port}" if self.local_port > 0 else ""
            return f"{prefix}-{address}auto-1{bound}"
        return f"{prefix}-{address}{self.port_with_offset}"

    def object_name(self, domain: str) -> ObjectName:
        """The name of its bean in an engine's domain."""
        address = self.protocol_handler.address
        where = {"port": str(self.port_with_offset), **({"address": quote(address)} if address else {})}
        return ObjectName(domain, {"type": "Connector", **where})

    @property
    def port_with_offset(self) -> int:
        """The bound port: the configured one plus the Server's portOffset."""
        if self.port <= 0:
            return self.port
        server = None if self.service is None else self.service.server
        return self.port + (0 if server is None else int(server.port_offset))

    @property
    def has_own_port(self) -> bool:
        """True when each worker of the node listens on a port of its own."""
        return self.worker_ports and self._workers > 1

    @property
    def _workers(self) -> int:
        server = None if self.service is None else self.service.server
        return 1 if server is None else server.workers

    @property
    def listening_port(self) -> int:
        """The port that this process binds."""
        return self.port_with_offset + (self.role.index if self.has_own_port and self.role is not None else 0)

    @property
    def redirect_port_with_offset(self) -> int:
        """redirectPort with the Server's portOffset."""
        server = None if self.service is None else self.service.server
        return self.redirect_port + (0 if server is None else int(server.port_offset))

    def map_request(self, request: Request, response: Response) -> bool:
        """Map a request again after its URI or host has changed; see :meth:`CoyoteAdapter.map_request`."""
        return CoyoteAdapter(self).map_request(request, response)

    @property
    def process_is_restarted(self) -> bool:
        """True when this process ends and another takes over its sockets."""
        server = None if self.service is None else self.service.server
        return bool(server is not None and server.restart_reason)

    @property
    def local_port(self) -> int:
        """The port that it listens on, -1 when it does not; with port 0 the one that the system chose."""
        return -1 if self._endpoint is None else self._endpoint.local_port

    @property
    def others_accept(self) -> bool:
        """Other processes of this node go on accepting connections at the same port."""
        role = self.role
        return role is not None and role.others_serve and not self.has_own_port

    @property
    def role(self) -> Role | None:
        """The role of this process in a node of several processes; None when the process is the whole node."""
        server = None if self.service is None else self.service.server
        return None if server is None else server.role

    @property
    def connection_count(self) -> int:
        """Connections that are open."""
        return 0 if self._endpoint is None else len(self._endpoint.connections)

    @property
    def thread_limit(self) -> int:
        """Requests that may run at the same time."""
        running = self._endpoint if self.state.available else None
        return self.protocol_handler.max_threads if running is None else running.executor.max_threads

    @property
    def reactor(self) -> Reactor:
        """The server's loop.

        Raises:
            LifecycleError: the connector belongs to no server.
        """
        server = self.service.server if self.service is not None else None
        if server is None:
            raise LifecycleError(f"{self} belongs to no server: there is no loop to run in")
        return server.reactor

    @property
    def endpoint(self) -> Endpoint:
        """Sockets and connections.

        Raises:
            LifecycleError: it is not initialised.
        """
        if self._endpoint is None:
            raise LifecycleError(f"{self} has no endpoint in state {self.state.label}")
        return self._endpoint

    def choose_encoder(self, request: Request, response: Response, size: int, complete: bool) -> Encoder | None:
        """The content coding for a response that is about to be committed; its header fields are set for it."""
        return None if self._compression is None else self._compression.choose(request, response, size, complete)

    def uri_rules(self) -> UriRules:
        """The rules that decode the paths of this connector's requests."""
        return UriRules(
            find_charset(self.uri_encoding) or "utf-8",
            self.encoded_solidus_handling,
            self.encoded_reverse_solidus_handling,
            self.allow_backslash,
            self.reject_suspicious_uris,
        )

    @staticmethod
    @lru_cache(maxsize=1024)
    def host_name_of(address: str) -> str:
        """Reverse DNS, the address itself when there is no name. Waits for DNS."""
        try:
            return socket.gethostbyaddr(address)[0]
        except OSError:
            return address

    # Lifecycle

    def inherit(self, sockets: Sequence[socket.socket]) -> None:
        """Use sockets that another process has bound, instead of binding at init."""
        self._inherited = sockets

    def hand_on(self, take: Taker) -> None:
        """Let another process continue with the connections that are idle when this connector pauses."""
        if self._endpoint is not None:
            self._endpoint.taker = take

    def adopt(self, handover: Handover) -> None:
        """Continue a connection that a connector of another process has left (:meth:`Response.hand_over`).

        The client sees one connection. The request is parsed and mapped again, so code that decides if it belongs here
        is asked again. Any thread.

        Raises:
            ValueError: this connector speaks TLS or AJP; the caller keeps the socket.
            LifecycleError: it does not run; the caller keeps the socket.
        """
        self.endpoint.adopt(handover)

    def serve(self, sock: socket.socket, make: Callable[[ConnectionHost], Connection]) -> None:
        """Serve a connection of whatever kind that was accepted elsewhere. Any thread.

        Raises:
            LifecycleError: it does not run; the caller keeps the socket.
        """
        self.endpoint.serve(sock, lambda: make(self.endpoint))

    def _init(self) -> None:
        self._warn_of_leftovers()
        self._check()
        if self.http2 is not None and not is_installed("hpack"):
            log.warning("%s: HTTP/1.1 is served and HTTP/2 is not: %s", self, missing_package("hpack"))
            self.upgrade_protocols.clear()
        listens = self.role is None or self.role.listens
        if self.is_tls and listens:
            self.tls = TlsContexts(self.http, self.ssl_host_configs, self._base(), self._alpn(), self.place)
        self._endpoint = Endpoint(self)
        logging.getLogger(self.protocol_handler.logger_name).info('Initializing ProtocolHandler ["%s"]', self.name)
        if self._inherited:
            self._endpoint.inherit(self._inherited)
        elif not listens:  # other processes pass requests on to this one
            return
        elif self.has_own_port:
            self._endpoint.try_ports(range(self.port_with_offset, self.port_with_offset + self._workers))
        elif self.protocol_handler.bind_on_init:
            self._endpoint.bind()
            if self.protocol_handler.listen_on_init:
                self._endpoint.listen()

    def _start(self) -> None:
        self.settle_attributes()
        logging.getLogger(self.protocol_handler.logger_name).info('Starting ProtocolHandler ["%s"]', self.name)
        if isinstance(self.protocol_handler, Http11NioProtocol):
            self._compression = Compression.of(self.protocol_handler)
            self.compresses = self._compression is not None
        self.endpoint.start(CoyoteAdapter(self), connection_factory(self))

    @property
    def draining(self) -> bool:
        """True while it serves for the last time: health checks report that, and connections end with their next
        answer.
        """
        return self._endpoint is not None and self._endpoint.ending

    def drain(self) -> None:
        """Continue to serve, but let load balancers see that this will end (:attr:`draining`)."""
        if self._endpoint is not None:
            self._endpoint.ending = True

    def undrain(self) -> None:
        """Undo :meth:`drain`."""
        if self._endpoint is not None and not self._endpoint.paused:
            self._endpoint.ending = False

    @operation(lasting="pause")
    def pause(self) -> None:
        """Accept no more connections; requests in flight continue, and end their connections."""
        if self._endpoint is None or not self.state.available:
            return
        logging.getLogger(self.protocol_handler.logger_name).info('Pausing ProtocolHandler ["%s"]', self.name)
        self._endpoint.pause()

    def stop_listening(self) -> None:
        """Let new clients be refused, while accepted ones are served."""
        if self._endpoint is not None and self.state.available:
            self._endpoint.stop_listening()

    def await_accepted(self) -> None:
        """Wait a moment for requests of connections that were accepted before :meth:`pause`."""
        if self._endpoint is not None and self.state.available:
            self._endpoint.await_accepted()

    @operation(lasting="pause")
    def resume(self) -> None:
        """Accept connections again. One that does not run, as the keeper's of a node with workers, accepts none."""
        if self._endpoint is not None and self.state.available:
            self._endpoint.resume()

    def await_drained(self, seconds: float) -> bool:
        """Wait until no request is running; returns False when the time is over first."""
        return True if self._endpoint is None else self._endpoint.await_drained(seconds)

    def _stop(self) -> None:
        logging.getLogger(self.protocol_handler.logger_name).info('Stopping ProtocolHandler ["%s"]', self.name)
        if self._endpoint is not None:
            self._endpoint.stop()

    def _destroy(self) -> None:
        logging.getLogger(self.protocol_handler.logger_name).info('Destroying ProtocolHandler ["%s"]', self.name)
        if self._endpoint is not None:
            self._endpoint.close()

    def reload_ssl_host_configs(self) -> None:
        """Read keys and certificates anew; connections that are open stay.

        Raises:
            ConfigurationError: they cannot be used; the old ones stay.
        """
        if self.tls is not None:
            self.tls.reload()

    def _base(self) -> Path:
        server = None if self.service is None else self.service.server
        return Path.cwd() if server is None else server.catalina_base

    def _alpn(self) -> list[str]:
        """The protocols offered in a TLS handshake."""
        return ["h2", "http/1.1"] if self.http2 is not None else ["http/1.1"]

    @property
    def http2(self) -> Http2Protocol | None:
        """The ``<UpgradeProtocol>`` for HTTP/2, None when there is none."""
        return next((upgrade for upgrade in self.upgrade_protocols if isinstance(upgrade, Http2Protocol)), None)

    def _warn_of_leftovers(self) -> None:
        place = f"{self.place} <Connector>: " if self.place else ""
        for remark in self.configuration_remarks():
            log.warning("%s%s", place, remark)

    def configuration_remarks(self) -> Iterator[str]:
        """Remarks on attributes that only another protocol than the chosen one has."""
        known = self.protocol_handler.attributes()
        for name, text in self._given.items():
            if name not in known:
                yield f"[{self.protocol}] has no attribute {name}; value [{shown(name, text)}] ignored"

    def check_configuration(self) -> None:
        """Refuse the attributes and files that :meth:`init` would refuse, without a socket.

        Raises:
            ConfigurationError, OSError, ValueError: it would refuse something.
        """
        self._check()
        if self.is_tls:
            TlsContexts(self.http, self.ssl_host_configs, self._base(), self._alpn(), self.place)

    def _check(self) -> None:
        """Refuse an AJP connector that would believe everybody, and ports of workers that cannot be counted.

        Raises:
            ConfigurationError: secretRequired without a secret; workerPorts without a port.
        """
        handler = self.protocol_handler
        if isinstance(handler, AjpNioProtocol) and handler.secret_required and not handler.secret:
            raise ConfigurationError(
                'The AJP Connector is configured with secretRequired="true" but the secret attribute is '
                "either null or empty. This combination is not valid.",
                self.place,
            )
        if self.worker_ports and (self.port == 0 or handler.unix_domain_socket_path or handler.use_inherited_channel):
            raise ConfigurationError("workerPorts: expected a port above 0, from which the workers count", self.place)
