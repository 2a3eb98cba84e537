"""The front of a trial group: passes requests to the nodes like a sticky balancer, and shows which node served them.

A WSGI application for a developer's own machine. ``/.catalina/`` is its page: the nodes, with a button to kill or
revive each, the holders of each session, and the last requests. It asks the nodes which sessions they hold.
"""

from __future__ import annotations

import http.client
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

from catalina.development.node_process import NodeProcess
from catalina.errors import CatalinaError
from catalina.util.tomcat_css import STYLE

__all__ = ["PAGE", "Front"]

PAGE = "/.catalina/"
#: Names under which a local browser may see the page and use its buttons.
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
#: Fields that concern one connection and are not passed on (RFC 9110 7.6.1).
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
     "upgrade")
)  # fmt: skip
#: Seconds that a node may take for an answer.
ANSWER_SECONDS = 300.0
CHUNK_BYTES = 65536

StartResponse = Callable[..., Any]
Environ = dict[str, Any]


class Served(NamedTuple):
    """One request that a node answered."""

    at: float
    node: str
    method: str
    path: str
    status: int
    session: str


class Front:
    """The WSGI application.

    Args:
        nodes: the nodes of the group.
        command: called with ``kill`` or ``revive`` and the node; from any thread.
    """

    def __init__(self, nodes: Sequence[NodeProcess], command: Callable[[str, NodeProcess], None]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._command = command
        self._token = secrets.token_urlsafe(16)
        self._turn = 0
        self._lock = threading.Lock()
        self.served: deque[Served] = deque(maxlen=20)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO", "").startswith(PAGE):
            return self._page(environ, start_response)
        for node in self._choice(environ.get("HTTP_COOKIE", "")):
            connection = http.client.HTTPConnection(node.base.address, node.base.port, timeout=ANSWER_SECONDS)
            try:
                connection.connect()
            except OSError:
                continue  # it has just died, or is starting: the next node has the sessions, too
            return self._passed_on(node, connection, environ, start_response)
        return _answer(start_response, "503 Service Unavailable", "No node runs. Revive one.")

    def _choice(self, cookies: str) -> list[NodeProcess]:
        """The running nodes: first the one with the route at the end of a cookie, then the others in turn."""
        running = [node for node in self._nodes.values() if node.runs]
        routes = {each.rpartition(".")[2].strip() for each in cookies.split(";") if "." in each}
        with self._lock:
            self._turn += 1
            turn = self._turn
        turned = [running[(turn + number) % len(running)] for number in range(len(running))]
        return sorted(turned, key=lambda node: node.name not in routes)

    def _passed_on(
        self, node: NodeProcess, connection: http.client.HTTPConnection, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("RAW_URI") or environ["PATH_INFO"]
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            has_length = "CONTENT_LENGTH" in environ
            for name, value in _fields(environ):
                connection.putheader(name, value)
            has_body = has_length or environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
            if has_body and not has_length:
                connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(_body(environ) if has_body else None, encode_chunked=not has_length)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            text = f"{node.name} went away while it had the request: {type(error).__name__}"
            return _answer(start_response, "502 Bad Gateway", text)
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        session = _session_in([value for name, value in headers if name.lower() == "set-cookie"], environ)
        self.served.append(Served(time.time(), node.name, method, environ["PATH_INFO"], answer.status, session))
        start_response(
            f"{answer.status} {http.client.responses.get(answer.status, 'Unknown')}",
            [*headers, ("X-Served-By", node.name)],
        )
        return _content(answer, connection)

    # -- the page ------------------------------------------------------------------------------------------------

    def _page(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
        if host not in LOCAL_NAMES:  # the name of another site that leads here
            return _answer(start_response, "403 Forbidden", f"Ask for it as http://localhost:.../{PAGE[1:]}")
        if environ["REQUEST_METHOD"] == "POST":
            return self._button(environ, start_response)
        return _answer(start_response, "200 OK", self._html(), "text/html")

    def _button(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """``POST /.catalina/kill/node1`` with the page's token."""
        verb, _, name = environ["PATH_INFO"].removeprefix(PAGE).partition("/")
        sent = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), 1000)).decode("latin-1")
        if not secrets.compare_digest(sent.encode(), f"token={self._token}".encode()):
            return _answer(start_response, "403 Forbidden", "Press the button on the page.")
        node = self._nodes.get(name)
        if node is None or verb not in ("kill", "revive"):
            return _answer(start_response, "404 Not Found", "No such button.")
        self._command(verb, node)
        start_response("303 See Other", [("Location", PAGE), ("Content-Length", "0")])
        return []

    def holders(self) -> dict[str, dict[str, str]]:
        """Session id without its route -> node -> ``primary`` or ``backup``."""
        found: dict[str, dict[str, str]] = {}
        for node in self._nodes.values():
            try:
                held = node.sessions() if node.runs else {}
            except CatalinaError:
                continue  # it is dying or starting
            for session_id, role in held.items():
                found.setdefault(session_id.partition(".")[0], {})[node.name] = role
        return found

    def _html(self) -> str:
        holders = self.holders()
        nodes = [
            [node.name, f":{node.base.port}", "runs" if node.runs else "dead", self._key(node)]
            for node in self._nodes.values()
        ]
        sessions = [
            [escape(session[:12]), _held(roles, "primary"), _held(roles, "backup")]
            for session, roles in list(holders.items())[-20:]
        ]
        requests = [
            [
                time.strftime("%H:%M:%S", time.localtime(each.at)), escape(f"{each.method} {each.path}"),
                str(each.status), each.node, escape(each.session[:12]),
                _held(holders.get(each.session, {}), "backup") if each.session else "",
            ]
            for each in reversed(self.served)
        ]  # fmt: skip
        page: str = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
            f"<title>Trial group</title><style>{STYLE} td,th{{padding:2px 12px;text-align:left}}</style></head><body>"
            "<h1>Trial group</h1>"
            + _table("Nodes", ["Node", "Port", "State", ""], nodes)
            + _table("Sessions", ["Session", "Served by", "Backup on"], sessions)
            + _table("Last requests", ["At", "Request", "Status", "Served by", "Session", "Backup on"], requests)
            + "</body></html>"
        )
        return page

    def _key(self, node: NodeProcess) -> str:
        verb = "kill" if node.runs else "revive"
        return (
            f'<form method="post" action="{PAGE}{verb}/{node.name}"><input type="hidden" name="token" '
            f'value="{self._token}"><button>{verb.capitalize()} {node.name}</button></form>'
        )


