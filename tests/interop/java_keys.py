"""Key stores of a JMX server and its clients, as the JDK reads them."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from tests.connector.certificates import make_pair

__all__ = ["Keys"]


class Keys:
    """A server's and a client's key, each trusted by the other, and a stranger's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        pairs = {name: make_pair(name) for name in ("server", "client", "stranger")}
        for name, own in pairs.items():
            own.write_pkcs12(directory / f"{name}.p12", "geheim", name)
        encryption = BestAvailableEncryption(b"geheim")
        for name, other in (("server", "client"), ("client", "server"), ("stranger", "server")):
            trusted = [PKCS12Certificate(pairs[other].certificate, other.encode())]
            (directory / f"{name}-trust.p12").write_bytes(serialize_java_truststore(trusted, encryption))

    def store(self, name: str) -> str:
        return str(self.directory / f"{name}.p12")

    def options(self, name: str) -> dict[str, str]:
        return {
            "javax.net.ssl.keyStore": self.store(name),
            "javax.net.ssl.keyStorePassword": "geheim",
            "javax.net.ssl.trustStore": self.store(f"{name}-trust"),
            "javax.net.ssl.trustStorePassword": "geheim",
        }
