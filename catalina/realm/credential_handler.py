"""Compares the credentials that a user types with the stored ones (Tomcat: catalina/CredentialHandler.java)."""

from __future__ import annotations

import logging
import secrets

from catalina.attributes import Attribute, Component
from catalina.realm.constant_time import equal_text

__all__ = ["CredentialHandler", "DigestCredentialHandlerBase"]


class CredentialHandler(Component):
    """Compares credentials, and makes their stored form."""

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """True when ``stored`` was made from ``credentials``. Takes the same time whatever differs."""
        raise NotImplementedError

    def mutate(self, credentials: str) -> str | None:
        """The form to store; None when the handler is not configured to make one."""
        raise NotImplementedError


class DigestCredentialHandlerBase(CredentialHandler):
    """Stored credentials of the form ``salt$iterations$digest`` (Tomcat: realm/DigestCredentialHandlerBase.java).

    This class handles salt and rounds; a subclass computes the digest.
    """

    iterations = Attribute(int, 1, doc="Rounds when a new stored form is made; more cost more at every login.")
    salt_length = Attribute(int, 32, unit="bytes", doc="Salt of a new stored form; 0 makes none.")
    log_invalid_stored_credentials = Attribute(
        bool, False, doc="Warn when the realm's stored credentials are not of a known form. The log then shows them."
    )

    @property
    def logger(self) -> logging.Logger:
        """The logger of the concrete class."""
        return logging.getLogger(f"org.apache.{type(self).__module__.rpartition('.')[0]}.{type(self).__name__}")

    def compute(self, credentials: str, salt: bytes | None, iterations: int, key_bits: int | None = None) -> str | None:
        """The digest in hexadecimal digits; None when it cannot be computed.

        Args:
            salt: None when the stored form has none, which differs from an empty one.
            key_bits: the length of the stored digest, for algorithms that can choose the length.
        """
        raise NotImplementedError

    def mutate(self, credentials: str) -> str | None:
        """The form ``salt$iterations$digest``, or the bare digest when there is no salt and one round."""
        salt = secrets.token_bytes(self.salt_length) if self.salt_length >= 0 else None
        computed = self.compute(credentials, salt, self.iterations)
        if computed is None or (self.salt_length == 0 and self.iterations == 1):
            return computed
        return f"{(salt or b'').hex()}${self.iterations}${computed}"

    def matches_salted(self, credentials: str, stored: str | None) -> bool:
        """Compare with ``salt$iterations$digest``."""
        parts = (stored or "").split("$", 2)
        try:
            hex_salt, rounds, hex_digest = parts
            salt, iterations, key_bits = bytes.fromhex(hex_salt), int(rounds), len(bytes.fromhex(hex_digest)) * 8
        except ValueError:
            self._invalid(stored)
            return False
        computed = self.compute(credentials, salt, iterations, key_bits)
        return computed is not None and equal_text(computed, hex_digest, ignore_case=True)

    def _invalid(self, stored: str | None) -> None:
        if self.log_invalid_stored_credentials:
            self.logger.warning(
                "The invalid stored credential string [%s] was provided by the Realm to match with the user provided"
                " credentials",
                stored,
            )
