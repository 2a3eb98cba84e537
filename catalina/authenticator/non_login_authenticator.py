"""An application without login (Tomcat: authenticator/NonLoginAuthenticator.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.authenticator.authenticator_base import AuthenticatorBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["NonLoginAuthenticator"]


class NonLoginAuthenticator(AuthenticatorBase):
    """Asks nobody for a login. Constraints still apply, so a page that needs a role is refused.

    A user who is known from single sign-on is known here, too.
    """

    auth_method = "NONE"

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Keep a user who is already known."""
        if self.check_for_cached_authentication(request, response, True) and self.cache:
            session = request.get_session(True)
            if session is not None:
                session.principal = request.principal
        return True
