"""A client that keeps cookies and goes from node to node, as a browser behind a balancer without affinity does."""

from __future__ import annotations

import http.client
import http.cookies
import json
from typing import Any

from tests.cluster.node import Node

__all__ = ["Browser"]


class Browser:
    """Cookies by name; the examples' token is sent with every request once it is known.

    Args:
        app: the context path.
    """

    def __init__(self, app: str) -> None:
        self.app = app
        self.cookies: dict[str, str] = {}
        #: The Set-Cookie fields of the last answer.
        self.set_cookies: list[str] = []
        self.headers: dict[str, str] = {}
        self.token = ""
        self.password = ""

    @property
    def session_id(self) -> str | None:
        return self.cookies.get("JSESSIONID")

    def ask(self, node: Node, path: str = "/", method: str = "GET") -> tuple[int, Any]:
        """Status and the JSON of the body, its text when it is none."""
        connection = http.client.HTTPConnection(node.address, node.http_port, timeout=20)
        try:
            headers = {"X-CSRF-Token": self.token, "X-Password": self.password, "Host": "localhost"}
            if self.cookies:
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.request(method, self.app + path, headers=headers)
            response = connection.getresponse()
            body = response.read().decode()
        finally:
            connection.close()
        self.headers = dict(response.getheaders())
        self.set_cookies = response.headers.get_all("Set-Cookie") or []
        for text in self.set_cookies:
            self._take(text)
        try:
            answer = json.loads(body)
        except ValueError:
            return response.status, body
        if isinstance(answer, dict) and answer.get("token"):
            self.token = answer["token"]
        return response.status, answer

    def get(self, node: Node, path: str = "/") -> Any:
        status, answer = self.ask(node, path)
        assert status == 200, (status, answer, node.log[-3000:])
        return answer

    def post(self, node: Node, path: str) -> Any:
        status, answer = self.ask(node, path, "POST")
        assert status == 200, (status, answer, node.log[-3000:])
        return answer

    def _take(self, text: str) -> None:
        for name, morsel in http.cookies.SimpleCookie(text).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
