"""Client certificates (CLIENT-CERT; Tomcat: authenticator/SSLAuthenticator.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalina.authenticator.authenticator_base import UNAUTHORIZED, AuthenticatorBase
from catalina.authenticator.constants import CLIENT_CERT
from catalina.realm.client_certificates import certificates_of

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["SSLAuthenticator"]


class SSLAuthenticator(AuthenticatorBase):
    """The user is named by the certificate of the TLS connection, or by that in the proxy's headers (SSLValve)."""

    auth_method = CLIENT_CERT

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Ask the realm for the certificate's user."""
        if self.check_for_cached_authentication(request, response, False):
            return True
        certificates = self._certificates(request)
        if not certificates:
            self.logger.debug("No certificates are included with this request")
            response.send_error(UNAUTHORIZED, "No client certificate chain in this request")
            return False
        principal = self.realm.authenticate_certificates(certificates)
        if principal is None:
            self.logger.debug("Authentication with the provided certificates failed")
            response.send_error(UNAUTHORIZED, "Cannot authenticate with the provided credentials")
            return False
        self.register(request, response, principal, CLIENT_CERT, None, None)
        return True

    def is_preemptive_auth_possible(self, request: Request) -> bool:
        """True when there is a certificate."""
        return bool(self._certificates(request))

    def _certificates(self, request: Request) -> tuple[Any, ...]:
        return certificates_of(request)
