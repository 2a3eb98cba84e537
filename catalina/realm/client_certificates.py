"""The client certificates of a request, parsed.

The connector (TLS, AJP) or SSLValve puts them into the request attribute ``jakarta.servlet.request.X509Certificate``,
as a sequence of PEM texts or DER bytes, the client's own first.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalina.extras import missing_package

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from catalina.connector.request import Request

__all__ = ["CERTIFICATES_ATTRIBUTE", "certificates_of", "parse_certificate"]

log = logging.getLogger("org.apache.catalina.authenticator.SSLAuthenticator")

CERTIFICATES_ATTRIBUTE = "jakarta.servlet.request.X509Certificate"


def certificates_of(request: Request) -> tuple[Certificate, ...]:
    """The chain, empty when there is none or it cannot be read: a client without a certificate is no user."""
    found: Iterable[Any] | None = request.attributes.get(CERTIFICATES_ATTRIBUTE)
    if not found and request.tls_socket is not None:
        der = request.tls_socket.getpeercert(binary_form=True)
        found = [der] if der else []
    try:
        return tuple(parse_certificate(one) for one in found or ())
    except ValueError as error:
        log.warning("%s: a client certificate cannot be read: %s", request.remote_addr, error)
    except ImportError:
        log.error("No user is recognised by a client certificate: %s", missing_package("cryptography"))
    return ()


def parse_certificate(source: Certificate | str | bytes) -> Certificate:
    """Parse a certificate from PEM text or DER bytes.

    Raises:
        ValueError: the data is neither.
        ImportError: the package ``cryptography`` is not installed.
    """
    from cryptography import x509  # an extra that only servers with client certificates need

    if isinstance(source, x509.Certificate):
        return source
    der = ssl.PEM_cert_to_DER_cert(source) if isinstance(source, str) else bytes(source)
    return x509.load_der_x509_certificate(der)
