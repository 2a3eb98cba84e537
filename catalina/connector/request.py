"""One request as valves see it (Tomcat: connector/Request.java)."""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.headers import Headers
from catalina.connector.parameters import ParameterLimitError, body_parameters, parse_cookies, query_parameters
from catalina.connector.request_input import EMPTY_INPUT, RequestInput
from catalina.connector.request_session import (
    change_session_id,
    delete_session_cookie,
    find_or_create_session,
    send_session_cookie,
)
from catalina.errors import InvalidSessionError
from catalina.session.session_facade import SessionFacade

if TYPE_CHECKING:
    from catalina.connector.carried import Context, Host, RequestConnector, Wrapper
    from catalina.connector.in_progress import InProgress
    from catalina.connector.response import Response
    from catalina.session.session import Principal, Session

__all__ = ["Request"]

#: Request attributes: the parameters are beyond a limit, and the limit (Tomcat: Globals.PARAMETER_PARSE_FAILED_ATTR).
PARSE_FAILED = "org.apache.catalina.parameter_parse_failed"
PARSE_FAILED_REASON = "org.apache.catalina.parameter_parse_failed_reason"
#: The beginning of every environ (PEP 3333), with room for the common entries, so that a copy need not grow. The
#: runner's role moves between threads, so ``wsgi.multithread`` is true.
ENVIRON_BASE: dict[str, Any] = {
    "REQUEST_METHOD": "",
    "SCRIPT_NAME": "",
    "PATH_INFO": "",
    "QUERY_STRING": "",
    "REQUEST_URI": "",
    "SERVER_PROTOCOL": "",
    "SERVER_NAME": "",
    "SERVER_PORT": "",
    "REMOTE_ADDR": "",
    "REMOTE_PORT": "",
    "wsgi.url_scheme": "",
    "wsgi.input": None,
    "wsgi.file_wrapper": None,
    "catalina.session": None,
    "catalina.context": None,
    "catalina.servlet": None,
    "catalina.dispatcher_type": "",
    "org.apache.catalina.ASYNC_SUPPORTED": False,
    "org.apache.catalina.core.DISPATCHER_TYPE": "",
    "org.apache.catalina.core.DISPATCHER_REQUEST_PATH": "",
    "org.apache.tomcat.peerAddr": "",
    "org.apache.tomcat.sendfile.support": False,
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
    "SERVER_SOFTWARE": "Apache Tomcat/10.1 catalina",
}


#: Remembered ports; a connection has the same with all its requests, but clients come with ever new ones.
REMEMBERED_PORTS = 1024


class _Ports(dict[int, str]):
    """A port as text."""

    def __missing__(self, port: int) -> str:
        if len(self) >= REMEMBERED_PORTS:
            self.clear()
        text = self[port] = str(port)
        return text


_PORTS = _Ports()

#: The path parameters of most URIs.
NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def to_wsgi_text(text: str, encoding: str = "utf-8") -> str:
    """Text in the form of PEP 3333: each character is one byte of the encoded form."""
    return text if text.isascii() else text.encode(encoding, "surrogateescape").decode("latin-1")


