"""What a connector has served so far (Tomcat: coyote/RequestGroupInfo.java)."""

from __future__ import annotations

import threading
from typing import Any

from catalina.attributes import Attribute, Component

__all__ = ["RequestGroupInfo"]


class RequestGroupInfo(Component):
    """Counters since the start; the bean ``type=GlobalRequestProcessor``."""

    request_count = Attribute(int, 0, doc="Requests answered.")
    error_count = Attribute(int, 0, doc="Of these, answers with a status of 400 or more.")
    bytes_sent = Attribute(int, 0, unit="bytes", doc="Bodies of answers.")
    bytes_received = Attribute(int, 0, unit="bytes", doc="Bodies of requests, as far as they were read.")
    processing_time = Attribute(int, 0, unit="ms", doc="Time inside the container, all requests together.")
    max_time = Attribute(int, 0, unit="ms", doc="The longest of them.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._lock = threading.Lock()
        self._processing_ns = 0
        self._max_ns = 0

    def count(self, elapsed_ns: int, is_error: bool, sent: int, received: int) -> None:
        """One more request is through. Any thread."""
        with self._lock:
            self.request_count += 1
            self.error_count += is_error
            self.bytes_sent += sent
            self.bytes_received += received
            self._processing_ns += elapsed_ns
            self.processing_time = self._processing_ns // 1_000_000
            if elapsed_ns > self._max_ns:
                self._max_ns = elapsed_ns
                self.max_time = elapsed_ns // 1_000_000

    def reset_counters(self) -> None:
        """Begin anew, as the bean's operation resetCounters does."""
        with self._lock:
            for name in ("request_count", "error_count", "bytes_sent", "bytes_received", "processing_time", "max_time"):
                setattr(self, name, 0)
            self._processing_ns = self._max_ns = 0
