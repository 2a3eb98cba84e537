"""The limits of a connector's HTTP/1.1 exchanges, and the field lines of all its answers."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.coyote.http11.request_head import RequestHeadParser

__all__ = ["ExchangeRules"]


class ExchangeRules:
    """The settings, read once at the start of a connector, so that a request looks up no attributes.

    Args:
        handler: the protocol of an HTTP connector.
        clock: seconds since the epoch, for the Date field.
    """

    def __init__(self, handler: Http11NioProtocol, clock: Callable[[], float]) -> None:
        self.parser = RequestHeadParser(handler.head_limits)
        self.max_requests = handler.max_keep_alive_requests
        self.max_extension = handler.max_extension_size
        self.max_trailer = handler.max_trailer_size
        self.max_swallow = handler.max_swallow_size
        self.response_head_size = handler.response_header_size
        #: Trailer fields that may become fields of the request, in lower case.
        self.trailers = frozenset(name.lower() for name in handler.allowed_trailer_headers)
        self.sends_reason = handler.send_reason_phrase
        self.remove_server = handler.server_remove_app_provided_values
        self.server_line = f"Server: {handler.server}\r\n" if handler.server else ""
        self.keep_alive_line = ""
        keep_alive_ms = handler.effective_keep_alive_timeout_ms
        if handler.use_keep_alive_response_header and keep_alive_ms > 0:
            self.keep_alive_line = f"Keep-Alive: timeout={keep_alive_ms // 1000}\r\n"
        self._clock = clock
        self._second = 0
        self._date = ""
        self._common = ""

    def common_lines(self) -> str:
        """Date and Server, for responses that have not set them."""
        if not self._second <= self._clock() < self._second + 1:
            self.date_line()
        return self._common

    def date_line(self) -> str:
        """The Date field, formatted once a second."""
        now = int(self._clock())
        if now != self._second:
            self._date = f"Date: {formatdate(now, usegmt=True)}\r\n"
            self._common = self._date + self.server_line
            self._second = now
        return self._date
