"""A connector with TLS, and a client that trusts it."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

from catalina.connector.connector import Connector
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.connector.certificates import authority, pair
from tests.connector.serving import Client, Container, serving


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Shows the facts of the environ that TLS gives, and the size of the body."""
    names = ("wsgi.url_scheme", "SERVER_PORT", "jakarta.servlet.request.cipher_suite",
             "jakarta.servlet.request.X509Certificate")  # fmt: skip
    shown = {name: environ.get(name) for name in names}
    shown["size"] = len(environ["wsgi.input"].read())
    start_response("200 OK", [])
    return [json.dumps(shown).encode()]


def host_config(directory: Path, name: str, **attributes: str) -> SSLHostConfig:
    """A set-up with a PEM certificate for ``name``."""
    pair(name).write(directory, name)
    config = SSLHostConfig()
    certificate = SSLHostConfigCertificate(
        certificate_file=str(directory / f"{name}.crt"), certificate_key_file=str(directory / f"{name}.key")
    )
    config.add_certificate(certificate)
    for xml_name, text in attributes.items():
        assert config.set_attribute(xml_name, text)
    return config


def serving_tls(*configs: SSLHostConfig, **attributes: str) -> Any:
    """A connector that serves the application with TLS."""

    def prepare(connector: Connector, container: Container) -> None:
        for config in configs:
            connector.add_ssl_host_config(config)

    return serving(application, prepare, SSLEnabled="true", **attributes)


class TlsClient(Client):
    """A client that trusts the test's authority."""

    socket: Any

    def __init__(self, connector: Connector, name: str = "shop.example.org", own: Path | None = None,
                 **context_attributes: Any) -> None:  # fmt: skip
        super().__init__(connector)
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        for attribute, value in context_attributes.items():
            setattr(context, attribute, value)
        if own is not None:
            context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        except BaseException:
            self.socket.close()
            raise

    @property
    def certificate_name(self) -> str:
        subject = self.socket.getpeercert()["subject"]
        return str(subject[0][0][1])
