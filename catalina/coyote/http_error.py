"""A request that the protocol itself refuses."""

from __future__ import annotations

from catalina.errors import ProtocolError

__all__ = ["HttpError"]


class HttpError(ProtocolError):
    """A client broke HTTP; the connection answers ``status`` and closes.

    Args:
        status: 400, 413, 414, 417, 431, 501 or 505.
        text: the expected and the actual input.
    """

    def __init__(self, status: int, text: str, offset: int | None = None) -> None:
        super().__init__(text, offset)
        self.status = status
