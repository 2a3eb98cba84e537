"""What all HTTP/1.1 connections of a connector share: limits, time-outs, the fields that every answer has."""

from __future__ import annotations

import logging
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from catalina.connector.stream_connection import seconds_of
from catalina.coyote.http11.request_head import RequestHeadParser
from catalina.java_pattern import pattern
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.coyote.http_error import HttpError

__all__ = ["Http11Rules"]

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: Seconds between two refusals that are logged at INFO.
REFUSAL_INFO_SECONDS = 24 * 3600.0


class Http11Rules:
    """Read once at the start of a connector, so that a request costs no look-ups of attributes.

    Args:
        connector: an HTTP connector.
    """

    def __init__(self, connector: Connector) -> None:
        handler = connector.http
        self.connector = connector
        #: Lines that clients of this connector may cause to be logged.
        self.messages = RepeatedMessages(log)
        self.parser = RequestHeadParser(handler.head_limits)
        self.keep_alive_s = seconds_of(handler.effective_keep_alive_timeout_ms)
        self.body_timeout_s = seconds_of(
            handler.effective_connection_timeout_ms
            if handler.disable_upload_timeout
            else handler.connection_upload_timeout
        )
        self.uses_sendfile = handler.use_sendfile and not connector.is_tls
        self.max_requests = handler.max_keep_alive_requests
        self.max_extension = handler.max_extension_size
        self.max_trailer = handler.max_trailer_size
        self.max_swallow = handler.max_swallow_size
        self.response_head_size = handler.response_header_size
        self.trailers = frozenset(name.lower() for name in handler.allowed_trailer_headers)
        self.continue_on_read = handler.continue_response_timing == "onRead"
        self.restricted_agents = pattern(handler.restricted_user_agents or "")
        self.sends_reason = handler.send_reason_phrase
        self.remove_server = handler.server_remove_app_provided_values
        self.server_line = f"Server: {handler.server}\r\n" if handler.server else ""
        self.keep_alive_line = ""
        if handler.use_keep_alive_response_header and 0 < self.keep_alive_s < float("inf"):
            self.keep_alive_line = f"Keep-Alive: timeout={int(self.keep_alive_s)}\r\n"
        self.powered_by = "WSGI/1.0 (Catalina; Python)" if connector.xpowered_by else None
        self._next_info = 0.0
        self._second = 0
        self._date = ""
        self._common = ""

    def log_refusal(self, peer: str, refused: HttpError) -> None:
        """The first in a day at INFO, the others at DEBUG: anybody can send rubbish (Tomcat: UserDataHelper)."""
        now = time.monotonic()
        if now >= self._next_info:
            self._next_info = now + REFUSAL_INFO_SECONDS
            log.info(
                "Error parsing HTTP request header from [%s]: %s\n Note: further occurrences of HTTP request parsing "
                "errors will be logged at DEBUG level.",
                peer, refused,
            )  # fmt: skip
        else:
            log.debug("Error parsing HTTP request header from [%s]: %s", peer, refused)

    def common_lines(self) -> str:
        """Date and Server, for responses that have neither of their own."""
        if int(time.time()) != self._second:
            self.date_line()
        return self._common

    def date_line(self) -> str:
        """The Date field, formatted once a second."""
        now = int(time.time())
        if now != self._second:
            self._date = f"Date: {formatdate(now, usegmt=True)}\r\n"
            self._common = self._date + self.server_line
            self._second = now
        return self._date
