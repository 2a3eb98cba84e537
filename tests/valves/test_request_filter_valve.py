"""Allow and deny, and what happens to who is refused."""

import pytest

from catalina.attributes import AttributeRefused
from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.errors import LifecycleError
from catalina.valves.remote_addr_valve import RemoteAddrValve
from catalina.valves.request_filter_valve import RequestFilterValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def make(**attributes):
    valve = RemoteAddrValve()
    for name, text in attributes.items():
        assert valve.set_attribute(name, text)
    return valve


@pytest.mark.parametrize(
    ("attributes", "passes"),
    [
        ({"allow": r"192\.0\.2\.\d+"}, True),
        ({"allow": r"10\..*"}, False),
        ({"deny": r"192\..*"}, False),
        ({"deny": r"10\..*"}, True),
        ({"allow": ".*", "deny": r"192\..*"}, False),
        ({"allow": r"192\.0"}, False),
        ({}, False),
    ],
)
def test_deny_wins_and_allow_alone_refuses_the_rest(attributes, passes):
    request, response = make_request()
    last = run(make(**attributes), request, response)
    assert bool(last.requests) is passes
    assert response.status == (200 if passes else 403)


@pytest.mark.parametrize(
    ("attributes", "passes"),
    [
        ({"deny": r"10\..*"}, False),
        ({"deny": r"::ffff:10\..*"}, False),
        ({"allow": r"10\..*"}, True),
        ({"allow": r"11\..*"}, False),
        ({"deny": r"10\.1\.2\.3;8080", "addConnectorPort": "true"}, False),
    ],
)
def test_an_ipv4_mapped_address_is_the_ipv4_address(attributes, passes):
    connector = stand_in(Connector, port_with_offset=8080)
    request, response = make_request(remote_addr="::ffff:10.1.2.3", connector=connector)
    assert bool(run(make(**attributes), request, response).requests) is passes


def test_the_status_can_be_chosen():
    request, response = make_request()
    run(make(allow="x", denyStatus="404"), request, response)
    assert response.status == 404


@pytest.mark.parametrize("name", ["allow", "deny"])
def test_a_value_that_is_no_pattern_keeps_the_valve_from_starting(name):
    valve = RemoteAddrValve()
    with pytest.raises(AttributeRefused):
        valve.set_attribute(name, "10.(")
    with pytest.raises(LifecycleError, match="prevented the Valve"):
        valve.start()


def test_instead_of_a_refusal_the_login_can_be_triggered():
    valve = make(allow="x", invalidAuthenticationWhenDeny="true")
    request, response = make_request(context=stand_in(StandardContext, preemptive_authentication=True))
    last = run(valve, request, response)
    assert last.requests == [request]
    assert request.headers.get("authorization") == "invalid"


def test_a_login_that_is_there_is_left_alone():
    valve = make(allow="x", invalidAuthenticationWhenDeny="true")
    request, response = make_request(
        headers=[("Authorization", "Basic eA==")], context=stand_in(StandardContext, preemptive_authentication=True)
    )
    run(valve, request, response)
    assert request.headers.get_all("authorization") == ["Basic eA=="]


def test_without_preemptive_authentication_it_is_a_refusal():
    valve = make(allow="x", invalidAuthenticationWhenDeny="true")
    request, response = make_request(context=stand_in(StandardContext, preemptive_authentication=False))
    run(valve, request, response)
    assert response.status == 403


def test_a_filter_says_what_it_looks_at():
    with pytest.raises(NotImplementedError):
        RequestFilterValve().property_of(make_request()[0])
