"""Filter by network."""

import pytest

from catalina.attributes import AttributeRefused
from catalina.connector.connector import Connector
from catalina.errors import LifecycleError
from catalina.valves.remote_cidr_valve import RemoteCIDRValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def make(**attributes):
    valve = RemoteCIDRValve()
    for name, text in attributes.items():
        assert valve.set_attribute(name, text)
    return valve


@pytest.mark.parametrize(
    ("attributes", "address", "passes"),
    [
        ({"allow": "192.0.2.0/24, ::1"}, "192.0.2.1", True),
        ({"allow": "192.0.2.0/24, ::1"}, "::1", True),
        ({"allow": "192.0.2.0/24"}, "192.0.3.1", False),
        ({"deny": "192.0.2.0/24"}, "192.0.3.1", True),
        ({"deny": "192.0.2.0/24", "allow": "0.0.0.0/0"}, "192.0.2.9", False),
        ({"allow": "0.0.0.0/0"}, "a.host.name", False),
        ({}, "192.0.2.1", False),
        ({"deny": "192.0.2.0/24"}, "::ffff:192.0.2.1", False),
        ({"allow": "192.0.2.0/24"}, "::ffff:192.0.2.1", True),
        ({"allow": "192.0.2.0/24"}, "::ffff:c000:201", True),
    ],
)
def test_networks_decide(attributes, address, passes):
    request, response = make_request(remote_addr=address)
    assert bool(run(make(**attributes), request, response).requests) is passes


def test_ports_count_with_add_connector_port():
    valve = make(allow="192.0.2.0/24;8443", addConnectorPort="true")
    for port, passes in ((8443, True), (8080, False)):
        request, response = make_request(connector=stand_in(Connector, port_with_offset=port))
        assert bool(run(valve, request, response).requests) is passes


def test_a_wrong_network_keeps_the_valve_from_starting():
    valve = RemoteCIDRValve()
    with pytest.raises(AttributeRefused, match="networks"):
        valve.set_attribute("allow", "10.0.0.0/99")
    with pytest.raises(LifecycleError):
        valve.start()
