"""Kerberos logins (SPNEGO) are recognised, and nobody can log in (Tomcat: authenticator/SpnegoAuthenticator.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.authenticator.authenticator_base import UNAUTHORIZED, AuthenticatorBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["SpnegoAuthenticator"]


class SpnegoAuthenticator(AuthenticatorBase):
    """Fails closed: Java's GSS login modules cannot run here, so every protected page answers 401."""

    apply_java8u40_fix = Attribute(bool, False, xml="applyJava8u40Fix", inert="it works around a fault of Java")
    login_config_name = Attribute(
        str, "com.sun.security.jgss.krb5.accept", doc="JAAS entry of the service.", inert="there is no JAAS"
    )
    no_keep_alive_user_agents = Attribute(str, "", inert="no login succeeds after which a connection could be closed")
    store_delegated_credential = Attribute(
        bool, True, doc="Keep the delegated credential.", inert="there is no Kerberos login that delegates one"
    )

    auth_method = "SPNEGO"

    def _start(self) -> None:
        super()._start()
        self.logger.warning(
            "%s: SPNEGO logins need Java's Kerberos, so every protected page of [%s] is refused; let a proxy do it"
            " and pass the user on (AJP, tomcatAuthentication=false)",
            self.place or self,
            self.context.name,
        )

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Let users through for whom the proxy or single sign-on vouches; refuse everybody else."""
        if self.check_for_cached_authentication(request, response, True):
            return True
        response.set_header("WWW-Authenticate", "Negotiate")
        response.send_error(UNAUTHORIZED)
        return False
