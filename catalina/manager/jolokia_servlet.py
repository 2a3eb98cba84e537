"""``/jolokia``: beans as JSON over HTTP, the protocol of Jolokia 2.x (Jolokia: http/AgentServlet.java)."""

from __future__ import annotations

import json
import logging
import re
import socket
import time
from collections.abc import Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from catalina.attributes import Attribute
from catalina.core.container_servlet import ContainerServlet
from catalina.core.standard_engine import StandardEngine
from catalina.errors import ConfigurationError, DeploymentError
from catalina.manager.asked import Environ, StartResponse
from catalina.manager.event_stream import EventStream, begun, most_streams
from catalina.manager.jolokia.commands import Commands, Forbidden, error_json
from catalina.manager.jolokia.discovery import GROUP, PORT, Responder
from catalina.manager.jolokia.notifications import MAX_STREAMS, TooManyStreams
from catalina.manager.jolokia.policy import Policy, read_policy, same_origin
from catalina.manager.jolokia.request import BadRequest, JolokiaRequest, Parameters, from_json, from_path
from catalina.mbeans.audit import Caller
from catalina.realm.lock_out_realm import LockOutRealm

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig
    from catalina.reactor import Reactor

__all__ = ["JolokiaServlet"]

log = logging.getLogger("org.apache.catalina.manager.JolokiaServlet")

#: Bytes of a POST, and requests in one.
MAX_BODY, MAX_BULK = 4 * 2**20, 1000
MAX_PARAMETERS = 100
_CALLBACK = re.compile(r"[$A-Z_][0-9A-Z_$]*", re.IGNORECASE)
#: Seconds for which a browser may remember the answer to a preflight.
PREFLIGHT_SECONDS = 7200


