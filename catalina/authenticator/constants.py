"""Names under which authenticators store things (Tomcat: authenticator/Constants.java)."""

from __future__ import annotations

__all__ = [
    "BASIC",
    "CLIENT_CERT",
    "DIGEST",
    "FORM",
    "FORM_ACTION",
    "FORM_PASSWORD",
    "FORM_REQUEST_NOTE",
    "FORM_USERNAME",
    "SESSION_ID_NOTE",
    "SESSION_PASSWORD_NOTE",
    "SESSION_USERNAME_NOTE",
    "SSO_ID_NOTE",
]

#: Authentication types, which applications read in AUTH_TYPE.
BASIC, DIGEST, FORM, CLIENT_CERT = "BASIC", "DIGEST", "FORM", "CLIENT_CERT"

FORM_ACTION, FORM_USERNAME, FORM_PASSWORD = "/j_security_check", "j_username", "j_password"

#: Note of the request: its single sign-on session.
SSO_ID_NOTE = "org.apache.catalina.request.SSOID"
#: Notes of the session: the id that it must have when the login form comes back; the credentials for FORM to log in
#: again.
SESSION_ID_NOTE = "org.apache.catalina.authenticator.SESSION_ID"
SESSION_USERNAME_NOTE = "org.apache.catalina.session.USERNAME"
SESSION_PASSWORD_NOTE = "org.apache.catalina.session.PASSWORD"  # noqa: S105 - a name, no password
FORM_REQUEST_NOTE = "org.apache.catalina.authenticator.REQUEST"
