"""Takes the facts about a TLS connection that ends at a proxy from the proxy's headers (Tomcat: valves/SSLValve.java).

The proxy must remove these headers from clients' requests; otherwise any client could claim any identity.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import unquote

from catalina.attributes import Attribute
from catalina.realm.client_certificates import CERTIFICATES_ATTRIBUTE, parse_certificate
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["SSLValve"]

log = logging.getLogger("org.apache.catalina.valves.SSLValve")

CIPHER_SUITE_ATTRIBUTE = "jakarta.servlet.request.cipher_suite"
SESSION_ID_ATTRIBUTE = "jakarta.servlet.request.ssl_session_id"
KEY_SIZE_ATTRIBUTE = "jakarta.servlet.request.key_size"
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class SSLValve(ValveBase):
    """Headers of the proxy become the request attributes that a TLS connection would have set."""

    ssl_client_cert_header = Attribute(str, "ssl_client_cert", doc="Header with the client certificate (PEM).")
    ssl_client_escaped_cert_header = Attribute(
        str, "ssl_client_escaped_cert", doc="Header with the percent-encoded client certificate (nginx); wins."
    )
    ssl_cipher_header = Attribute(str, "ssl_cipher", doc="Header with the cipher.")
    ssl_session_id_header = Attribute(str, "ssl_session_id", doc="Header with the TLS session's id.")
    ssl_cipher_user_key_size_header = Attribute(str, "ssl_cipher_usekeysize", doc="Header with the key size in bits.")

    def invoke(self, request: Request, response: Response) -> None:
        """Set the attributes and pass the request on."""
        attributes = request.attributes
        certificate = self._certificate(request)
        if certificate is not None:
            # A certificate that cannot be read removes an existing one: no certificate is better than the proxy's own.
            attributes[CERTIFICATES_ATTRIBUTE] = _readable(certificate)
        cipher = _value(request, self.ssl_cipher_header)
        if cipher is not None:
            attributes[CIPHER_SUITE_ATTRIBUTE] = cipher
        session_id = _value(request, self.ssl_session_id_header)
        if session_id is not None:
            attributes[SESSION_ID_ATTRIBUTE] = session_id
        key_size = _value(request, self.ssl_cipher_user_key_size_header)
        if key_size is not None:
            if key_size.isdecimal():
                attributes[KEY_SIZE_ATTRIBUTE] = int(key_size)
            else:
                log.warning("Invalid value [%s] for header [%s]", key_size, self.ssl_cipher_user_key_size_header)
        self.next.invoke(request, response)

    def _certificate(self, request: Request) -> str | None:
        escaped = _value(request, self.ssl_client_escaped_cert_header)
        if escaped is not None:
            return unquote(escaped)
        return _value(request, self.ssl_client_cert_header)


def _value(request: Request, header: str) -> str | None:
    """The value of a header; Apache writes ``(null)`` for a missing one."""
    value = request.headers.get(header)
    return None if value is None or value == "(null)" else value


def _readable(text: str) -> tuple[str, ...]:
    """Restore the lines of a certificate, which a header value has lost."""
    text = text.strip()
    if len(text) <= len(BEGIN):
        return ()
    body = text[len(BEGIN) :].partition(END)[0]
    pem = f"{BEGIN}\n{''.join(body.split())}\n{END}\n"
    try:
        parse_certificate(pem)
    except (ValueError, ImportError) as error:
        log.warning("Failed to process certificate string [%s]: %s", text, error)
        return ()
    return (pem,)
