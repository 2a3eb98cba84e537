"""``<OpenSSLConfCmd>`` (Tomcat: util/net/openssl/OpenSSLConfCmd.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["OpenSSLConfCmd"]


class OpenSSLConfCmd(Component):
    """One command of OpenSSL's SSL_CONF_cmd(3)."""

    name = Attribute(str, None, doc="The command, such as Ciphersuites or MinProtocol.")
    value = Attribute(str, None, doc="Its argument.")
