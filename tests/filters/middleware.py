"""A filter in front of an application that says what it was called with."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import setup_testing_defaults

from catalina.core.application_context import ApplicationContext
from catalina.webapp import SEND_ERROR
from tests.support.stand_in import stand_in


class Input(io.BytesIO):
    """A request body that can be read again, as the container's can."""

    def push_back(self, data: bytes) -> None:
        rest = self.read()
        self.seek(0)
        self.truncate()
        self.write(data + rest)
        self.seek(0)


class Session(dict[str, Any]):
    """``environ["catalina.session"]``: made by the first change."""

    @property
    def id(self) -> str | None:
        return "S1" if self.made else None

    made = False

    def __setitem__(self, name: str, value: Any) -> None:
        self.made = True
        super().__setitem__(name, value)


@dataclass
class Reply:
    """The answer, and the environ that the application saw (None when it was not called)."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    seen: dict[str, Any] | None = None
    error: tuple[int, str | None] | None = None

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


CONTEXT: Any = stand_in(
    ApplicationContext,
    node_state=lambda kind, name: None,
    context_path="/shop",
    mime_type=lambda path: {"css": "text/css", "png": "image/png"}.get(path.rpartition(".")[2]),
    log=lambda *_: None,
)


def unreached(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An application that is not called."""
    raise AssertionError(f"the application was called with {environ}")


class Stand:
    """A started filter.

    Args:
        status, headers: what the application answers.
    """

    def __init__(self, middleware: Any, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> None:
        self.middleware = middleware
        self.reply = Reply()
        self.status, self.headers = status, headers or []
        middleware.start(self._application, CONTEXT)

    def _application(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.reply.seen = environ
        start_response(self.status, list(self.headers))
        return [b"body"]

    def ask(self, path: str = "/", method: str = "GET", query: str = "", body: bytes = b"", **environ: Any) -> Reply:
        self.reply = Reply()
        full = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "/shop", "PATH_INFO": path, "QUERY_STRING": query,
            "REMOTE_ADDR": "192.0.2.1", "SERVER_NAME": "shop.example", "SERVER_PORT": "80", "HTTP_HOST": "shop.example",
            "REQUEST_URI": f"/shop{path}", "wsgi.input": Input(body), "catalina.session": Session(), **environ,
        }  # fmt: skip
        setup_testing_defaults(full)

        def send_error(sent: tuple[int, str | None]) -> None:
            self.reply.error = sent

        full[SEND_ERROR] = send_error

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            self.reply.status, self.reply.headers = int(status[:3]), list(headers)

        self.reply.body = b"".join(self.middleware(full, start_response))
        return self.reply


def configured(middleware: Any, **parameters: str) -> Any:
    """Set init parameters by their XML names, ``.`` written as ``__``."""
    for name, value in parameters.items():
        assert middleware.set_attribute(name.replace("__", "."), value)
    return middleware
