"""``<Certificate>`` (Tomcat: util/net/SSLHostConfigCertificate.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component, choice

__all__ = ["SSLHostConfigCertificate"]


class SSLHostConfigCertificate(Component):
    """One key with its certificate: PEM files, or an entry of a keystore."""

    def needed_packages(self) -> tuple[str, ...]:
        """A keystore is read by cryptography; PEM files need nothing."""
        return ("cryptography",) if self.certificate_keystore_file else ()

    certificate_file = Attribute(str, None, doc="PEM file with the server certificate, and the chain behind it.")
    certificate_chain_file = Attribute(str, None, doc="PEM file with the certificates that sign it.")
    certificate_key_file = Attribute(str, None, doc="PEM file with the private key; certificateFile unless set.")
    certificate_key_password = Attribute(str, None, doc="Password of the private key; that of the keystore unless set.")
    certificate_key_password_file = Attribute(str, None, doc="File whose first line is the password of the key.")
    certificate_key_alias = Attribute(str, None, doc="Entry of the keystore; its first key unless set.")
    certificate_keystore_file = Attribute(
        str, None, doc="Keystore, PKCS12 or JKS; ~/.keystore when neither this nor certificateFile is set."
    )
    certificate_keystore_password = Attribute(str, "changeit", doc="Password of the keystore.")
    certificate_keystore_password_file = Attribute(str, None, doc="File whose first line is that password.")
    certificate_keystore_provider = Attribute(str, None, inert="Python's ssl has no security providers")
    certificate_keystore_type = Attribute(str, "JKS", inert="the type is read from the file's first bytes")
    type = Attribute(
        choice("UNDEFINED", "RSA", "DSA", "EC", "MLDSA"),
        "UNDEFINED",
        doc="Kind of key. With several Certificates the client's ciphers choose, so each needs another kind.",
    )
