"""Stores passwords as derived keys, PBKDF2 (Tomcat: realm/SecretKeyCredentialHandler.java)."""

from __future__ import annotations

import hashlib
import re

from catalina.attributes import Attribute, AttributeRefused
from catalina.realm.credential_handler import DigestCredentialHandlerBase
from catalina.realm.message_digest import digest_name

__all__ = ["SecretKeyCredentialHandler"]

_ALGORITHM = re.compile(r"PBKDF2WithHmac(SHA[-/\w]+)", re.IGNORECASE)


def _algorithm(text: str) -> str:
    try:
        _hash_name(text)
    except ValueError:
        raise AttributeRefused("PBKDF2WithHmacSHA1, ...SHA256, ...SHA384 or ...SHA512") from None
    return text


def _hash_name(algorithm: str) -> str:
    found = _ALGORITHM.fullmatch(algorithm)
    if found is None:
        raise ValueError(f"unknown key derivation {algorithm!r}")
    return digest_name(found.group(1))


class SecretKeyCredentialHandler(DigestCredentialHandlerBase):
    """Compares with ``salt$iterations$key``, a key made by PBKDF2."""

    algorithm = Attribute(_algorithm, "PBKDF2WithHmacSHA1", doc="Java's name of the key derivation.")
    key_length = Attribute(int, 160, unit="bits", doc="Length of a new stored key.")
    iterations = Attribute(int, 20000, doc="Rounds when a new stored form is made; more cost more at every login.")

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """Compare; only the salted form exists."""
        return credentials is not None and self.matches_salted(credentials, stored)

    def compute(self, credentials: str, salt: bytes | None, iterations: int, key_bits: int | None = None) -> str | None:
        """The key, with the length of the stored one."""
        bits = key_bits if key_bits is not None else self.key_length
        if not salt or iterations <= 0 or bits < 8:
            # Java's PBEKeySpec refuses these
            self.logger.warning("Unable to generate a password based key: empty salt, no iterations or no key length")
            return None
        password = credentials.encode("utf-8", "replace")
        return hashlib.pbkdf2_hmac(_hash_name(self.algorithm), password, salt, iterations, bits // 8).hex()
