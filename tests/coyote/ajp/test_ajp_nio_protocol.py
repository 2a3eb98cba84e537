from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol


def test_nobody_is_believed_by_default():
    handler = AjpNioProtocol()
    assert handler.address == "127.0.0.1"
    assert handler.secret_required
    assert handler.secret is None
    assert handler.tomcat_authentication
    assert handler.connection_timeout == -1


def test_the_packet_size_has_the_bounds_of_the_wire():
    handler = AjpNioProtocol()
    handler.set_attribute("packetSize", "65536")
    assert handler.packet_size == 65536
    handler.set_attribute("packetSize", "100")
    assert handler.packet_size == 8192
    with pytest.raises(AttributeRefused):
        handler.set_attribute("packetSize", "65537")


def test_the_old_name_of_the_secret_still_sets_it():
    handler = AjpNioProtocol()
    assert handler.set_attribute("requiredSecret", "s3")
    assert handler.secret == "s3"
