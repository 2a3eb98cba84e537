"""The ciphers of EncryptInterceptor, with the names and rules of Java (javax.crypto.Cipher).

A sealed message is an initialisation vector and the encrypted text. GCM adds a tag of 16 bytes. The other modes pad to
whole blocks and do not notice changes, so they are only for old members, and only if the operator allows them.

Java accepts any vector, and writes a random one. Here the vector is a keyed digest of the plain text and of the
envelope, which travels unencrypted (:meth:`MessageCipher.seal`), cut to the vector's length. A receiver with the key
computes the digest again and sees if text and envelope are unchanged. The vector differs from message to message as a
random one does, because each message has its own id and time.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError, ProtocolError
from catalina.extras import missing_package

if TYPE_CHECKING:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB, OFB
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import CBC

__all__ = ["MessageCipher"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.EncryptInterceptor")

_GCM_NONCE = 12
_GCM_TAG = 16
#: Key lengths and block length in bytes.
_ALGORITHMS = {"AES": ((16, 24, 32), 16), "DESEDE": ((24,), 8)}
_PADDED_MODES = ("CBC", "CFB", "OFB")


class MessageCipher:
    """Seals and opens messages.

    Args:
        transformation: Java's name of the cipher, such as ``AES/GCM/NoPadding``; all three parts are needed.
        key: used as it is.
        allow_insecure: accept modes that do not notice changes.

    Raises:
        ConfigurationError: the cipher is unknown, unsafe or unsuitable, the key has a wrong length, or the package
            ``cryptography`` is not installed.
    """

    def __init__(self, transformation: str, key: bytes, allow_insecure: bool = False) -> None:
        parts = transformation.upper().split("/")
        if len(parts) != 3:
            raise ConfigurationError(
                "Encryption algorithm is required, fully-specified e.g. AES/GCM/NoPadding, got " + repr(transformation)
            )
        algorithm, self._mode, padding = parts
        authenticated = (self._mode, padding) == ("GCM", "NOPADDING") and algorithm == "AES"
        padded = self._mode in _PADDED_MODES and padding == "PKCS5PADDING"
        if algorithm not in _ALGORITHMS or not (authenticated or padded):
            raise ConfigurationError(f"EncryptInterceptor does not support algorithm [{transformation}]")
        lengths, self._block = _ALGORITHMS[algorithm]
        if len(key) not in lengths:
            raise ConfigurationError(f"encryptionKey of {len(key)} bytes, {algorithm} takes {lengths}")
        if padded and not allow_insecure:
            raise ConfigurationError(
                f"encryptionAlgorithm [{transformation}] does not notice a message that was changed on the way; use "
                "AES/GCM/NoPadding, or set allowInsecureAlgorithms='true' for members that know nothing else"
            )
        if padded:
            log.warning(
                "The EncryptInterceptor is using the insecure algorithm [%s]. It is recommended to switch to using "
                "AES/GCM/NoPadding.",
                transformation,
            )
        self._algorithm = algorithm
        self._key = key
        self._vector_key = hmac.digest(key, b"catalina-python/1 initialisation vector", hashlib.sha256)
        self.nonce_size = _GCM_NONCE if authenticated else self._block
        _require_cryptography()

    def seal(self, plain: bytes, envelope: bytes) -> bytes:
        """The message to send.

        Args:
            envelope: data that travels unencrypted and must not be changed; different for each message.
        """
        nonce = self._vector(plain, envelope)
        if self._mode == "GCM":
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            return nonce + AESGCM(self._key).encrypt(nonce, plain, None)
        size = self._block - len(plain) % self._block
        encryptor = self._padded_cipher(nonce).encryptor()
        return nonce + encryptor.update(plain + bytes([size]) * size) + encryptor.finalize()

    def is_bound(self, sealed: bytes, plain: bytes, envelope: bytes) -> bool:
        """True when the sender has sealed ``plain`` for exactly this envelope."""
        return hmac.compare_digest(sealed[: self.nonce_size], self._vector(plain, envelope))

    def _vector(self, plain: bytes, envelope: bytes) -> bytes:
        digest = hmac.new(self._vector_key, len(envelope).to_bytes(4, "big") + envelope, hashlib.sha256)
        digest.update(plain)
        return digest.digest()[: self.nonce_size]

    def open(self, sealed: bytes) -> bytes:
        """The plain text of a message that was received.

        Raises:
            ProtocolError: the message is too short, was changed on the way, or was sealed with another key.
        """
        nonce, secret = sealed[: self.nonce_size], sealed[self.nonce_size :]
        if self._mode == "GCM":
            return self._open_authenticated(nonce, secret)
        if not secret or len(secret) % self._block:
            raise ProtocolError(f"sealed message of {len(sealed)} bytes is not made of blocks of {self._block}")
        decryptor = self._padded_cipher(nonce).decryptor()
        padded = decryptor.update(secret) + decryptor.finalize()
        size = padded[-1]
        if not 1 <= size <= self._block or padded[-size:] != bytes([size]) * size:
            raise ProtocolError("sealed message does not open with this key")
        return padded[:-size]

    def _open_authenticated(self, nonce: bytes, secret: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(secret) < _GCM_TAG:
            raise ProtocolError(f"sealed message of {len(nonce) + len(secret)} bytes is too short")
        try:
            return AESGCM(self._key).decrypt(nonce, secret, None)
        except InvalidTag:
            raise ProtocolError("sealed message was changed, or does not open with this key") from None

    def _padded_cipher(self, nonce: bytes) -> Cipher[CBC | CFB | OFB]:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
        from cryptography.hazmat.primitives.ciphers.modes import CBC

        mode = CBC(nonce) if self._mode == "CBC" else _stream_mode(self._mode, nonce)
        algorithm = algorithms.AES(self._key) if self._algorithm == "AES" else TripleDES(self._key)
        return Cipher(algorithm, mode)


def _stream_mode(name: str, nonce: bytes) -> CFB | OFB:
    """A mode that the package is about to move: the place depends on its version."""
    try:
        from cryptography.hazmat.decrepit.ciphers.modes import CFB, OFB
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.modes import CFB, OFB
    return CFB(nonce) if name == "CFB" else OFB(nonce)


def _require_cryptography() -> None:
    try:
        import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401  # only whether it is there
    except ImportError as exc:
        raise ConfigurationError(f"EncryptInterceptor: {missing_package('cryptography') or exc}") from exc
