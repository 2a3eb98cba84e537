"""The request that a login form interrupted, which is repeated after the login (Tomcat:
authenticator/SavedRequest.java).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalina.connector.headers import Headers
from catalina.connector.request_input import EMPTY_INPUT, RequestInput
from catalina.errors import LimitError

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["SavedRequest"]

FORM_TYPE = "application/x-www-form-urlencoded"
#: The client asks only for changes, but must get the page, not a 304 for the login's redirect.
_CONDITIONAL = frozenset({"if-modified-since"})
_CONDITIONAL_SAFE = _CONDITIONAL | {"if-none-match"}


@dataclass(slots=True)
class SavedRequest:
    """Everything that is needed to repeat the request; kept in a note of the session, on this node only.

    Args:
        original_max_inactive_interval: the session's timeout in seconds, if the session was made for the login with a
            short one.
    """

    method: str
    request_uri: str
    decoded_uri: str
    query_string: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)  # cookies and other fields are secrets
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = None
    original_max_inactive_interval: int | None = None

    @classmethod
    def of(cls, request: Request, max_body: int) -> SavedRequest:
        """Save a request.

        Args:
            max_body: bytes of the body that are kept; 0 for none, negative for any size.

        Raises:
            LimitError: the body is larger.
        """
        body = b""
        if max_body != 0:
            request.acknowledge()
            body = request.input.read(max_body + 1 if max_body > 0 else -1)
            if 0 < max_body < len(body):
                raise LimitError(
                    f"the body of {request.method} {request.request_uri} exceeds maxSavePostSize {max_body}"
                )
        return cls(
            method=request.method,
            request_uri=request.request_uri,
            decoded_uri=request.decoded_uri,
            query_string=request.query_string,
            headers=tuple(request.headers.raw),
            body=body,
            content_type=request.content_type if body else None,
        )

    @property
    def url(self) -> str:
        """The URL to which the client is sent after the login: path and query, never ``//host``."""
        url = self.request_uri if self.query_string is None else f"{self.request_uri}?{self.query_string}"
        while url.startswith("//"):
            url = url[1:]
        return url

    def restore(self, request: Request) -> None:
        """Turn ``request``, which came for the same path, into the saved one."""
        request.input.read()  # the body of the repeating request
        dropped = _CONDITIONAL_SAFE if self.method in ("GET", "HEAD") else _CONDITIONAL
        headers = Headers([pair for pair in self.headers if pair[0].decode("latin-1").lower() not in dropped])
        if self.body and headers.get("content-type") is None and self.method == "POST":
            headers.set("Content-Type", FORM_TYPE)
        request.replace_content(self.method, headers, RequestInput(None, self.body) if self.body else EMPTY_INPUT)
        request.content_length = len(self.body) if self.body else -1
