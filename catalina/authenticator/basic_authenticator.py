"""HTTP Basic (RFC 7617; Tomcat: authenticator/BasicAuthenticator.java)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from catalina.attributes import Attribute, AttributeRefused
from catalina.authenticator.authenticator_base import UNAUTHORIZED, AuthenticatorBase
from catalina.authenticator.constants import BASIC

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["BasicAuthenticator", "decode_credentials"]

_SCHEME = "basic "


def _charset(text: str) -> str:
    if text and text.upper() != "UTF-8":
        raise AttributeRefused("UTF-8 or nothing")
    return text


class BasicAuthenticator(AuthenticatorBase):
    """Takes name and password from every request."""

    charset = Attribute(_charset, "", doc="UTF-8: the charset that the challenge asks for; empty is ISO-8859-1.")
    trim_credentials = Attribute(bool, False, doc="Cut blanks around user name and password.")

    auth_method = BASIC

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Compare the credentials of the request, or ask for them."""
        if self.check_for_cached_authentication(request, response, True):
            return True
        header = request.headers.get("authorization")
        if header is not None:
            credentials = decode_credentials(header, self.charset or "ISO-8859-1", self.trim_credentials)
            if credentials is None:
                self.logger.debug("Invalid Authorization header")
            else:
                username, password = credentials
                principal = self.realm.authenticate(username, password)
                if principal is not None:
                    self.register(request, response, principal, BASIC, username, password)
                    return True
        charset = f", charset={self.charset}" if self.charset else ""
        response.set_header("WWW-Authenticate", f'Basic realm="{self.realm_name}"{charset}')
        response.send_error(UNAUTHORIZED)
        return False

    def is_preemptive_auth_possible(self, request: Request) -> bool:
        """True when the request has Basic credentials."""
        return (request.headers.get("authorization") or "").lower().startswith(_SCHEME)


def decode_credentials(header: str, charset: str, trim: bool = False) -> tuple[str, str | None] | None:
    """User name and password (None without a colon) of an Authorization header; None when it is broken or not Basic."""
    if header[: len(_SCHEME)].lower() != _SCHEME:
        return None
    encoded = header[len(_SCHEME) :]
    try:
        # Java's decoder accepts a value without its padding, and nothing outside the alphabet.
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode(charset, "replace")
    except (binascii.Error, ValueError):
        return None
    username, colon, password = decoded.partition(":")
    if trim:
        username, password = username.strip(), password.strip()
    return username, password if colon else None