def _held(roles: dict[str, str], wanted: str) -> str:
    return ", ".join(sorted(name for name, role in roles.items() if role == wanted)) or "nobody"


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h3>{title}</h3><table><tr>{head}</tr>{body}</table>"


def _fields(environ: Environ) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = key
        elif key.startswith("HTTP_"):
            name = key.removeprefix("HTTP_")
        else:
            continue
        name = name.replace("_", "-").title()
        if value and name.lower() not in HOP_BY_HOP and name.lower() != "expect":
            yield name, value


def _body(environ: Environ) -> Iterator[bytes]:
    stream = environ["wsgi.input"]
    rest = int(environ["CONTENT_LENGTH"]) if "CONTENT_LENGTH" in environ else None
    while rest is None or rest > 0:
        chunk = stream.read(CHUNK_BYTES if rest is None else min(rest, CHUNK_BYTES))
        if not chunk:
            return
        rest = None if rest is None else rest - len(chunk)
        yield chunk


def _content(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection) -> Iterator[bytes]:
    try:
        while chunk := answer.read1(CHUNK_BYTES):
            yield chunk
    finally:
        connection.close()


def _session_in(set_cookies: Sequence[str], environ: Environ) -> str:
    """The session's id without its route: a new one, or the client's."""
    texts: list[str] = [*set_cookies, environ.get("HTTP_COOKIE", "")]
    for text in texts:
        for pair in text.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == "JSESSIONID" and value:
                return value.partition(".")[0]
    return ""


def _answer(start_response: StartResponse, status: str, text: str, kind: str = "text/plain") -> Iterable[bytes]:
    body = text.encode()
    headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY")])
    return [body]
