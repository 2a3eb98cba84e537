"""Reports the ciphers and certificates of the connectors, and reads them anew (Tomcat: ManagerServlet,
sslConnector...).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.extras import is_installed
from catalina.manager.asked import Refused
from catalina.tomcat.util.net.cipher_names import java_name
from catalina.tomcat.util.net.tls_context import certificate_chain

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from catalina.connector.connector import Connector
    from catalina.connector.tls_contexts import TlsContexts
    from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig

__all__ = ["certificates", "ciphers", "reload_tls", "trusted_certificates"]

Report = Iterator[tuple[str, list[str]]]

NOT_TLS = "SSL is not enabled for this connector"
NOT_LOADED = "Certificates were not loaded for this connector"
NOT_AVAILABLE = "Certificate information cannot be obtained from this connector at runtime"
NOT_CONFIGURED = "No trusted certificates are configured for this virtual host"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def ciphers(connectors: Iterable[Connector]) -> Report:
    """Name of a connector's host -> its cipher suites by Java's names."""

    def of_host(tls: TlsContexts, config: SSLHostConfig) -> Report:
        yield "", list(dict.fromkeys(java_name(each["name"]) for each in tls.context_of(config).get_ciphers()))

    return _each(connectors, of_host)


def certificates(connectors: Iterable[Connector]) -> Report:
    """Name of a certificate -> its chain, each in words."""

    def of_host(tls: TlsContexts, config: SSLHostConfig) -> Report:
        for certificate in config.certificates:
            try:
                chain = _PEM.findall(certificate_chain(certificate, tls.base))
            except (CatalinaError, OSError):
                chain = []
            found = [described(ssl.PEM_cert_to_DER_cert(pem)) for pem in chain]
            yield f"-{certificate.type}", found or [NOT_AVAILABLE]

    return _each(connectors, of_host)


def trusted_certificates(connectors: Iterable[Connector]) -> Report:
    """Name of a connector's host -> the authorities whose clients' certificates it takes."""

    def of_host(tls: TlsContexts, config: SSLHostConfig) -> Report:
        yield "", [described(der) for der in tls.context_of(config).get_ca_certs(True)] or [NOT_CONFIGURED]

    return _each(connectors, of_host)


def _each(connectors: Iterable[Connector], of_host: Callable[[TlsContexts, SSLHostConfig], Report]) -> Report:
    for connector in connectors:
        if not connector.is_tls:
            yield str(connector), [NOT_TLS]
        elif connector.tls is None:
            yield str(connector), [NOT_LOADED]
        else:
            for config in connector.tls.configs:
                for suffix, lines in of_host(connector.tls, config):
                    yield f"{connector}-{config.host_name}{suffix}", lines


def reload_tls(
    connectors: Iterable[Connector],
    host_name: str | None,
    reload: Callable[[Connector], object],
) -> list[str]:
    """Read keys and certificates anew: of every TLS connector, or of those that have a host name.

    Args:
        reload: does so for one connector; in a node with workers, in all processes. Raises CatalinaError.

    Raises:
        Refused: no connector has such a host name, or files cannot be used; the old ones stay then.
    """
    found = False
    for connector in connectors:
        tls = connector.tls if connector.is_tls else None
        names = [] if tls is None else [config.host_name.lower() for config in tls.configs]
        if names and (not host_name or host_name.lower() in names):
            found = True
            try:
                reload(connector)
            except CatalinaError as error:
                raise Refused(f"Encountered exception [{error}]") from error
    if not found:
        raise Refused("Failed to reload TLS configuration")
    return [f"OK - Reloaded TLS configuration for {f'[{host_name}]' if host_name else 'all TLS virtual hosts'}"]


def described(der: bytes) -> str:
    """A certificate in Java's words and layout; without the package cryptography only its presence."""
    if not is_installed("cryptography"):
        return NOT_AVAILABLE
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    lines = [
        "[",
        "[",
        f"  Version: V{certificate.version.value + 1}",
        f"  Subject: {certificate.subject.rfc4514_string()}",
        f"  Signature Algorithm: {_signature(certificate)}, OID = {certificate.signature_algorithm_oid.dotted_string}",
        "",
        f"  Key:  {_key(certificate)}",
        f"  Validity: [From: {certificate.not_valid_before_utc:%a %b %d %H:%M:%S UTC %Y},",
        f"               To: {certificate.not_valid_after_utc:%a %b %d %H:%M:%S UTC %Y}]",
        f"  Issuer: {certificate.issuer.rfc4514_string()}",
        f"  SerialNumber: [    {certificate.serial_number:x}]",
        *_alternative_names(certificate),
        "",
        "]",
        "]",
    ]
    return "\n".join(lines)


def _signature(certificate: Certificate) -> str:
    """``SHA256withRSA``."""
    digest = certificate.signature_hash_algorithm
    name = type(certificate.public_key()).__name__.lower()
    key = next((word for word in ("RSA", "DSA", "EC") if word.lower() in name), "")
    if digest is None:
        return certificate.signature_algorithm_oid._name
    return f"{digest.name.upper()}with{'ECDSA' if key == 'EC' or 'elliptic' in name else key}"


def _key(certificate: Certificate) -> str:
    key: Any = certificate.public_key()
    size = getattr(key, "key_size", None)
    kind = type(key).__name__.strip("_").removesuffix("PublicKey")
    return f"{kind} public key" + (f", {size} bits" if size else "")


def _alternative_names(certificate: Certificate) -> Iterator[str]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield "  SubjectAlternativeName ["
    for name in names:
        yield f"    {type(name).__name__}: {name.value}"
    yield "  ]"
