"""Keys and certificates made for a test."""

from __future__ import annotations

import datetime
import functools
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Pair:
    """A key and its certificate."""

    key: Any
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    def key_pem(self, password: str | None = None) -> bytes:
        encryption = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        return bytes(self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption))

    def write(self, directory: Path, name: str, password: str | None = None) -> None:
        """``name.crt`` and ``name.key``."""
        (directory / f"{name}.crt").write_bytes(self.certificate_pem)
        (directory / f"{name}.key").write_bytes(self.key_pem(password))

    def write_pkcs12(self, path: Path, password: str, alias: str = "tomcat") -> None:
        encryption = serialization.BestAvailableEncryption(password.encode())
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(alias.encode(), self.key, self.certificate, None, encryption)
        )


def make_pair(name: str, signer: Pair | None = None, authority: bool = False) -> Pair:
    """A certificate for a DNS name and 127.0.0.1, signed by itself or by ``signer``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(signer.key if signer else key, hashes.SHA256())
    )
    return Pair(key, certificate)


@functools.cache
def authority() -> Pair:
    return make_pair("test-authority", authority=True)


@functools.cache
def pair(name: str) -> Pair:
    """The pair of a name, signed by :func:`authority`; made once."""
    return make_pair(name, authority())
