"""``<OpenSSLConf>`` (Tomcat: util/net/openssl/OpenSSLConf.java)."""

from __future__ import annotations

from typing import Any

from catalina.attributes import Component, Element
from catalina.tomcat.util.net.openssl.open_ssl_conf_cmd import OpenSSLConfCmd

__all__ = ["OpenSSLConf"]


class OpenSSLConf(Component):
    """Commands for settings without an attribute of SSLHostConfig; ``tls_context`` applies those that Python's ssl
    supports.
    """

    elements = {
        "OpenSSLConfCmd": Element(
            add=lambda conf, command: conf.commands.append(command),
            default="org.apache.tomcat.util.net.openssl.OpenSSLConfCmd",
            role=OpenSSLConfCmd,
        )
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.commands: list[OpenSSLConfCmd] = []
