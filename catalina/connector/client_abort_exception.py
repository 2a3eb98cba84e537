"""The client went away, kept silent too long, or broke the protocol in the middle of an exchange."""

from __future__ import annotations

__all__ = ["ClientAbortException"]


class ClientAbortException(OSError):
    """Reading the body or writing the response failed because of the client (Tomcat: ClientAbortException.java).

    An ``OSError``, because that is what PEP 3333 applications and frameworks expect of ``wsgi.input``.

    Args:
        text: the client, and the event.
        status: the status to answer if nothing has left yet (400, 408 ...); None when there is nobody to answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status
