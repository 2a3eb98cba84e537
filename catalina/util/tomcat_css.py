"""Tomcat's style of the pages that the server makes itself, and the escaping of their content."""

from __future__ import annotations

from html import escape

__all__ = ["STYLE", "escape_text"]

#: The style of error pages and directory listings (Tomcat: util/TomcatCSS.java).
STYLE = (
    "body {font-family:Tahoma,Arial,sans-serif;} h1, h2, h3, b {color:white;background-color:#525D76;} "
    "h1 {font-size:22px;} h2 {font-size:16px;} h3 {font-size:14px;} p {font-size:12px;} a {color:black;} "
    ".line {height:1px;background-color:#525D76;border:none;}"
)


def escape_text(text: str) -> str:
    """HTML-escaped, the slash too (Tomcat: util/security/Escape.htmlElementContent)."""
    return escape(text, quote=True).replace("/", "&#47;").replace("&#x27;", "&#39;")
