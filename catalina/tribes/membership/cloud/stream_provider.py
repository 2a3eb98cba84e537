"""Connections to an API server (Tomcat: membership/cloud/TokenStreamProvider.java, CertificateStreamProvider.java).

Java trusts every server when it has no certificate of the authority; here no question is sent then.
"""

from __future__ import annotations

import http.client
import logging
import os
import ssl

from catalina.errors import ConfigurationError

__all__ = ["CertificateStreamProvider", "StreamProvider", "TokenStreamProvider"]

log = logging.getLogger("org.apache.catalina.tribes.membership.cloud.AbstractStreamProvider")

#: Bytes of an answer: enough for a list of some thousands of pods.
_MAX_ANSWER = 16 * 1024 * 1024


class StreamProvider:
    """Asks one server over HTTP or HTTPS.

    Args:
        protocol: http or https.
        host: the server's name or address.
        port: its port.
        ca_file: certificates of the authority that must have signed the server's.
        connect_timeout: seconds.
        read_timeout: seconds.

    Raises:
        OSError: a file cannot be read.
        ConfigurationError: the protocol is another one.
    """

    def __init__(
        self, protocol: str, host: str, port: int, ca_file: str, connect_timeout: float, read_timeout: float
    ) -> None:
        if protocol not in ("http", "https"):
            raise ConfigurationError(f"protocol of the API server is {protocol!r}, expected http or https")
        self._protocol = protocol
        self._host = host
        self._port = port
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._context = ssl.create_default_context(cafile=ca_file) if protocol == "https" else None

    def __str__(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self._protocol}://{host}:{self._port}"

    def headers(self) -> dict[str, str]:
        """The headers of every question."""
        return {"Accept": "application/json"}

    def get(self, path: str) -> bytes:
        """The body of the answer.

        Raises:
            OSError: there was no connection, another status than 200, or too long an answer.
        """
        connection = self._connect()
        try:
            connection.connect()
            if connection.sock is not None:
                connection.sock.settimeout(self._read_timeout)
            connection.request("GET", path, headers=self.headers())
            response = connection.getresponse()
            body = response.read(_MAX_ANSWER + 1)
        except http.client.HTTPException as exc:
            raise OSError(f"answer of {self} is not understood: {exc!r}") from exc
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise OSError(f"{self}{path} answered {response.status} {response.reason}")
        if len(body) > _MAX_ANSWER:
            raise OSError(f"answer of {self} is longer than {_MAX_ANSWER} bytes")
        return body

    def _connect(self) -> http.client.HTTPConnection:
        if self._context is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._connect_timeout, context=self._context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._connect_timeout)


class TokenStreamProvider(StreamProvider):
    """Identifies itself by the token of a service account; the platform replaces the token in its file from time to
    time.
    """

    def __init__(
        self,
        protocol: str,
        host: str,
        port: int,
        ca_file: str,
        connect_timeout: float,
        read_timeout: float,
        token_file: str,
    ) -> None:
        super().__init__(protocol, host, port, ca_file, connect_timeout, read_timeout)
        self._token_file = token_file
        self._modified = 0
        self._token = ""
        self._reload()

    def headers(self) -> dict[str, str]:
        """Headers with the newest token, or with the last one when the file is missing."""
        try:
            self._reload()
        except OSError as exc:
            log.warning("Service account token not found at [%s]: %s", self._token_file, exc)
        return super().headers() | {"Authorization": f"Bearer {self._token}"}

    def _reload(self) -> None:
        modified = os.stat(self._token_file).st_mtime_ns
        if modified != self._modified:
            with open(self._token_file, encoding="ascii") as file:
                self._token = file.read().strip()
            self._modified = modified


class CertificateStreamProvider(StreamProvider):
    """Identifies itself by a certificate."""

    def __init__(
        self,
        protocol: str,
        host: str,
        port: int,
        ca_file: str,
        connect_timeout: float,
        read_timeout: float,
        certificate_file: str,
        key_file: str,
        password: str | None,
    ) -> None:
        super().__init__(protocol, host, port, ca_file, connect_timeout, read_timeout)
        if self._context is not None:
            self._context.load_cert_chain(certificate_file, key_file, password)
