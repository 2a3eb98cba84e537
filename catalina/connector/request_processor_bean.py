"""``type=RequestProcessor``: a running request (Tomcat: the bean of coyote/RequestInfo.java)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.operations import Long

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["RequestProcessorBean"]

#: org.apache.coyote.Constants.STAGE_SERVICE: the request is in the container.
STAGE_SERVICE = 3


class RequestProcessorBean(Component):
    """A running request. There is no pool of processors, so a connection that waits for a request has no bean."""

    bean_class = "org.apache.coyote.RequestInfo"

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request

    @property
    def stage(self) -> int:
        """3: it is in the container."""
        return STAGE_SERVICE

    @property
    def method(self) -> str:
        """The method of the request."""
        return self._request.method

    @property
    def current_uri(self) -> str:
        """The path in the client's spelling."""
        return self._request.request_uri

    @property
    def current_query_string(self) -> str | None:
        """The query, without its question mark."""
        return self._request.query_string

    @property
    def protocol(self) -> str:
        """The version of HTTP."""
        return self._request.protocol

    @property
    def virtual_host(self) -> str:
        """The server name that the client asks for."""
        return self._request.server_name

    @property
    def server_port(self) -> int:
        """The port that the client asks for."""
        return self._request.server_port

    @property
    def remote_addr(self) -> str:
        """The address of the client."""
        return self._request.remote_addr

    @property
    def content_length(self) -> int:
        """Bytes of the body, by the client's own word; -1 when it does not say."""
        return self._request.content_length

    @property
    def request_processing_time(self) -> Long:
        """The time that it has been running, in ms."""
        return max(0, time.monotonic_ns() - self._request.start_time_ns) // 1_000_000

    @property
    def request_bytes_sent(self) -> Long:
        """Bytes of its answer's body so far."""
        return self._request.response.bytes_written()

    @property
    def request_bytes_received(self) -> Long:
        """Bytes of its body that have been read."""
        return self._request.input.bytes_read
