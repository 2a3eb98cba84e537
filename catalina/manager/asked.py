"""A client's request to a servlet of the manager, and the plain text of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qs

from catalina.errors import CatalinaError, DeploymentError
from catalina.mbeans.audit import Caller
from catalina.util.context_name import ContextName

__all__ = ["Asked", "Environ", "Refused", "StartResponse", "html_escaped", "text_answer"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

#: Parameters of a request.
MAX_PARAMETERS = 1000


class Refused(CatalinaError):
    """The request is refused; the text gives the reason in the manager's words, without ``FAIL - ``."""


def html_escaped(text: str) -> str:
    """As Tomcat writes a name into an answer: with ``&#47;`` for a slash."""
    return escape(text).replace("&#x27;", "&#39;").replace("/", "&#47;")


class Asked:
    """One request.

    Args:
        environ: of the request.
        door: the servlet's name in the audit log: ``manager/text``.
    """

    def __init__(self, environ: Environ, door: str) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        #: The path behind the servlet; the servlet's own where there is none, as ``/text``.
        self.command: str = environ["PATH_INFO"] or environ.get("catalina.mount", "")
        self.caller = Caller(door, environ.get("REMOTE_USER") or "", environ["REMOTE_ADDR"])
        self._parameters = _fields(environ["QUERY_STRING"])

    def read_form(self, limit: int) -> None:
        """Add the parameters of a POST's form; those of the query come first.

        Args:
            limit: bytes of the body that are read.

        Raises:
            Refused: the form has too many parameters.
        """
        if self.method != "POST":
            return
        body = self.environ["wsgi.input"].read(limit).decode("utf-8", "replace")
        for name, values in _fields(body).items():
            self._parameters.setdefault(name, []).extend(values)

    def __getitem__(self, name: str) -> str | None:
        """The first value of a parameter, None without one."""
        values = self._parameters.get(name)
        return values[0] if values else None

    def values(self, name: str) -> list[str]:
        """All values of a parameter."""
        return self._parameters.get(name, [])

    def flag(self, name: str) -> bool:
        """True when a parameter is the word ``true``."""
        return self[name] == "true"

    def name(self) -> ContextName:
        """The application of ``path`` and ``version``.

        Raises:
            Refused: the path is invalid.
        """
        return context_name(self["path"], self["version"])


def context_name(path: str | None, version: str | None = None) -> ContextName:
    """Path and version from the parameters. Raises Refused for an invalid path."""
    if path is not None and (path == "" or path.startswith("/")) and "#" not in path:
        inner = "" if path in ("/", "/ROOT") else path
        try:
            return ContextName(inner, version or "")
        except DeploymentError:
            pass
    shown = "null" if path is None else html_escaped(path)
    raise Refused(f"Invalid context path [{shown}] was specified")


def _fields(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="replace")
    except ValueError:
        raise Refused(f"More than {MAX_PARAMETERS} parameters") from None


def text_answer(start_response: StartResponse, lines: Sequence[str], rest: str = "") -> Iterable[bytes]:
    """Lines with LF, then a text as it is. As in Tomcat the status is 200 even for a failure."""
    body = ("".join(f"{line}\n" for line in lines) + rest).encode("utf-8", "replace")
    headers = [
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Type", "text/plain;charset=utf-8"),
        ("Content-Length", str(len(body))),
    ]
    start_response("200 OK", headers)
    return [body]
