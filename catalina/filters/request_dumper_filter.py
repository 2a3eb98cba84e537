"""Logs each request and its response (Tomcat: filters/RequestDumperFilter.java). For tests only, because it logs
secrets, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from urllib.parse import parse_qs

from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse
from catalina.simple_date_format import date_formatter

__all__ = ["RequestDumperFilter"]

_format_date = date_formatter("dd-MMM-yyyy HH:mm:ss")


class RequestDumperFilter(FilterBase):
    """One line at level INFO for each fact."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self._log("START TIME", _now())
        for name, value in _request_facts(environ):
            self._log(name, value)
        self._log("------------------", "--------------------------------------------")

        def change(status: int, headers: Headers) -> None:
            self._log("------------------", "--------------------------------------------")
            for name, value in headers:
                self._log("header", f"{name}={value}")
            self._log("remoteUser", environ.get("REMOTE_USER"))
            self._log("status", str(status))
            self._log("END TIME", _now())
            self._log("==================", "============================================")

        return self.pass_on(environ, start_response, change)

    def _log(self, name: str, value: object) -> None:
        text = "null" if value is None else str(value)
        self.logger.info("%s %s=%s", threading.current_thread().name, name.rjust(18), text)


def _now() -> str:
    return _format_date(int(time.time() * 1000))


def _request_facts(environ: Environ) -> list[tuple[str, object]]:
    get = environ.get
    facts: list[tuple[str, object]] = [
        ("requestURI", get("REQUEST_URI")),
        ("authType", get("AUTH_TYPE")),
        ("contentLength", get("CONTENT_LENGTH", "-1")),
        ("contentType", get("CONTENT_TYPE")),
        ("contextPath", get("SCRIPT_NAME")),
    ]
    facts += [("cookie", part.strip()) for part in get("HTTP_COOKIE", "").split(";") if part.strip()]
    facts += [
        ("header", f"{key[5:].lower().replace('_', '-')}={value}")
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    facts.append(("method", get("REQUEST_METHOD")))
    facts += [
        ("parameter", f"{name}={', '.join(values)}")
        for name, values in parse_qs(get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=10_000).items()
    ]
    names = {
        "pathInfo": "PATH_INFO", "protocol": "SERVER_PROTOCOL", "queryString": "QUERY_STRING",
        "remoteAddr": "REMOTE_ADDR", "remoteHost": "REMOTE_HOST", "remoteUser": "REMOTE_USER",
        "scheme": "wsgi.url_scheme", "serverName": "SERVER_NAME", "serverPort": "SERVER_PORT",
    }  # fmt: skip
    facts += [(name, get(key)) for name, key in names.items()]
    facts.append(("isSecure", "true" if get("wsgi.url_scheme") == "https" else "false"))
    return facts
