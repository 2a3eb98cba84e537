"""``<SSLHostConfig>`` (Tomcat: util/net/SSLHostConfig.java)."""

from __future__ import annotations

from typing import Any

from catalina.attributes import Attribute, AttributeRefused, Component, Element
from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.openssl.open_ssl_conf import OpenSSLConf
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate

__all__ = ["DEFAULT_HOST_NAME", "SSLHostConfig"]

DEFAULT_HOST_NAME = "_default_"
DEFAULT_CIPHERS = "HIGH:!aNULL:!eNULL:!DES:!RC4:!MD5:!kRSA"

#: The values of certificateVerification, including old words (clientAuth, SSLVerifyClient).
_VERIFICATIONS = {
    "none": "none", "false": "none", "no": "none",
    "optional": "optional", "want": "optional", "wanted": "optional",
    "optionalnoca": "optionalNoCA", "optional_no_ca": "optionalNoCA",
    "required": "required", "require": "required", "true": "required", "yes": "required",
}  # fmt: skip


def _verification(text: str) -> str:
    word = _VERIFICATIONS.get(text.strip().lower())
    if word is None:
        raise AttributeRefused("none, optional, optionalNoCA or required")
    return word


class SSLHostConfig(Component):
    """TLS for one host name, chosen by SNI."""

    ca_certificate_file = Attribute(str, None, doc="PEM file of authorities that client certificates must come from.")
    ca_certificate_path = Attribute(str, None, doc="Directory of such files, with OpenSSL's hashed names.")
    certificate_revocation_list_file = Attribute(str, None, doc="PEM file of revoked client certificates.")
    certificate_revocation_list_path = Attribute(
        str, None, doc="Not supported: Python's ssl reads lists from files; the connector does not start with it."
    )
    certificate_verification = Attribute(
        _verification,
        "none",
        doc="Client certificates: none, optional or required. optionalNoCA accepts those of anybody in Java; here the "
        "handshake fails unless an authority has signed them.",
    )
    certificate_verification_depth = Attribute(int, 10, inert="Python's ssl has no such limit, OpenSSL's own is 100")
    cipher_suites = Attribute(
        str, None, inert="Python's ssl always offers OpenSSL's TLS 1.3 suites, which all are strong"
    )
    ciphers = Attribute(
        str, DEFAULT_CIPHERS, doc="Ciphers up to TLS 1.2: an OpenSSL expression, or names, OpenSSL's or Java's."
    )
    disable_compression = Attribute(bool, True, doc="No TLS compression; it gives secrets away (CRIME).")
    disable_session_tickets = Attribute(bool, False, doc="No session tickets (TLS 1.2).")
    groups = Attribute(str, None, doc="Key exchange group; the first that OpenSSL knows counts.")
    honor_cipher_order = Attribute(bool, False, doc="The order of ciphers decides, not the client's.")
    host_name = Attribute(str, DEFAULT_HOST_NAME, doc="SNI name; *.example.org matches one more label in front.")
    insecure_renegotiation = Attribute(
        bool, False, doc="Let clients renegotiate; costs CPU that they can make us spend."
    )
    key_manager_algorithm = Attribute(str, None, inert="OpenSSL has no key manager to choose")
    ocsp_enabled = Attribute(bool, False, doc="Not supported: the connector does not start with it.")
    ocsp_soft_fail = Attribute(bool, True, inert="Python's ssl has no OCSP")
    ocsp_verify = Attribute(int, 0, inert="Python's ssl has no OCSP")
    protocols = Attribute(
        str,
        "all",
        doc="Versions: a list with commas or + and - of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; all is these four.",
    )
    revocation_enabled = Attribute(bool, False, doc="Check client certificates; needs certificateRevocationListFile.")
    session_cache_size = Attribute(int, -1, inert="Python's ssl leaves it to OpenSSL")
    session_timeout = Attribute(int, 86_400, unit="seconds", inert="Python's ssl leaves it to OpenSSL")
    ssl_protocol = Attribute(
        str,
        "TLS",
        doc="The name of a JSSE context.",
        inert="Python's ssl has no JSSE contexts, protocols says which versions are offered",
    )
    trust_manager_class_name = Attribute(str, None, doc="Not supported: the connector does not start with it.")
    truststore_algorithm = Attribute(str, None, inert="OpenSSL has no trust manager to choose")
    truststore_file = Attribute(str, None, doc="Keystore of authorities for client certificates, PKCS12 or JKS.")
    truststore_password = Attribute(str, None, doc="Its password.")
    truststore_provider = Attribute(str, None, inert="Python's ssl has no security providers")
    truststore_type = Attribute(str, None, inert="the type is read from the file's first bytes")

    elements = {
        "Certificate": Element(
            add=lambda config, certificate: config.add_certificate(certificate),
            default="org.apache.tomcat.util.net.SSLHostConfigCertificate",
            role=SSLHostConfigCertificate,
        ),
        "OpenSSLConf": Element(
            add=lambda config, conf: config.set_open_ssl_conf(conf),
            default="org.apache.tomcat.util.net.openssl.OpenSSLConf",
            role=OpenSSLConf,
        ),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.certificates: list[SSLHostConfigCertificate] = []
        self.open_ssl_conf: OpenSSLConf | None = None
        #: XML names of its and its certificates' attributes -> the names that the operator has written.
        self.written_as: dict[str, str] = {}

    def __str__(self) -> str:
        return f"SSLHostConfig[{self.host_name}]"

    def add_certificate(self, certificate: SSLHostConfigCertificate) -> None:
        """Add a certificate with another kind of key.

        Raises:
            ConfigurationError: there are several certificates, and one has no type, or two have the same.
        """
        kinds = [known.type for known in (*self.certificates, certificate)]
        if len(kinds) > 1 and ("UNDEFINED" in kinds or len(set(kinds)) < len(kinds)):
            raise ConfigurationError(f"{self}: several Certificates need a type each, and different ones", self.place)
        self.certificates.append(certificate)

    def set_open_ssl_conf(self, conf: OpenSSLConf) -> None:
        """Commands for OpenSSL's own configuration."""
        self.open_ssl_conf = conf

    def matches(self, name: str) -> bool:
        """True when a host name, in lower case, matches its own name or wildcard."""
        own = self.host_name.lower()
        if own.startswith("*."):
            return name.partition(".")[2] == own[2:]
        return name == own
