"""Passwords in clear text or as digests (Tomcat: realm/MessageDigestCredentialHandler.java)."""

from __future__ import annotations

import base64
import binascii
import codecs

from catalina.attributes import Attribute, AttributeRefused
from catalina.realm.constant_time import equal_bytes, equal_text
from catalina.realm.credential_handler import DigestCredentialHandlerBase
from catalina.realm.message_digest import digest, digest_name, password_bytes

__all__ = ["MessageDigestCredentialHandler"]

SHA1_SIZE = 20


def _algorithm(text: str) -> str:
    try:
        digest_name(text)
    except ValueError:
        raise AttributeRefused("the name of a message digest, such as SHA-256") from None
    return text


def _charset(text: str) -> str:
    try:
        codecs.lookup(text)
    except LookupError:
        raise AttributeRefused("the name of a charset") from None
    return text


class MessageDigestCredentialHandler(DigestCredentialHandlerBase):
    """Compare with clear text (no ``algorithm``), a bare digest, ``salt$iterations$digest`` or an LDAP form."""

    algorithm = Attribute(_algorithm, "", doc="Java's name of the digest, SHA-256; empty compares clear text.")
    encoding = Attribute(_charset, "UTF-8", doc="Charset of the password's bytes; what they were stored with.")
    digest_in_rfc3112_order = Attribute(
        bool, False, xml="digestInRfc3112Order", doc="Digest the password before the salt, as LDAP does."
    )

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """The stored form says how it is compared."""
        if credentials is None or stored is None:
            return False
        if not self.algorithm:
            return equal_text(credentials, stored)
        name = digest_name(self.algorithm)
        if stored.startswith(("{MD5}", "{SHA}")):
            ours = base64.b64encode(digest(name, credentials.encode("latin-1", "replace"))).decode()
            return equal_text(ours, stored[5:])
        if stored.startswith("{SSHA}"):
            return _matches_ssha(name, credentials, stored[6:])
        if "$" in stored:
            return self.matches_salted(credentials, stored)
        computed = self.compute(credentials, None, 1)
        return computed is not None and equal_text(computed, stored, ignore_case=True)

    def compute(self, credentials: str, salt: bytes | None, iterations: int, key_bits: int | None = None) -> str | None:
        """The digest of salt and password, as the attributes order them."""
        if not self.algorithm:
            return credentials
        data = password_bytes(credentials, self.encoding)
        salted = (data, salt or b"") if self.digest_in_rfc3112_order else (salt or b"", data)
        return digest(digest_name(self.algorithm), *salted, iterations=iterations).hex()


def _matches_ssha(name: str, credentials: str, stored: str) -> bool:
    """LDAP's salted SHA-1: base64 of digest and salt."""
    try:
        data = base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(data) < SHA1_SIZE:
        return False
    ours = digest(name, credentials.encode("latin-1", "replace"), data[SHA1_SIZE:])
    return equal_bytes(ours, data[:SHA1_SIZE])
