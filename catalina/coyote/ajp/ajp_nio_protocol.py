"""``protocol="AJP/1.3"``: the attributes (Tomcat: coyote/ajp/AbstractAjpProtocol.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, AttributeRefused
from catalina.coyote.abstract_protocol import AbstractProtocol

__all__ = ["AjpNioProtocol"]

MIN_PACKET, MAX_PACKET = 8192, 65536


def _packet_size(text: str) -> int:
    """Tomcat raises smaller values to 8192; more than 64 KiB cannot be expressed on the wire."""
    text = text.strip()
    if not text.isdecimal() or int(text) > MAX_PACKET:
        raise AttributeRefused(f"a whole number of bytes, {MIN_PACKET} to {MAX_PACKET}")
    return max(MIN_PACKET, int(text))


class AjpNioProtocol(AbstractProtocol):
    """AJP/1.3, for a proxy in front. Every process that can connect is believed, hence the secret and the loopback."""

    name_prefix = "ajp-nio"
    logger_name = "org.apache.coyote.ajp.AjpNioProtocol"

    address = Attribute(str, "127.0.0.1", doc="Address to listen on; loopback unless set, for AJP trusts its client.")
    connection_timeout = Attribute(
        int, -1, unit="ms", aliases=("soTimeout",), doc="How long a request may take to arrive; -1 waits for ever."
    )
    ajp_flush = Attribute(bool, True, doc="An explicit flush sends an empty packet, which makes the proxy flush too.")
    allowed_request_attributes_pattern = Attribute(
        str,
        None,
        doc="Regular expression (Java's) of request attributes beyond the known ones that a proxy may send; a request "
        "with another is 403.",
    )
    packet_size = Attribute(
        _packet_size, 8192, unit="bytes", doc="Longest packet, 8192 to 65536; must equal mod_jk's max_packet_size."
    )
    secret = Attribute(
        str, None, aliases=("requiredSecret",), doc="The proxy must send this with each request; others are 403."
    )
    secret_required = Attribute(
        bool, True, doc="Do not start without a secret. Set it to false only where nobody else can connect."
    )
    tomcat_authentication = Attribute(
        bool, True, doc="Log users in here. False believes the user that the proxy sends, and does not log in."
    )
    tomcat_authorization = Attribute(
        bool, False, doc="Believe the proxy's user but take the roles from the Realm; wins over tomcatAuthentication."
    )
