"""``<CookieProcessor>``: rules to read and write cookies (Tomcat: util/http/Rfc6265CookieProcessor.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component, choice

__all__ = ["Rfc6265CookieProcessor"]


class Rfc6265CookieProcessor(Component):
    """Settings for the connector when it reads the Cookie header and writes Set-Cookie of one application."""

    same_site_cookies = Attribute(
        choice("unset", "none", "lax", "strict"), "unset", doc="SameSite for all cookies of the application."
    )
    partitioned = Attribute(bool, False, doc="Mark all cookies Partitioned.")
    cookies_without_equals = Attribute(
        choice("name", "ignore"), "name", doc="How a cookie without = is read: as a name without value, or not at all."
    )

    #: The Context sets itself here.
    container: object = None