def from_wsgi_text(text: str) -> str:
    """The path that a text of the environ stands for; bytes that are no UTF-8 are kept as surrogates."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


class Request:
    """A request on its way through the pipelines.

    A valve may set plain attributes (RemoteIpValve sets ``remote_addr``, ``secure`` ...); the valves behind it and the
    application see them.

    Args:
        connection: the facts that it shares with other requests of its connection.
        method: as sent.
        request_uri: as sent, undecoded, without the query; characters are bytes (latin-1).
        query_string: as sent, None when there is no ``?``.
        protocol: ``HTTP/1.1`` and such.
        headers: the header fields.
        body: the body; a shared empty one when the request has none.
    """

    method: str
    request_uri: str
    query_string: str | None
    protocol: str
    headers: Headers
    input: RequestInput
    #: Set by the connection that makes the request, right after it.
    response: Response
    start_time_ns: int
    connector: RequestConnector
    remote_addr: str
    remote_port: int
    #: Limit of this request's parameters, in place of the connector's; None for the connector's.
    max_parameter_count: int | None
    #: Charset of a form body, in place of the client's; None leaves the choice to the client.
    character_encoding: str | None
    #: The other end of the TCP connection, when a valve has put another client into ``remote_addr``.
    peer_addr: str
    #: Names the connection in logs.
    connection_id: str
    local_addr: str
    local_name: str
    local_port: int
    scheme: str
    secure: bool
    server_name: str
    server_port: int
    content_length: int
    #: Decoded, normalised, without path parameters: the path that is mapped.
    decoded_uri: str
    path_parameters: Mapping[str, str]
    #: The results of the mapper; None when it has found none.
    host: Host | None
    context: Context | None
    wrapper: Wrapper | None
    #: The path of the context in the client's spelling, empty for ROOT.
    context_path: str
    servlet_path: str
    path_info: str | None
    principal: Principal | None
    auth_type: str | None
    requested_session_id: str | None
    requested_session_id_from_cookie: bool
    requested_session_id_from_url: bool
    #: AJP: the proxy has authenticated ``proxy_user``, but the Realm decides about his roles (tomcatAuthorization).
    remote_user_needs_authorization: bool
    #: True while the client waits for ``100 Continue`` before it sends the body.
    expects_continue: bool
    #: TLS: the connection's socket, for client certificates that are read late.
    tls_socket: ssl.SSLSocket | None
    #: Called once to send ``100 Continue``; None when the client does not wait for it.
    on_acknowledge: Callable[[], None] | None
    #: Where the request counts as one that is inside its application; None before and after.
    progress: InProgress | None
    _session: Session | None
    _session_facade: SessionFacade | None
    _remote_host: str | None
    _parameters: dict[str, list[str]] | None
    _cookies: Mapping[str, Sequence[str]] | None
    _attributes: dict[str, Any] | None
    _notes: dict[str, Any] | None
    _remote_user: str | None
    _released: bool
    # Slots, because every request has all of them: a dictionary of its own would be five times as large.
    __slots__ = tuple(__annotations__)

    def __init__(
        self,
        connection: ConnectionFacts,
        method: str,
        request_uri: str,
        query_string: str | None = None,
        protocol: str = "HTTP/1.1",
        headers: Headers | None = None,
        body: RequestInput = EMPTY_INPUT,
    ) -> None:
        self.connector = connection.connector
        self.remote_addr = connection.remote_addr
        self.remote_port = connection.remote_port
        self.local_addr = connection.local_addr
        self.local_name = connection.local_name
        self.local_port = connection.local_port
        self.scheme = connection.scheme
        self.secure = connection.secure
        self.method = method
        self.request_uri = request_uri
        self.query_string = query_string
        self.protocol = protocol
        self.headers = headers if headers is not None else Headers()
        self.input = body
        self.start_time_ns = time.monotonic_ns()
        self.max_parameter_count = self.character_encoding = None
        self.server_name = self.peer_addr = self.connection_id = ""
        self.server_port = 80
        self.content_length = -1
        self.decoded_uri = self.context_path = self.servlet_path = ""
        self.path_parameters = NO_PARAMETERS
        self.host = self.context = self.wrapper = self.path_info = None
        self.principal = self.auth_type = self.requested_session_id = None
        self.requested_session_id_from_cookie = self.requested_session_id_from_url = False
        self.remote_user_needs_authorization = self.expects_continue = self._released = False
        self.tls_socket = self.on_acknowledge = None
        self._session = self._session_facade = self.progress = None
        self._remote_host = self._remote_user = self._parameters = self._cookies = self._attributes = self._notes = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.request_uri!r} from {self.remote_addr}>"

    @property
    def attributes(self) -> dict[str, Any]:
        """Request attributes; each is in the environ under its own name."""
        if self._attributes is None:
            self._attributes = {}
        return self._attributes

    @property
    def notes(self) -> dict[str, Any]:
        """Objects that container components leave for each other; the application does not see them."""
        if self._notes is None:
            self._notes = {}
        return self._notes

    @property
    def content_type(self) -> str | None:
        """The Content-Type field, None when there is none."""
        return self.headers.get("content-type")

    @property
    def remote_host(self) -> str:
        """The client's host name if the connector's enableLookups is on (DNS, may wait), otherwise its address."""
        if self._remote_host is None:
            lookup = self.connector.enable_lookups
            self._remote_host = self.connector.host_name_of(self.remote_addr) if lookup else self.remote_addr
        return self._remote_host

    @remote_host.setter
    def remote_host(self, name: str) -> None:
        self._remote_host = name

    @property
    def known_remote_host(self) -> str | None:
        """The client's host name, if it is known without looking it up."""
        return self._remote_host

    @property
    def remote_user(self) -> str | None:
        """Name of the principal, or the proxy's user when nobody is logged in here.

        A user is hidden until the Realm has decided about his roles.
        """
        if self._remote_user is not None and not self.remote_user_needs_authorization:
            return self._remote_user
        return None if self.principal is None else str(self.principal.name)

    @remote_user.setter
    def remote_user(self, name: str | None) -> None:
        self._remote_user = name

    @property
    def proxy_user(self) -> str | None:
        """The user that the proxy has authenticated, authorised here or not."""
        return self._remote_user

    @property
    def request_url(self) -> str:
        """``https://shop.example.org/cart`` without the query."""
        default = self.server_port == (443 if self.scheme == "https" else 80)
        port = "" if default or self.server_port <= 0 else f":{self.server_port}"
        return f"{self.scheme}://{self.server_name}{port}{self.request_uri}"

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Parameters of the query and of a form body, in that order.

        The application can read the body again.

        Raises:
            LimitError: more than maxParameterCount parameters, or a form larger than maxPostSize.
        """
        if self._parameters is None:
            try:
                parameters = query_parameters(self)
                body_parameters(self, parameters)
            except ParameterLimitError as error:
                self.attributes[PARSE_FAILED] = True
                self.attributes[PARSE_FAILED_REASON] = error.reason
                raise
            self._parameters = parameters
        return self._parameters

    @property
    def known_parameters(self) -> dict[str, list[str]]:
        """The parameters of the query, and those of a form body if :attr:`parameters` was read; this reads nothing.

        Raises:
            LimitError: more than maxParameterCount parameters.
        """
        return query_parameters(self) if self._parameters is None else self._parameters

    @property
    def cookies(self) -> Mapping[str, Sequence[str]]:
        """Name -> values in the order they came (a browser sends the most specific path first)."""
        if self._cookies is None:
            context = self.context
            names = context is None or context.cookie_processor.cookies_without_equals == "name"
            self._cookies = parse_cookies(self.headers, self.connector.max_cookie_count, names)
        return self._cookies

    def replace_content(self, method: str, headers: Headers, body: RequestInput) -> None:
        """Become another request for the same path: FORM repeats the one that the login has interrupted."""
        self.method, self.headers, self.input = method, headers, body
        self._parameters = self._cookies = None

    def acknowledge(self) -> None:
        """Send ``100 Continue`` if the client waits for it and has not been told yet."""
        if self.expects_continue and self.on_acknowledge is not None:
            self.expects_continue = False
            self.on_acknowledge()

    # Sessions

    def get_session(self, create: bool = True) -> Session | None:
        """The session of this request, made if there is none and ``create``; None outside a context.

        Raises:
            InvalidSessionError: a session would have to be made, but the response's head has left.
        """
        session = self._session
        if session is not None and session.alive:
            return session
        if self._released:  # asked by a thread that the application has left behind
            if create:
                raise InvalidSessionError("The request that this session belongs to is over")
            return None
        self._session = find_or_create_session(self, create)
        return self._session

    @property
    def session(self) -> Session | None:
        """The session that this request has used so far; reading it neither looks for one nor makes one."""
        return self._session

    def change_session_id(self) -> str:
        """Give the session a new id, and send the client the new cookie."""
        return change_session_id(self)

    def send_session_cookie(self) -> None:
        """Send the cookie of the request's session again; without a session there is nothing to send."""
        session = self.get_session(False)
        if session is not None:
            send_session_cookie(self, session.id)

    def switch_session(self, session_id: str) -> None:
        """Use another session of the application from now on, and send the client its cookie."""
        self.end_access()
        self.requested_session_id = session_id
        self.requested_session_id_from_url = False
        self.send_session_cookie()

    def delete_session_cookie(self) -> None:
        """Let the client forget its session's cookie."""
        delete_session_cookie(self)

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None:
        """Apply the application's wishes for its session's cookie, if the operator sets nothing."""
        if self.context is not None:
            self.context.prefer_session_cookie(secure, same_site, partitioned)

    @property
    def session_facade(self) -> SessionFacade:
        """``environ["catalina.session"]``."""
        if self._session_facade is None:
            self._session_facade = SessionFacade(self)
        return self._session_facade

    def end_access(self) -> None:
        """The request has ended, and no longer uses its session (Tomcat: Request.recycle)."""
        session = self._session
        if session is not None:
            self._session = None
            session.end_access()

    def release(self) -> None:
        """The answer has left: drop references back to this request, so that no garbage collection is needed."""
        self._released = True
        self._session_facade = None
        self.response = None  # type: ignore[assignment]  # nobody asks for it any more

    # WSGI

    def build_environ(self) -> dict[str, Any]:
        """The PEP 3333 environ, with ``catalina.session``, ``catalina.context`` and the request attributes."""
        environ = ENVIRON_BASE.copy()
        environ["REQUEST_METHOD"] = self.method
        script, path, info = self.context_path, self.servlet_path, self.path_info
        if "%" in script or not path.isascii() or not (info is None or info.isascii()):
            script, path = self._script_and_path()
        elif info is not None:
            script, path = script + path, info
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = script, path
        environ["QUERY_STRING"] = self.query_string or ""
        environ["REQUEST_URI"] = self.request_uri if self.query_string is None else self._uri_with_query()
        environ["SERVER_PROTOCOL"] = self.protocol
        environ["SERVER_NAME"] = self.server_name
        environ["SERVER_PORT"] = _PORTS[self.server_port]
        environ["REMOTE_ADDR"] = self.remote_addr
        environ["REMOTE_PORT"] = _PORTS[self.remote_port]
        environ["org.apache.tomcat.peerAddr"] = self.peer_addr or self.remote_addr
        environ["wsgi.url_scheme"] = self.scheme
        environ["wsgi.input"] = self.input
        headers = self.headers
        environ.update(headers.memo.cgi_fields or headers.cgi_fields())
        if self.content_length >= 0:
            environ["CONTENT_LENGTH"] = str(self.content_length)
        if self.principal is not None or self._remote_user is not None:
            user = self.remote_user
            if user is not None:
                environ["REMOTE_USER"] = user
            environ["AUTH_TYPE"] = self.auth_type or ""
            environ["catalina.principal"] = self.principal
        facade = self._session_facade
        if facade is None:  # as session_facade, without the call of a property
            self._session_facade = facade = SessionFacade(self)
        environ["catalina.session"] = facade
        if self._attributes:
            environ.update(self._attributes)
        return environ

    def _uri_with_query(self) -> str:
        return f"{self.request_uri}?{self.query_string}"

    def _script_and_path(self) -> tuple[str, str]:
        """SCRIPT_NAME and PATH_INFO.

        Only a servlet mapped by prefix (``/api/*``) is mounted below the context; for the others, as for ``/``, the
        application sees the whole path inside its context.
        """
        script = self.context_path
        if "%" in script:
            script = unquote_to_bytes(script).decode("latin-1")
        if self.path_info is None:
            return script, to_wsgi_text(self.servlet_path)
        return script + to_wsgi_text(self.servlet_path), to_wsgi_text(self.path_info)
