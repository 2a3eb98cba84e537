"""JKS keystores (JDK: sun/security/provider/JavaKeyStore.java, KeyProtector.java).

::

    4 bytes  0xFEEDFEED
    4 bytes  version, 1 or 2
    4 bytes  number of entries
    entry:   4 bytes tag (1 key, 2 certificate), UTF alias, 8 bytes date
             key:         4 bytes n, n bytes protected key; 4 bytes m, m certificates
             certificate: UTF type (version 2), 4 bytes n, n bytes DER
    20 bytes SHA-1 of the password (UTF-16), "Mighty Aphrodite" and all of the above

A protected key is a PKCS8 EncryptedPrivateKeyInfo whose data are a salt (20 bytes), the key XOR a stream of SHA-1
hashes of password and salt, and a SHA-1 of password and key to check it.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from catalina.errors import ProtocolError

__all__ = ["MAGIC", "JavaKeystore", "KeyEntry"]

MAGIC = b"\xfe\xed\xfe\xed"
WHITENER = b"Mighty Aphrodite"
DIGEST_SIZE = 20
KEY, CERTIFICATE = 1, 2
#: DER of the object identifier 1.3.6.1.4.1.42.2.17.1.1, Sun's protection algorithm.
SUN_PROTECTION = bytes.fromhex("060a2b060104012a02110101")


@dataclass(slots=True)
class KeyEntry:
    """A key, still protected, and its chain, own certificate first; all DER."""

    protected: bytes
    chain: list[bytes]


@dataclass(slots=True)
class JavaKeystore:
    """The content of a file, by alias, in the order of the file."""

    keys: dict[str, KeyEntry] = field(default_factory=dict)
    certificates: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, password: str) -> JavaKeystore:
        """Read a file.

        Raises:
            ProtocolError: the data is no JKS file, is damaged, or the password is wrong.
        """
        body, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
        expected = hashlib.sha1(password.encode("utf-16-be") + WHITENER + body, usedforsecurity=False).digest()
        if not hmac.compare_digest(expected, digest):
            raise ProtocolError("the keystore was tampered with, or its password is wrong")
        return _Reader(body).keystore()


class _Reader:
    """Reads a file whose digest was verified."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if size < 0 or len(taken) < size:
            raise ProtocolError(f"keystore: {size} bytes expected", self._at)
        self._at += size
        return taken

    def _int(self) -> int:
        number: int = struct.unpack(">i", self._take(4))[0]
        return number

    def _text(self) -> str:
        (size,) = struct.unpack(">H", self._take(2))
        return self._take(size).decode("utf-8", "replace")

    def keystore(self) -> JavaKeystore:
        if self._take(4) != MAGIC:
            raise ProtocolError("keystore: it does not begin as a JKS file", 0)
        version = self._int()
        if version not in (1, 2):
            raise ProtocolError(f"keystore: version {version}, expected 1 or 2", 4)
        found = JavaKeystore()
        for _ in range(self._int()):
            tag, alias = self._int(), self._text()
            self._take(8)
            if tag == KEY:
                protected = self._take(self._int())
                found.keys[alias] = KeyEntry(protected, [self._certificate(version) for _ in range(self._int())])
            elif tag == CERTIFICATE:
                found.certificates[alias] = self._certificate(version)
            else:
                raise ProtocolError(f"keystore: entry of kind {tag}, expected 1 or 2", self._at)
        return found

    def _certificate(self, version: int) -> bytes:
        if version == 2:
            self._text()
        return self._take(self._int())


def unprotect(protected: bytes, password: str) -> bytes:
    """The key of an entry, PKCS8 DER.

    Raises:
        ProtocolError: the key is protected by another algorithm, or the password is wrong.
    """
    at = protected.find(SUN_PROTECTION)
    if at < 0:
        raise ProtocolError("keystore: the key is not protected as JKS files do")
    data = _octet_string(protected, at + len(SUN_PROTECTION))
    salt, encrypted, check = data[:DIGEST_SIZE], data[DIGEST_SIZE:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    secret = password.encode("utf-16-be")
    stream = bytearray()
    block = salt
    while len(stream) < len(encrypted):
        block = hashlib.sha1(secret + block, usedforsecurity=False).digest()
        stream += block
    key = bytes(one ^ other for one, other in zip(encrypted, stream, strict=False))
    if not hmac.compare_digest(hashlib.sha1(secret + key, usedforsecurity=False).digest(), check):
        raise ProtocolError("keystore: the password of the key is wrong")
    return key


def _octet_string(data: bytes, at: int) -> bytes:
    """The DER OCTET STRING behind the algorithm, past an optional NULL."""
    if data[at : at + 2] == b"\x05\x00":
        at += 2
    if data[at : at + 1] != b"\x04" or at + 1 >= len(data):
        raise ProtocolError("keystore: the protected key is malformed", at)
    size, at = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    taken = data[at : at + size]
    if len(taken) < size or size < 2 * DIGEST_SIZE:
        raise ProtocolError("keystore: the protected key is cut short", at)
    return taken
