"""The connector of a request that came over no connection."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from catalina.connector.connector import Connector
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor
from catalina.util.session_cookie_config import SessionCookieConfig

__all__ = ["BareContext", "bare_connector"]


class Loop:
    """An event loop that nobody runs: waiting holds up nobody."""

    def blocking(self) -> AbstractContextManager[None]:
        return nullcontext()


class BareServer:
    """A server without a configuration."""

    port_offset = 0
    restart_reason = ""
    role = None

    def __init__(self) -> None:
        self.catalina_base = Path.cwd()
        self.properties: dict[str, str] = {}
        self.reactor = Loop()


class BareService:
    """A service without an engine and pools."""

    engine = mapper = None

    def __init__(self) -> None:
        self.server = BareServer()

    def find_executor(self, name: str) -> None:
        return None


def bare_connector(**attributes: Any) -> Connector:
    """A connector with these attributes that never starts."""
    connector = Connector(**attributes)
    connector.service = BareService()  # type: ignore[assignment]  # the engine is never asked for
    return connector


class BareContext:
    """An application of which a test says as much as it needs; the rest is as a Context's defaults."""

    name = path = "/shop"
    web_app_version = version_key = ""
    paused = distributable = False
    preemptive_authentication = use_partitioned = send_redirect_body = False
    use_relative_redirects = validate_client_provided_new_session_id = True
    session_cookie_path_uses_trailing_slash = False
    request_character_encoding: str | None = None
    manager: Any = None

    def __init__(self, **members: Any) -> None:
        self.session_cookie = SessionCookieConfig()
        self.cookie_processor = Rfc6265CookieProcessor()
        for name, value in members.items():
            setattr(self, name, value)

    def log_access(self, request: Request, response: Response, time_ns: int) -> None:
        """Nobody logs."""
