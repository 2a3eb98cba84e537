"""A member of the configuration: ``<Member>`` and ``<LocalMember>`` (Tomcat: tribes/membership/StaticMember.java)."""

from __future__ import annotations

import ipaddress
import socket

from catalina.attributes import Attribute, AttributeRefused, Component
from catalina.errors import ConfigurationError
from catalina.tribes.byte_text import byte_list, text_or_byte_list
from catalina.tribes.member import Member

__all__ = ["StaticMember"]


def _unique_id(text: str) -> bytes:
    """Converter for ``{0,1,...,15}``."""
    value = byte_list(text)
    if len(value) != 16:
        raise AttributeRefused(f"16 bytes as {{0,1,...,15}}, not {len(value)}")
    return value


class StaticMember(Component):
    """The address and the identity of a member."""

    host = Attribute(str, "", aliases=("hostname",), doc="Name or address of its receiver, or bytes as {127,0,0,1}.")
    port = Attribute(int, 0, doc="Port of its receiver.")
    secure_port = Attribute(int, -1, doc="The securePort of its receiver, for TLS with the channel's key; -1 for none.")
    udp_port = Attribute(int, -1, doc="Its UDP port.")
    unique_id = Attribute(_unique_id, bytes(16), doc="16 bytes {0,1,...,15}, the same on all members.")
    domain = Attribute(text_or_byte_list, b"", doc="Its domain: text, or bytes as {1,2,3}.")

    def to_member(self) -> Member:
        """The member; a host name is looked up at this moment.

        Raises:
            ConfigurationError: the host or the port is missing, the port is out of range, or the name is unknown.
        """
        if not self.host or not 0 < self.port < 65536:
            raise ConfigurationError(f"<Member> needs host and port, got {self.host!r} and {self.port}", self.place)
        for name, port in (("securePort", self.secure_port), ("udpPort", self.udp_port)):
            if not -1 <= port < 65536:
                raise ConfigurationError(f"<Member {name}='{port}'>, expected a port, or -1 for none", self.place)
        return Member(
            self._address(), self.port, self.secure_port, self.udp_port, unique_id=self.unique_id, domain=self.domain
        )

    def _address(self) -> bytes:
        if self.host.strip().startswith("{"):
            return self._listed_bytes()
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise ConfigurationError(f"<Member host={self.host!r}>: {exc}", self.place) from exc
        return ipaddress.ip_address(found[0][4][0]).packed

    def _listed_bytes(self) -> bytes:
        try:
            address = byte_list(self.host)
        except AttributeRefused as exc:
            raise ConfigurationError(f"<Member host={self.host!r}>, {exc}", self.place) from exc
        if len(address) not in (4, 16):
            raise ConfigurationError(f"<Member host={self.host!r}>, expected 4 or 16 bytes", self.place)
        return address
