"""TLS attributes that older configurations write on the Connector itself (Tomcat 9 and before).

Each is an attribute of the default SSLHostConfig, or of its one Certificate, under an older name;
``catalina.connector.tls`` carries them over.
"""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["TlsAttributes"]


_NO_PROVIDER = "Python's ssl has no security providers"
_LEFT_TO_OPENSSL = "Python's ssl leaves it to OpenSSL"


def _old(name: str, *aliases: str, inert: str = "") -> Attribute[str | None]:
    doc = f"Old place of {name} of the default SSLHostConfig."
    return Attribute(str, None, aliases=aliases, doc=doc, inert=inert)


def _old_certificate(name: str, *aliases: str, inert: str = "") -> Attribute[str | None]:
    doc = f"Old place of {name} of the default SSLHostConfig's Certificate."
    return Attribute(str, None, aliases=aliases, doc=doc, inert=inert)


class TlsAttributes(Component):
    """The old attributes as text; the element that has them today converts and checks them."""

    ssl_enabled = Attribute(bool, False, xml="SSLEnabled", doc="Speak TLS on this port.")
    default_ssl_host_config_name = Attribute(
        str,
        "_default_",
        xml="defaultSSLHostConfigName",
        doc="The SSLHostConfig for clients without or with unknown SNI.",
    )
    sni_parse_limit = Attribute(int, 65536, unit="bytes", doc="How far a ClientHello is searched for the host name.")
    strict_sni = Attribute(
        bool,
        True,
        doc="Host field and SNI name must belong to the same SSLHostConfig, else 421: it guards certificates.",
    )
    ssl_implementation_name = Attribute(str, None, inert="TLS is Python's ssl, OpenSSL")

    ssl_protocol = Attribute(
        str,
        "TLS",
        doc="Old place of sslProtocol of the default SSLHostConfig.",
        inert="Python's ssl has no JSSE contexts, sslEnabledProtocols says which versions are offered",
    )
    ssl_enabled_protocols = _old("protocols", "SSLProtocol")
    ciphers = _old("ciphers", "SSLCipherSuite")
    client_auth = _old("certificateVerification", "clientauth")
    ssl_verify_client = Attribute(
        str, None, xml="SSLVerifyClient", doc="Old place of certificateVerification of the default SSLHostConfig."
    )
    trust_max_cert_length = _old(
        "certificateVerificationDepth", "SSLVerifyDepth", inert="Python's ssl has no such limit, OpenSSL's own is 100"
    )
    use_server_cipher_suites_order = _old("honorCipherOrder", "SSLHonorCipherOrder")
    crl_file = _old("certificateRevocationListFile", "SSLCARevocationFile")
    ssl_ca_revocation_path = Attribute(
        str, None, xml="SSLCARevocationPath", doc="Old place of certificateRevocationListPath."
    )
    ssl_ca_certificate_file = Attribute(str, None, xml="SSLCACertificateFile", doc="Old place of caCertificateFile.")
    ssl_ca_certificate_path = Attribute(str, None, xml="SSLCACertificatePath", doc="Old place of caCertificatePath.")
    truststore_file = _old("truststoreFile")
    truststore_pass = _old("truststorePassword", "truststorePassword")
    truststore_type = _old("truststoreType", inert="the type is read from the file's first bytes")
    truststore_provider = _old("truststoreProvider", inert=_NO_PROVIDER)
    truststore_algorithm = _old("truststoreAlgorithm", inert="OpenSSL has no trust manager to choose")
    trust_manager_class_name = _old("trustManagerClassName")
    session_cache_size = _old("sessionCacheSize", inert=_LEFT_TO_OPENSSL)
    session_timeout = _old("sessionTimeout", inert=_LEFT_TO_OPENSSL)
    ssl_disable_compression = Attribute(str, None, xml="SSLDisableCompression", doc="Old place of disableCompression.")
    ssl_disable_session_tickets = Attribute(
        str, None, xml="SSLDisableSessionTickets", doc="Old place of disableSessionTickets."
    )
    algorithm = _old("keyManagerAlgorithm", inert="OpenSSL has no key manager to choose")
    allow_unsafe_legacy_renegotiation = _old("insecureRenegotiation")

    keystore_file = _old_certificate("certificateKeystoreFile", "keystore")
    keystore_pass = _old_certificate("certificateKeystorePassword", "keystorePassword")
    keystore_pass_file = _old_certificate("certificateKeystorePasswordFile")
    keystore_type = _old_certificate(
        "certificateKeystoreType", "keytype", inert="the type is read from the file's first bytes"
    )
    keystore_provider = _old_certificate("certificateKeystoreProvider", inert=_NO_PROVIDER)
    key_alias = _old_certificate("certificateKeyAlias")
    key_pass = _old_certificate("certificateKeyPassword", "SSLPassword", "keypass")
    key_pass_file = _old_certificate("certificateKeyPasswordFile")
    ssl_certificate_file = Attribute(str, None, xml="SSLCertificateFile", doc="Old place of certificateFile.")
    ssl_certificate_key_file = Attribute(str, None, xml="SSLCertificateKeyFile", doc="Old place of certificateKeyFile.")
    ssl_certificate_chain_file = Attribute(
        str, None, xml="SSLCertificateChainFile", doc="Old place of certificateChainFile."
    )
