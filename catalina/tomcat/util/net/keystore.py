"""Reads keys and authorities from keystore files, as PEM (needs the package cryptography, extra ``crypto``)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError, ProtocolError
from catalina.extras import missing_package
from catalina.tomcat.util.net.java_keystore import MAGIC, JavaKeystore, unprotect

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates
    from cryptography.x509 import Certificate

__all__ = ["PemKey", "read_authorities", "read_key"]


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
