"""The things that all HTTP connections of a connector share: the rules of the exchange, time-outs, logs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from catalina.connector.stream import seconds_of
from catalina.coyote.http11.exchange_rules import ExchangeRules
from catalina.java_pattern import pattern
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from catalina.connector.connection_facts import HttpConnector
    from catalina.coyote.http_error import HttpError

__all__ = ["Http11Rules"]

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: Seconds between two refusals that are logged at INFO.
REFUSAL_INFO_SECONDS = 24 * 3600.0


class Http11Rules:
    """The settings, read once at the start of a connector, so that a request looks up no attributes.

    Args:
        connector: an HTTP connector.
    """

    def __init__(self, connector: HttpConnector) -> None:
        handler = connector.http
        self.connector = connector
        #: Lines that clients of this connector may cause to be logged.
        self.messages = RepeatedMessages(log)
        self.exchange = ExchangeRules(handler, time.time)
        self.keep_alive_s = seconds_of(handler.effective_keep_alive_timeout_ms)
        self.body_timeout_s = seconds_of(
            handler.effective_connection_timeout_ms
            if handler.disable_upload_timeout
            else handler.connection_upload_timeout
        )
        self.uses_sendfile = handler.use_sendfile and not connector.is_tls
        self.restricted_agents = pattern(handler.restricted_user_agents or "")
        self.powered_by = "WSGI/1.0 (Catalina; Python)" if connector.xpowered_by else None
        #: True when a request needs more than its head: the facts of its TLS, or one of the two above.
        self.has_more_to_say = connector.is_tls or self.restricted_agents is not None or self.powered_by is not None
        self._next_info = 0.0

    def log_refusal(self, peer: str, refused: HttpError) -> None:
        """Log a refusal: the first in a day at INFO, the others at DEBUG, because anybody can send rubbish (Tomcat:
        UserDataHelper).
        """
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
