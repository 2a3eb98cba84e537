"""The client went away, or kept silent too long, in the middle of an exchange."""

from __future__ import annotations

__all__ = ["ClientAbortException"]


class ClientAbortException(OSError):
    """Reading the body or writing the response failed because of the client (Tomcat: ClientAbortException.java).

    An ``OSError``, because that is what PEP 3333 applications and frameworks expect of ``wsgi.input``.
    """
