"""A disabled node sends new clients away."""

import pytest

from catalina.ha.session.delta_session import DeltaSession
from catalina.valves.load_balancer_draining_valve import LoadBalancerDrainingValve
from tests.connector.bare import BareContext
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def visit(valve, uri="/shop/cart", activation="DIS", session=None, headers=(), **attributes):
    request, response = make_request(
        uri, headers=headers, context=BareContext(), get_session=lambda create=True: session, **attributes
    )
    if activation is not None:
        request.attributes["JK_LB_ACTIVATION"] = activation
    last = run(valve, request, response)
    return response, bool(last.requests)


@pytest.mark.parametrize("activation", ["ACT", None, "STP"])
def test_an_active_node_serves_everybody(activation):
    assert visit(LoadBalancerDrainingValve(), activation=activation)[1]


def test_a_client_with_its_session_here_is_served():
    _, passed = visit(LoadBalancerDrainingValve(), requested_session_id="S1", session=stand_in(DeltaSession, id="S1"))
    assert passed


def test_a_client_without_a_session_here_is_sent_away_and_loses_its_cookie():
    response, passed = visit(
        LoadBalancerDrainingValve(), headers=[("Cookie", "JSESSIONID=S1.n1")], requested_session_id="S1.n1"
    )
    assert not passed
    assert response.status == 307
    assert response.get_header("Location") == "/shop/cart"
    cookie = response.get_header("Set-Cookie")
    assert cookie.startswith("JSESSIONID=")
    assert "S1" not in cookie
    assert "Max-Age=0" in cookie
    assert "Path=/shop" in cookie


def test_the_session_id_leaves_the_url_and_slashes_cannot_name_a_host():
    response, _ = visit(
        LoadBalancerDrainingValve(redirect_status_code=302),
        "//evil.example/x;jsessionid=S1.n1/y", requested_session_id="S1.n1", query="a=1",
    )  # fmt: skip
    assert response.status == 302
    assert response.get_header("Location") == "/evil.example/x/y?a=1"


def test_the_ignore_cookie_lets_a_tester_through():
    valve = LoadBalancerDrainingValve(ignore_cookie_name="test", ignore_cookie_value="yes")
    assert visit(valve, headers=[("Cookie", "test=yes")])[1]
    assert not visit(valve, headers=[("Cookie", "test=no")])[1]
