"""Filter by address."""

from catalina.connector.connector import Connector
from catalina.valves.remote_addr_valve import RemoteAddrValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def test_the_connectors_port_can_be_part_of_the_match():
    valve = RemoteAddrValve(add_connector_port=True)
    valve.set_attribute("allow", r"192\.0\.2\.1;8443")
    for port, status in ((8443, 200), (8080, 403)):
        request, response = make_request(connector=stand_in(Connector, port_with_offset=port))
        run(valve, request, response)
        assert response.status == status


def test_the_peer_can_be_looked_at_instead_of_the_client():
    valve = RemoteAddrValve(use_peer_address=True)
    valve.set_attribute("allow", r"10\.0\.0\.1")
    request, response = make_request(peer_addr="10.0.0.1")
    assert run(valve, request, response).requests
    request, response = make_request()
    assert not run(valve, request, response).requests
