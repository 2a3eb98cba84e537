"""A client with cookies, for tests of a group: as behind a sticky balancer, it stays at one node until that is dead."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from catalina.development.node_process import NodeProcess

__all__ = ["Answer", "Browser"]

#: Seconds for an answer; a busy machine is no failure.
SECONDS = 60.0
MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a node.

    Args:
        status: such as 200.
        text: the body.
        headers: the last value of each field.
        node: the node's name.
    """

    status: int
    text: str
    headers: Mapping[str, str]
    node: str

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.text)


class Browser:
    """One user.

    Args:
        nodes: the nodes of the group.
        path: the context path, which precedes the path of every request.
    """

    def __init__(self, nodes: Sequence[NodeProcess], path: str) -> None:
        self._nodes = nodes
        self._path = path
        self.cookies: dict[str, str] = {}
        #: The name of the node that answered last.
        self.node = ""

    def get(self, path: str = "/", on: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """GET; redirects are followed.

        Args:
            path: inside the application.
            on: the name of a node; by default the node that answered last, or the first running one.
        """
        return self._ask("GET", path, None, on, dict(headers or {}))

    def post(
        self,
        path: str,
        data: Mapping[str, str] | bytes = b"",
        on: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST a form, or bytes; redirects are followed with GET."""
        fields = dict(headers or {})
        if isinstance(data, Mapping):
            fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
            data = urlencode(data).encode()
        return self._ask("POST", path, data, on, fields)

    def _ask(self, method: str, path: str, body: bytes | None, on: str, headers: dict[str, str]) -> Answer:
        target = self._path + path
        for _ in range(MOST_REDIRECTS):
            node = self._chosen(on)
            answer = self._one(node, method, target, body, headers)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            parts = urlsplit(location)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if answer.status in (301, 302, 303):
                method, body = "GET", None
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        raise AssertionError(f"{method} {path}: more than {MOST_REDIRECTS} redirects, the last one to {target}")

    def _chosen(self, on: str) -> NodeProcess:
        wanted = on or self.node
        running = [node for node in self._nodes if node.runs]
        for node in running:
            if node.name == wanted:
                return node
        if on:
            raise AssertionError(f"{on} does not run")
        if not running:
            raise AssertionError("no node runs")
        return running[0]

    def _one(self, node: NodeProcess, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(node.base.address, node.base.port, timeout=SECONDS)
        try:
            own = {"Host": f"localhost:{node.base.port}"}
            if self.cookies:
                own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.request(method, target, body, {**own, **headers})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or ():
            self._keep(line)
        self.node = node.name
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, text, fields, node.name)

    def _keep(self, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
