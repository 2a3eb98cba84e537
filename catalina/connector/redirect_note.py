"""The short page that goes with a redirect, for clients that do not follow it (Tomcat: Context sendRedirectBody)."""

from __future__ import annotations

from html import escape

__all__ = ["redirect_note"]


def redirect_note(location: str) -> bytes:
    """A page with a link to ``location``, which may come from the client."""
    text = escape(location, quote=True).replace("/", "&#47;").replace("&#x27;", "&#39;")
    return f'<html><body><p>Redirecting to <a href="{text}">{text}</a></p></body></html>'.encode()
