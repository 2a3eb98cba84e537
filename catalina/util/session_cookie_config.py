"""The transport of a session id: the cookie, and the allowed ways (Tomcat: util/SessionConfig.java)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from catalina.descriptor.elements import SessionConfig

__all__ = ["SessionCookieConfig"]

DEFAULT_NAME = "JSESSIONID"
DEFAULT_URI_PARAMETER = "jsessionid"


class CookieAttributes(Protocol):
    """The attributes of a Context that concern the session cookie."""

    session_cookie_name: str | None
    session_cookie_domain: str | None
    session_cookie_path: str | None
    use_http_only: bool
    use_partitioned: bool
    cookies: bool


@dataclass(slots=True)
class SessionCookieConfig:
    """The effective settings of one application.

    Args:
        path: None for the context path, or ``/`` for the root application.
        max_age: seconds; -1 until the browser ends.
        attributes: free attributes of the cookie, such as ``SameSite``.
        url_tracking: True when ``;jsessionid=`` in a URL counts.
        cookie_tracking: True when the cookie counts.
    """

    name: str = DEFAULT_NAME
    uri_parameter: str = DEFAULT_URI_PARAMETER
    domain: str | None = None
    path: str | None = None
    http_only: bool = True
    secure: bool = False
    max_age: int = -1
    comment: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    cookie_tracking: bool = True
    url_tracking: bool = True
    #: True when only the TLS session is the session id. This is not supported: no session is found by it.
    ssl_tracking: bool = False

    def prefer(self, secure: bool, same_site: str | None, partitioned: bool) -> None:
        """Apply the application's own wishes: a stricter Secure counts, and SameSite if the descriptor has none.

        Args:
            same_site: ``Lax``, ``Strict`` or ``None`` as text; no value means no wish.
        """
        self.secure = self.secure or secure
        if same_site and not any(key.lower() == "samesite" for key in self.attributes):
            self.attributes["SameSite"] = same_site
        if partitioned:
            name = next((key for key in self.attributes if key.lower() == "partitioned"), "Partitioned")
            self.attributes[name] = "true"

    @classmethod
    def of(cls, context: CookieAttributes, web_xml: SessionConfig) -> SessionCookieConfig:
        """The settings of a Context, whose attributes override web.xml's cookie-config."""
        modes = web_xml.tracking_modes
        given_name = context.session_cookie_name or web_xml.cookie_name
        attributes = dict(web_xml.attributes)
        name = next((key for key in attributes if key.lower() == "partitioned"), "Partitioned")
        # The session cookie has its own setting; the CookieProcessor's partitioned is for other cookies.
        wanted = attributes.pop(name, str(context.use_partitioned))
        attributes["Partitioned"] = "true" if wanted.lower() == "true" else "false"
        return cls(
            name=given_name or DEFAULT_NAME,
            uri_parameter=given_name or DEFAULT_URI_PARAMETER,
            domain=context.session_cookie_domain or web_xml.cookie_domain,
            path=context.session_cookie_path or web_xml.cookie_path,
            http_only=context.use_http_only
            if web_xml.http_only is None
            else web_xml.http_only or context.use_http_only,
            secure=bool(web_xml.secure),
            max_age=-1 if web_xml.max_age is None else web_xml.max_age,
            comment=web_xml.comment,
            attributes=attributes,
            cookie_tracking=context.cookies and (not modes or "COOKIE" in modes),
            url_tracking=not modes or "URL" in modes,
            ssl_tracking="SSL" in modes,
        )
