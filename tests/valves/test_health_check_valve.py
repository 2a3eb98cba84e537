"""Health checks."""

import json

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.ha.session.delta_manager import DeltaManager
from catalina.lifecycle import LifecycleState
from catalina.valves.health_check_valve import HealthCheckValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import body_of, make_request, run


def container(state=LifecycleState.STARTED, *children):
    return stand_in(StandardContext, state=state, children=children, name="x", is_context=False)


def ask(valve, uri="/health", **attributes):
    request, response = make_request(uri, **attributes)
    last = run(valve, request, response)
    return response, last


@pytest.mark.parametrize(
    ("below", "status", "word"), [(LifecycleState.STARTED, 200, "UP"), (LifecycleState.FAILED, 503, "DOWN")]
)
def test_it_is_up_while_all_containers_run(below, status, word):
    valve = HealthCheckValve()
    valve.container = container(LifecycleState.STARTED, container(below))
    response, last = ask(valve)
    assert response.status == status
    assert json.loads(body_of(response)) == {"status": word, "checks": []}
    assert response.content_type == "application/json"
    assert not last.requests


def test_the_containers_need_not_be_looked_at():
    valve = HealthCheckValve(check_containers_available=False)
    valve.container = container(LifecycleState.FAILED)
    assert ask(valve)[0].status == 200


def test_other_paths_pass():
    valve = HealthCheckValve(path="/alive")
    valve.container = container()
    _, last = ask(valve, "/health")
    assert last.requests


def test_in_a_context_the_path_is_inside_the_application():
    valve = HealthCheckValve()
    valve.container = stand_in(
        StandardContext, state=LifecycleState.STARTED, children=(), name="/shop", is_context=True
    )
    response, last = ask(valve, "/shop/health", servlet_path="/health")
    assert not last.requests
    assert response.status == 200


def test_a_node_that_drains_is_down_whatever_its_containers_say():
    valve = HealthCheckValve(check_containers_available=False)
    valve.container = container(LifecycleState.STARTED)
    response, _ = ask(valve, connector=stand_in(Connector, draining=True, compresses=False))
    assert response.status == 503
    assert json.loads(body_of(response))["status"] == "DOWN"


def test_while_sessions_are_awaited_it_is_down_and_says_how_many_have_come():
    valve = HealthCheckValve()
    shop = container()
    shop.name, shop.manager = "/shop", stand_in(DeltaManager, state_progress=(10, 40))
    valve.container = container(LifecycleState.STARTED, shop)
    response, _ = ask(valve)
    assert response.status == 503
    check = {"name": "sessions of /shop", "status": "DOWN", "data": {"received": 10, "expected": 40}}
    assert json.loads(body_of(response)) == {"status": "DOWN", "checks": [check]}
    shop.manager.state_progress = None
    assert ask(valve)[0].status == 200
