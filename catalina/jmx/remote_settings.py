"""The JDK's properties of a JMX port: ``-Dcom.sun.management.jmxremote.port=9010`` and related ones.

The defaults are the JDK's, so they guard access: without ``ssl=false`` and ``authenticate=false``, keys and passwords
must exist, otherwise the server does not start. A property that guards access and has no counterpart here is refused.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalina.digester.property_file import read_properties
from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate

__all__ = ["PREFIX", "RemoteSettings", "is_wanted", "read_settings"]

PREFIX = "com.sun.management.jmxremote"
_CONFIG_FILE = "com.sun.management.config.file"
_HOSTNAME = "java.rmi.server.hostname"
#: Properties that are read, without the prefix; a warning names others with the same prefix.
_KNOWN = frozenset(
    """
    port rmi.port host authenticate password.file access.file ssl registry.ssl ssl.need.client.auth ssl.config.file
    ssl.enabled.protocols ssl.enabled.cipher.suites local.only local.port autodiscovery
    password.toHashes
    """.split()  # noqa: SIM905  # the words are the JDK's
)
#: Properties that guard access and have no counterpart here.
_REFUSED = {
    "login.config": "JAAS is Java's; use password.file",
    "authenticate.login.config": "JAAS is Java's; use password.file",
}
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """The settings of a JMX port.

    Args:
        port: of the registry; 0 is any free one.
        rmi_port: of the objects; the registry's unless given, so that one port goes through a firewall.
        host: address to bind to, None for all.
        hostname: the host that clients are told to call, None for the address that they have called.
        password_file, access_file: None without authentication.
        tls: the TLS settings of the objects' port, None for plain sockets.
        registry_tls: True when the registry's port uses TLS, too.
        to_hashes: passwords as they are become hashes in the password file.
    """

    port: int
    rmi_port: int
    host: str | None = None
    hostname: str | None = None
    password_file: Path | None = None
    access_file: Path | None = None
    tls: SSLHostConfig | None = None
    registry_tls: bool = False
    remarks: tuple[str, ...] = field(default=())
    to_hashes: bool = True


def is_wanted(properties: Mapping[str, str]) -> bool:
    """True when the properties ask for a port. ``com.sun.management.jmxremote`` alone is for tools on the same machine,
    which attach to a JVM by means that only Java has.
    """
    return f"{PREFIX}.port" in properties or _CONFIG_FILE in properties


def read_settings(properties: Mapping[str, str], base: Path) -> RemoteSettings | None:
    """The port that the properties ask for, None when they ask for none.

    Args:
        base: CATALINA_BASE, to which relative paths belong.

    Raises:
        ConfigurationError: a value is invalid, a file is missing or readable by others, or a property that guards
            access has no counterpart here.
    """
    given = _Given(properties, base)
    port = given.port("port")
    if port is None:
        return None
    given.refuse_unsupported()
    rmi_port = given.port("rmi.port")
    authenticated = given.flag("authenticate", True)
    host = given.text("host")
    remarks = list(given.unknown())
    if not authenticated and host is None:
        host = _LOOPBACK
        remarks.append(f"without authentication it is bound to {_LOOPBACK}; {PREFIX}.host names another address")
    if not authenticated and host != _LOOPBACK:
        remarks.append(f"everybody who reaches [{host}] may change everything: {PREFIX}.authenticate is false")
    return RemoteSettings(
        port,
        port if rmi_port is None else rmi_port,
        host,
        properties.get(_HOSTNAME) or None,
        given.password_file() if authenticated else None,
        given.access_file() if authenticated else None,
        given.tls() if given.flag("ssl", True) else None,
        given.flag("registry.ssl", False),
        tuple(remarks),
        given.flag("password.toHashes", True),
    )


class _Given:
    """The properties; the command line overrides the configuration file."""

    def __init__(self, properties: Mapping[str, str], base: Path) -> None:
        self._base = base
        file = properties.get(_CONFIG_FILE)
        self._properties = {**(_read(base / file) if file else {}), **properties}

    def text(self, name: str) -> str | None:
        return self._properties.get(f"{PREFIX}.{name}", "").strip() or None

    def flag(self, name: str, default: bool) -> bool:
        text = self.text(name)
        if text is None:
            return default
        if text.lower() not in ("true", "false"):
            raise ConfigurationError(f"{PREFIX}.{name}={text}: expected true or false")
        return text.lower() == "true"

    def port(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
            raise ConfigurationError(f"{PREFIX}.{name}={text}: expected a port")
        return int(text)

    def refuse_unsupported(self) -> None:
        for name, why in _REFUSED.items():
            if self.text(name) is not None:
                raise ConfigurationError(f"{PREFIX}.{name} is not supported: {why}")

    def unknown(self) -> Iterator[str]:
        for name in sorted(self._properties):
            if name.startswith(f"{PREFIX}.") and name.removeprefix(f"{PREFIX}.") not in _KNOWN | _REFUSED.keys():
                yield f"{name} means nothing here"

    def password_file(self) -> Path:
        path = self._file("password.file", "jmxremote.password")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"Password file read access must be restricted: {path}")
        return path

    def access_file(self) -> Path:
        return self._file("access.file", "jmxremote.access")

    def _file(self, name: str, default: str) -> Path:
        text = self.text(name)
        path = self._base / (text or f"conf/{default}")
        if not path.is_file():
            words = "Password" if name.startswith("password") else "Access"
            raise ConfigurationError(
                f"{words} file not found: {path}; {PREFIX}.{name} names it, {PREFIX}.authenticate=false does without"
            )
        return path

    def tls(self) -> SSLHostConfig:
        """Keys and certificates from the properties that every Java process has."""
        stores = self._properties
        config_file = self.text("ssl.config.file")
        if config_file:
            stores = {**stores, **_read(self._base / config_file)}
        key_store = stores.get("javax.net.ssl.keyStore")
        if not key_store:
            raise ConfigurationError(
                f"{PREFIX}.ssl is on, as it is unless it is false, and javax.net.ssl.keyStore names no keys"
            )
        config = SSLHostConfig()
        password = stores.get("javax.net.ssl.keyStorePassword", "")
        config.add_certificate(
            SSLHostConfigCertificate(
                certificate_keystore_file=str(self._base / key_store), certificate_keystore_password=password
            )
        )
        trust_store = stores.get("javax.net.ssl.trustStore")
        if trust_store:
            config.give(truststore_file=str(self._base / trust_store))
            config.give(truststore_password=stores.get("javax.net.ssl.trustStorePassword"))
        if self.flag("ssl.need.client.auth", False):
            if not trust_store:
                raise ConfigurationError(f"{PREFIX}.ssl.need.client.auth needs javax.net.ssl.trustStore")
            config.set_attribute("certificateVerification", "required")
        for name, attribute in (("ssl.enabled.protocols", "protocols"), ("ssl.enabled.cipher.suites", "ciphers")):
            text = self.text(name)
            if text is not None:
                config.set_attribute(attribute, text)
        return config


def _read(path: Path) -> dict[str, str]:
    try:
        return read_properties(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
