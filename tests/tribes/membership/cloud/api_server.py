"""An HTTPS server that stands for the Kubernetes API, with an authority and certificates of its own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates into files of ``directory``."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca_file = directory / f"{name}.crt"
        self.ca_file.write_bytes(self._certify(self._name, self._key.public_key(), True).public_bytes(_PEM))

    def issue(self, name: str, password: bytes | None = None) -> tuple[Path, Path]:
        """Files with a certificate for 127.0.0.1 and with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, key_file = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        certificate.write_bytes(self._certify(subject, key.public_key(), False).public_bytes(_PEM))
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        key_file.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption))
        return certificate, key_file

    def _certify(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, is_ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)
            .sign(self._key, hashes.SHA256())
        )


_PEM = serialization.Encoding.PEM


class ApiServer:
    """Answers every question with ``pods``; keeps the paths and headers that came."""

    def __init__(self, authority: Authority, client_certificates: bool = False) -> None:
        self.pods: list[object] = []
        self.status = 200
        self.raw: bytes | None = None
        self.questions: list[tuple[str, dict[str, str]]] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("server"))
        if client_certificates:
            context.load_verify_locations(authority.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.questions.append((self.path, dict(self.headers)))
                body = api.raw if api.raw is not None else json.dumps({"items": api.pods}).encode()
                self.send_response(api.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that does not trust this server is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def pod(address: str, uid: str = "", phase: str = "Running", **changes: object) -> dict[str, object]:
    """A pod as the API describes it."""
    return {
        "metadata": {
            "name": f"node-{address}",
            "uid": uid or f"uid-{address}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "status": {"phase": phase, "podIP": address},
    } | changes
