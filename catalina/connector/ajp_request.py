"""Makes a :class:`Request` from an AJP forward request (Tomcat: coyote/ajp/AjpProcessor.prepareRequest)."""

from __future__ import annotations

import hmac
import logging
import re
from typing import TYPE_CHECKING

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.coyote_principal import CoyotePrincipal
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError
from catalina.java_pattern import pattern
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol
    from catalina.coyote.ajp.forward_request import ForwardRequest

__all__ = ["AjpRequestRules"]

CERTIFICATES = "jakarta.servlet.request.X509Certificate"
CIPHER_SUITE = "jakarta.servlet.request.cipher_suite"
KEY_SIZE = "jakarta.servlet.request.key_size"
SESSION_ID = "jakarta.servlet.request.ssl_session_id"
SECURE_PROTOCOL = "jakarta.servlet.request.secure_protocol"
PROTOCOL_VERSION = "org.apache.tomcat.util.net.secure_protocol_version"

#: Attributes that a web server may always send: those of the specification, and those of IIS about its TLS.
KNOWN_ATTRIBUTES = frozenset((
    *(CERTIFICATES, CIPHER_SUITE, KEY_SIZE, SESSION_ID, "JK_LB_ACTIVATION"),
    *("CERT_ISSUER", "CERT_SUBJECT", "CERT_COOKIE", "CERT_FLAGS", "CERT_SERIALNUMBER"),
    *("HTTPS_SERVER_SUBJECT", "HTTPS_SECRETKEYSIZE", "HTTPS_SERVER_ISSUER", "HTTPS_KEYSIZE"),
))  # fmt: skip
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class AjpRequestRules:
    """The web server's statements that one AJP connector believes.

    Args:
        handler: has the attributes secret, tomcatAuthentication ...
    """

    def __init__(self, handler: AjpNioProtocol) -> None:
        #: Lines that the web servers of this connector may cause to be logged.
        self.messages = RepeatedMessages(logging.getLogger("org.apache.coyote.ajp.AjpProcessor"))
        self.secret = handler.secret
        self.allowed = pattern(handler.allowed_request_attributes_pattern or "")
        #: True when the proxy's user is believed; and True when the Realm is then asked for his roles.
        self.trusts_user = handler.tomcat_authorization or not handler.tomcat_authentication
        self.needs_authorization = handler.tomcat_authorization

    def make(self, told: ForwardRequest, connection: ConnectionFacts) -> Request:
        """The request, checked.

        Raises:
            HttpError: 403 for a wrong secret or an attribute that is not allowed, 400 for an invalid request.
        """
        self._check_secret(told)
        # The URI is taken literally: the web server has mapped and guarded all of it, not a part.
        query = told.attributes.get("query_string")
        request = Request(connection, told.method, told.uri, query, told.protocol, Headers(told.fields))
        request.content_length = told.content_length
        request.remote_addr = told.remote_addr
        if told.remote_host:
            request.remote_host = told.remote_host
        if told.is_tls:
            request.scheme, request.secure = "https", True
        _set_host(request, told)
        self._set_user(request, told)
        _set_tls(request, told)
        self._set_attributes(request, told)
        return request

    def _check_secret(self, told: ForwardRequest) -> None:
        """Compare the secret in constant time, so that an attacker cannot find it letter by letter."""
        if self.secret and not hmac.compare_digest(
            self.secret.encode("latin-1", "replace"), told.attributes.get("secret", "").encode("latin-1")
        ):
            raise HttpError(403, "the web server's secret is missing or wrong")

    def _set_user(self, request: Request, told: ForwardRequest) -> None:
        if not self.trusts_user:
            return
        request.auth_type = told.attributes.get("auth_type")
        user = told.attributes.get("remote_user")
        if user is None:
            return
        request.remote_user = user
        if self.needs_authorization:
            request.remote_user_needs_authorization = True
        else:
            request.principal = CoyotePrincipal(user)

    def _set_attributes(self, request: Request, told: ForwardRequest) -> None:
        for name, value in told.request_attributes.items():
            if name == "AJP_REMOTE_PORT":
                if value.isdecimal() and len(value) <= 5:
                    request.remote_port = int(value)
            elif name == "AJP_LOCAL_ADDR":
                request.local_addr = value
            elif name == "AJP_SSL_PROTOCOL":
                request.attributes[PROTOCOL_VERSION] = request.attributes[SECURE_PROTOCOL] = value
            elif name in KNOWN_ATTRIBUTES or (self.allowed is not None and self.allowed.fullmatch(name)):
                request.attributes[name] = value
            else:
                raise HttpError(
                    403, f"the request attribute {name!r} is not allowed by allowedRequestAttributesPattern"
                )


def _set_host(request: Request, told: ForwardRequest) -> None:
    """Set the Host field; without one, to the web server's own name."""
    values = [value for name, value in told.fields if name.lower() == b"host"]
    if len(values) > 1:
        raise HttpError(400, "the request has several Host fields")
    if not values:
        request.server_name, request.server_port = told.server_name, told.server_port
        return
    name, port = parse_host(values[0])
    default = 443 if request.scheme == "https" else 80
    request.server_name = name or told.server_name
    request.server_port = port if port >= 0 else (default if name else told.server_port)


def _set_tls(request: Request, told: ForwardRequest) -> None:
    attributes = told.attributes
    if "ssl_cert" in attributes:
        request.attributes[CERTIFICATES] = tuple(_CERTIFICATE.findall(attributes["ssl_cert"]))
    if "ssl_cipher" in attributes:
        request.attributes[CIPHER_SUITE] = attributes["ssl_cipher"]
    if "ssl_session" in attributes:
        request.attributes[SESSION_ID] = attributes["ssl_session"]
    if told.ssl_key_size is not None:
        request.attributes[KEY_SIZE] = told.ssl_key_size
