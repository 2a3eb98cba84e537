"""Reads keys and authorities from keystore files, as PEM (needs the package cryptography, extra ``crypto``).

JKS keystores (JDK: sun/security/provider/JavaKeyStore.java, KeyProtector.java)::

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
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError, ProtocolError
from catalina.extras import missing_package

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates
    from cryptography.x509 import Certificate

__all__ = ["MAGIC", "JavaKeystore", "KeyEntry", "PemKey", "read_authorities", "read_key"]
MAGIC = b"\xfe\xed\xfe\xed"
WHITENER = b"Mighty Aphrodite"
DIGEST_SIZE = 20
KEY, CERTIFICATE = 1, 2
#: DER of the object identifier 1.3.6.1.4.1.42.2.17.1.1, Sun's protection algorithm.
SUN_PROTECTION = bytes.fromhex("060a2b060104012a02110101")


@dataclass(frozen=True, slots=True)
class PemKey:
    """A private key and its chain, own certificate first."""

    key: bytes
    chain: bytes


def read_key(path: Path, store_password: str, key_password: str | None, alias: str | None) -> PemKey:
    """The key of ``alias``, or the first key, of a PKCS12 or JKS file.

    Raises:
        ConfigurationError: the file cannot be read, a password is wrong, or there is no such key.
    """
    data = _read(path)
    if data.startswith(MAGIC):
        return _jks_key(path, data, store_password, key_password or store_password, alias)
    return _pkcs12_key(path, _pkcs12(path, data, store_password), alias)


def read_authorities(path: Path, password: str | None) -> str:
    """All certificates of a trust store, PEM.

    Raises:
        ConfigurationError: as :func:`read_key`; or there is none.
    """
    data = _read(path)
    if data.startswith(MAGIC):
        store = _jks(path, data, password or "changeit")
        found = [ssl.DER_cert_to_PEM_cert(der) for der in store.certificates.values()]
    else:
        loaded = _pkcs12(path, data, password or "")
        found = [_certificate_pem(one.certificate).decode() for one in loaded.additional_certs]
        if loaded.cert is not None:
            found.append(_certificate_pem(loaded.cert.certificate).decode())
    if not found:
        raise ConfigurationError(f"{path}: there is no certificate in it")
    return "".join(found)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"keystore {path}: {exc.strerror}") from exc


def _jks(path: Path, data: bytes, password: str) -> JavaKeystore:
    try:
        return JavaKeystore.parse(data, password)
    except ProtocolError as exc:
        raise ConfigurationError(f"{path}: {exc}") from exc


def _jks_key(path: Path, data: bytes, store_password: str, key_password: str, alias: str | None) -> PemKey:
    store = _jks(path, data, store_password)
    # Java keeps aliases in lower case.
    entry = next(iter(store.keys.values()), None) if alias is None else store.keys.get(alias.lower())
    if entry is None:
        raise ConfigurationError(f"{path}: there is no key with the alias {alias!r}; keys: {', '.join(store.keys)}")
    try:
        der = unprotect(entry.protected, key_password)
    except ProtocolError as exc:
        raise ConfigurationError(f"{path}: {exc}") from exc
    chain = "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in entry.chain)
    return PemKey(_private_pem(_serialization().load_der_private_key(der, None)), chain.encode())


def _pkcs12(path: Path, data: bytes, password: str) -> PKCS12KeyAndCertificates:
    pkcs12 = _serialization().pkcs12
    try:
        loaded: PKCS12KeyAndCertificates = pkcs12.load_pkcs12(data, password.encode() if password else None)
    except ValueError as exc:
        raise ConfigurationError(f"{path}: neither JKS nor PKCS12, or the password is wrong ({exc})") from exc
    return loaded


def _pkcs12_key(path: Path, loaded: PKCS12KeyAndCertificates, alias: str | None) -> PemKey:
    if loaded.key is None or loaded.cert is None:
        raise ConfigurationError(f"{path}: there is no key in it")
    name = (loaded.cert.friendly_name or b"").decode("utf-8", "replace")
    if alias is not None and name and name.lower() != alias.lower():
        raise ConfigurationError(f"{path}: there is no key with the alias {alias!r}; key: {name}")
    chain = [loaded.cert, *loaded.additional_certs]
    return PemKey(_private_pem(loaded.key), b"".join(_certificate_pem(one.certificate) for one in chain))


def _private_pem(key: PrivateKeyTypes) -> bytes:
    serialization = _serialization()
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _certificate_pem(certificate: Certificate) -> bytes:
    pem: bytes = certificate.public_bytes(_serialization().Encoding.PEM)
    return pem


def _serialization() -> ModuleType:
    """The part of cryptography that reads keys; it is an extra.

    Raises:
        ConfigurationError: the package is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: F401 - makes the attribute
    except ImportError as exc:
        raise ConfigurationError(missing_package("cryptography") or str(exc)) from exc
    return serialization


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