class JolokiaServlet(ContainerServlet):
    """GET and POST; the application's constraints, and for each bean the policy file, decide who may ask."""

    policy_location = Attribute(
        str, "conf/jolokia-access.xml", doc="Policy file, relative to CATALINA_BASE; without the file all is allowed."
    )
    mime_type = Attribute(str, "application/json", doc="Type of answers: application/json or text/plain.")
    include_request = Attribute(bool, True, doc="Show the request in its answer.")
    discovery_enabled = Attribute(bool, False, doc="Answer those who look for agents by multicast.")
    discovery_agent_url = Attribute(
        str, None, doc="The address that they are told, which switches the answers on; else that of the connector."
    )
    agent_description = Attribute(str, None, doc="Free text for those who look for agents.")
    multicast_group = Attribute(str, GROUP, doc="IPv4 multicast address where agents look for one another.")
    multicast_port = Attribute(int, PORT, doc="Its port.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._policy = Policy()
        self._commands: Commands
        self._responder: Responder | None = None

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Read the policy.

        Raises:
            DeploymentError: it cannot be used, or there is no server.
        """
        server = context.server
        if server is None:
            raise DeploymentError(f"{context}: there is no server, and so there are no beans")
        file = context.host.catalina_base / self.policy_location
        if file.exists():
            try:
                self._policy = read_policy(file)
            except ConfigurationError as error:
                raise DeploymentError(str(error)) from error
        if context.realm is not None and not isinstance(context.realm, LockOutRealm):
            log.warning("The realm of [%s] is no LockOutRealm: whoever reaches it can try passwords without end",
                        context.name)  # fmt: skip
        config = context.login_config
        realm = (config.realm_name if config else "") or ""
        self._commands = Commands(server.mbeans, self._policy, realm, self.multicast_group, self.multicast_port)
        self._commands.show_beans()
        if self.discovery_enabled or self.discovery_agent_url:
            self._be_found(context, server.reactor)

    def close_servlet(self) -> None:
        """The application stops: its beans go."""
        if self._responder is not None:
            self._responder.close()
        self._commands.hide_beans()

    def _be_found(self, context: StandardContext, reactor: Reactor) -> None:
        """Answer those who look for agents. A network without multicast costs only that."""
        is_secured = context.login_config is not None

        def details(address: str) -> dict[str, Any]:
            url = self.discovery_agent_url or _url_for(context, address)
            return {**self._commands.agent_details(), "url": url, "secured": is_secured,
                    "agent_description": self.agent_description}  # fmt: skip

        responder = Responder(reactor, details, self._policy.allows_address, self.multicast_group, self.multicast_port)
        try:
            responder.open()
        except (OSError, ValueError) as error:
            log.error("[%s] cannot be found by multicast at [%s:%s]: %s",
                      context.name, self.multicast_group, self.multicast_port, error)  # fmt: skip
            return
        self._responder = responder

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        origin = environ.get("HTTP_ORIGIN") or ""
        headers = self._cors(origin, environ)
        query: dict[str, str] = {}
        callback: str | None = None
        try:
            self._check_access(environ, origin)
            query = dict(reversed(parse_qsl(environ["QUERY_STRING"], True, max_num_fields=MAX_PARAMETERS)))
            callback = query.get("callback")
            if callback is not None and not _CALLBACK.fullmatch(callback):
                raise BadRequest("Invalid callback name given, which must be a valid javascript function name")
            if method == "OPTIONS":
                return self._preflight(environ, start_response, headers)
            content = self._answer(method, environ, self._parameters(query))
            if isinstance(content, EventStream):
                return begun(content, start_response, [each for each in headers if each[0] != "Cache-Control"])
        except (BadRequest, ValueError) as error:
            body = f"400 (Bad Request)\n\n{error}\n".encode()
            start_response("400 Bad Request", [*headers, ("Content-Type", "text/plain; charset=utf-8"),
                                               ("Content-Length", str(len(body)))])  # fmt: skip
            return [body]
        except Forbidden as error:
            content = {**error_json(error, None), "timestamp": int(time.time())}
        return self._send(start_response, headers, content, query.get("mimeType"), callback)

    def _parameters(self, query: dict[str, str]) -> Parameters:
        default = {} if self.include_request else {"includeRequest": "false"}
        return Parameters(default).merged(query)

    def _answer(self, method: str, environ: Environ, parameters: Parameters) -> object:
        caller = Caller("jolokia", environ.get("REMOTE_USER") or "", environ["REMOTE_ADDR"])
        if not self._policy.allows_method(method):
            raise Forbidden(f"HTTP method {method.lower()} is not allowed according to the given security policy")
        if method in ("GET", "HEAD"):
            request = from_path(_path_of(environ), parameters)
            if request.opens_stream and method == "GET":
                return self._stream(request, environ)
            return self._commands.answer(request, caller)
        if method != "POST":
            raise BadRequest(f"HTTP method {method} is not supported")
        given = _json_of(environ)
        if not isinstance(given, list):
            request = from_json(given, parameters)
            return self._stream(request, environ) if request.opens_stream else self._commands.answer(request, caller)
        if len(given) > MAX_BULK:
            raise BadRequest(f"{len(given)} requests at once, limit {MAX_BULK}")
        # All requests are parsed before the first is executed, so that a mistake in the last one leaves nothing half
        # done.
        requests = [from_json(each, parameters) for each in given]
        return [self._commands.answer(request, caller) for request in requests]

    def _stream(self, request: JolokiaRequest, environ: Environ) -> object:
        """A stream of notifications, or the answer that says why there is none."""
        context, clients = self.wrapper.context, self._commands.notifications
        server, command = context.server, request.notification
        if not self._policy.allows_command("notification"):
            raise Forbidden("Command notification is not allowed")
        if command is None or server is None:
            raise BadRequest("No command given")
        last = environ.get("HTTP_LAST_EVENT_ID") or ""
        try:
            frames = clients.open(
                command, int(last) if last.isascii() and last.isdecimal() else None, most_streams(server, MAX_STREAMS)
            )
        except (ValueError, TooManyStreams) as error:
            return {**error_json(error, request), "request": request.to_json(), "timestamp": int(time.time())}
        return EventStream(context, server, clients.leave, frames)

    # -- access ----------------------------------------------------------------------------------------------------

    def _check_access(self, environ: Environ, origin: str) -> None:
        if not self._policy.allows_address(environ["REMOTE_ADDR"]):
            raise Forbidden(f"No access from client {environ['REMOTE_ADDR']} allowed")
        if origin and not self._is_good_origin(origin, environ):
            raise Forbidden(f"Origin {origin} is not allowed to call this agent")
        if not origin and self._policy.strict:
            raise Forbidden("Origin null is not allowed to call this agent")
        site, destination = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_SEC_FETCH_DEST")
        if not origin and site == "cross-site" and (destination or "") != "":
            # Such a request comes from a link, an image or a form on another site, in the browser of a user who is
            # logged in.
            raise Forbidden("Access Denied")

    def _is_good_origin(self, origin: str, environ: Environ) -> bool:
        host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
        return same_origin(origin, environ["wsgi.url_scheme"], host) or self._policy.allows_origin(origin)

    def _cors(self, origin: str, environ: Environ) -> list[tuple[str, str]]:
        headers = [("Cache-Control", "no-cache"), ("Expires", formatdate(time.time() - 3600, usegmt=True)),
                   ("X-Content-Type-Options", "nosniff")]  # fmt: skip
        if origin:
            headers.append(("Vary", "Origin"))
            if self._policy.allows_origin(origin):
                headers += [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
        return headers

    def _preflight(
        self, environ: Environ, start_response: StartResponse, headers: list[tuple[str, str]]
    ) -> Iterable[bytes]:
        if environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") not in ("GET", "POST"):
            raise BadRequest("HTTP Method OPTIONS is supported only for CORS preflight requests.")
        methods = [method for method in ("GET", "POST") if self._policy.allows_method(method)]
        headers.append(("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)))
        headers.append(("Access-Control-Allow-Methods", ", ".join(methods)))
        wanted = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
        if wanted:
            headers.append(("Access-Control-Allow-Headers", wanted))
        start_response("204 No Content", headers)
        return []

    def _send(
        self,
        start_response: StartResponse,
        headers: list[tuple[str, str]],
        content: object,
        mime_type: str | None,
        callback: str | None,
    ) -> Iterable[bytes]:
        text = json.dumps(content, separators=(",", ":"))
        kind = (mime_type or self.mime_type).lower()
        if callback is not None:
            text, kind = f"{callback}({text});", "text/javascript"
        body = text.encode("utf-8", "replace")
        start_response("200 OK", [*headers, ("Content-Type", f"{kind};charset=utf-8"),
                                  ("Content-Length", str(len(body)))])  # fmt: skip
        return [body]


def _url_for(context: StandardContext, address: str) -> str | None:
    """The application's address as somebody with that address reaches it; None without an HTTP connector."""
    engine = context.host.parent
    service = engine.service if isinstance(engine, StandardEngine) else None
    for connector in () if service is None else service.connectors:
        port = max(connector.local_port, connector.port_with_offset)  # the kernel chooses for port="0"
        if not connector.is_ajp and port > 0:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect((address, PORT))  # sends nothing: only the route is chosen
                host = sock.getsockname()[0]
            return f"{connector.scheme}://{host}:{port}{context.path}"
    return None


def _path_of(environ: Environ) -> str:
    """The path behind the servlet as the client sent it, because two slashes in a row have a meaning here."""
    raw: str = environ["REQUEST_URI"].partition("?")[0]
    mount: str = environ["SCRIPT_NAME"]
    return unquote(raw.removeprefix(mount)) if raw.startswith(mount) else environ["PATH_INFO"]


def _json_of(environ: Environ) -> object:
    body = environ["wsgi.input"].read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise BadRequest(f"The request is longer than {MAX_BODY} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("Invalid JSON request") from error
