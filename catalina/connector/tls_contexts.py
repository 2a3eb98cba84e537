"""The TLS contexts of one connector: one per SSLHostConfig, chosen by the name in the ClientHello, read anew when
their files change."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from catalina.tomcat.util.net.tls_context import files_of, make_context

if TYPE_CHECKING:
    from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
    from catalina.coyote.http11.tls_attributes import TlsAttributes
    from catalina.place import Place

__all__ = ["TlsContexts"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: Seconds between two checks for changed files; connections that come in between get the old certificate.
CHECK_SECONDS = 5.0

#: Old attributes of the Connector -> those of SSLHostConfig, by XML name.
HOST_NAMES = {
    "ssl_enabled_protocols": "protocols",
    "ciphers": "ciphers",
    "client_auth": "certificateVerification",
    "ssl_verify_client": "certificateVerification",
    "trust_max_cert_length": "certificateVerificationDepth",
    "use_server_cipher_suites_order": "honorCipherOrder",
    "crl_file": "certificateRevocationListFile",
    "ssl_ca_revocation_path": "certificateRevocationListPath",
    "ssl_ca_certificate_file": "caCertificateFile",
    "ssl_ca_certificate_path": "caCertificatePath",
    "truststore_file": "truststoreFile",
    "truststore_pass": "truststorePassword",
    "truststore_type": "truststoreType",
    "trust_manager_class_name": "trustManagerClassName",
    "session_cache_size": "sessionCacheSize",
    "session_timeout": "sessionTimeout",
    "ssl_disable_compression": "disableCompression",
    "ssl_disable_session_tickets": "disableSessionTickets",
    "allow_unsafe_legacy_renegotiation": "insecureRenegotiation",
}
#: The same -> those of Certificate.
CERTIFICATE_NAMES = {
    "keystore_file": "certificateKeystoreFile",
    "keystore_pass": "certificateKeystorePassword",
    "keystore_pass_file": "certificateKeystorePasswordFile",
    "keystore_type": "certificateKeystoreType",
    "key_alias": "certificateKeyAlias",
    "key_pass": "certificateKeyPassword",
    "key_pass_file": "certificateKeyPasswordFile",
    "ssl_certificate_file": "certificateFile",
    "ssl_certificate_key_file": "certificateKeyFile",
    "ssl_certificate_chain_file": "certificateChainFile",
}


class TlsContexts:
    """Wraps accepted sockets.

    Args:
        handler: has the old TLS attributes and defaultSSLHostConfigName.
        configs: the ``<SSLHostConfig>`` elements; without one the old attributes make one.
        base: CATALINA_BASE.
        alpn: the offered protocols.
        place: the place of the ``<Connector>``, which has the old attributes.

    Raises:
        ConfigurationError: a set-up cannot be used, or the default one is missing.
    """

    def __init__(
        self,
        handler: Http11NioProtocol,
        configs: Sequence[SSLHostConfig],
        base: Path,
        alpn: list[str],
        place: Place | None = None,
    ) -> None:
        self.configs = list(configs) or [config_of_old_attributes(handler, place)]
        self.default_name = handler.default_ssl_host_config_name.lower()
        self.strict_sni = handler.strict_sni
        self.parse_limit = handler.sni_parse_limit
        #: CATALINA_BASE.
        self.base = base
        self._alpn = alpn
        self._check_names()
        self._by_name = {config.host_name.lower(): config for config in self.configs}
        self._contexts = self._make_all()
        self._stamps = self._read_stamps()
        self._next_check = 0.0

    def _check_names(self) -> None:
        names = [config.host_name.lower() for config in self.configs]
        if len(set(names)) < len(names):
            raise ConfigurationError(f"several SSLHostConfig elements have the same hostName: {', '.join(names)}")
        if self.default_name not in names:
            raise ConfigurationError(f"no SSLHostConfig has the hostName {self.default_name!r}, which is the default")

    @property
    def needs_name(self) -> bool:
        """True when the host name of the ClientHello matters: there are several configurations to choose from."""
        return len(self.configs) > 1

    def wrap(self, sock: socket.socket, name: str | None = None) -> ssl.SSLSocket:
        """A server-side TLS socket with the set-up of a host name, before its handshake.

        The whole configuration must apply when the handshake begins. Changing the context later, in the SNI callback,
        takes over only the certificate: not the demand for client certificates, the protocols or the options.
        """
        self._reload_if_changed()
        context = self._contexts[self.config_for(name).host_name.lower()]
        return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def context_of(self, config: SSLHostConfig) -> ssl.SSLContext:
        """The context for new connections to the host name of a configuration."""
        return self._contexts[config.host_name.lower()]

    def config_for(self, name: str | None) -> SSLHostConfig:
        """The configuration for a host name: its own, a wildcard's, or the default."""
        if name:
            name = name.lower()
            for candidate in (name, "*." + name.partition(".")[2]):
                config = self._by_name.get(candidate)
                if config is not None:
                    return config
        return self._by_name[self.default_name]

    def reload(self) -> None:
        """Read all files anew; open connections keep what they have.

        Raises:
            ConfigurationError: they cannot be used; the old contexts stay.
        """
        self._contexts = self._make_all()
        self._stamps = self._read_stamps()
        log.info("TLS certificates were read anew: %s", ", ".join(self._contexts))

    def _make_all(self) -> dict[str, ssl.SSLContext]:
        contexts = {}
        for name, config in self._by_name.items():
            contexts[name] = make_context(config, self.base, self._alpn)
            if self.needs_name:
                contexts[name].sni_callback = partial(self._check_name, config)
        return contexts

    def _check_name(self, config: SSLHostConfig, sock: ssl.SSLObject, name: str | None, _: object) -> int | None:
        """Check SNI as OpenSSL has read it. If it names another host than the chosen one (its ClientHello is beyond
        sniParseLimit, or a second one names another host), the handshake ends, so that nobody can bypass a
        configuration.
        """
        sock.sni_name = name  # type: ignore[attr-defined]  # TlsStream compares it with the Host field
        return None if self.config_for(name) is config else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def _reload_if_changed(self) -> None:
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        stamps = self._read_stamps()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self.reload()
        except ConfigurationError as exc:
            log.error("Changed TLS files cannot be used, the old certificates stay: %s", exc)

    def _read_stamps(self) -> list[tuple[str, int, int]]:
        """Inode and time of each file, because a renewed certificate often has the size of the old one."""
        stamps = []
        for config in self.configs:
            for path in files_of(config, self.base):
                try:
                    status = os.stat(path)
                    stamps.append((str(path), status.st_ino, status.st_mtime_ns))
                except OSError:  # the file is being replaced: its absence is a state, too
                    stamps.append((str(path), 0, 0))
        return stamps


def config_of_old_attributes(handler: TlsAttributes, place: Place | None = None) -> SSLHostConfig:
    """The SSLHostConfig that TLS attributes on the Connector itself describe.

    Raises:
        ConfigurationError: one does not convert.
    """
    config, certificate = SSLHostConfig(), SSLHostConfigCertificate()
    config.place = certificate.place = place
    xml_names = {declaration.name: declaration.xml for declaration in handler.attributes().values()}
    for component, names in ((config, HOST_NAMES), (certificate, CERTIFICATE_NAMES)):
        for old, new in names.items():
            text = getattr(handler, old)
            if text is not None:
                component.set_attribute(new, text)
                config.written_as[new] = f"{xml_names[old]} ({new})"
    config.add_certificate(certificate)
    return config
