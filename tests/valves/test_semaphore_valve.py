"""SemaphoreValve: how many requests run at once."""

import threading

import pytest

from catalina.attributes import AttributeRefused
from catalina.valves.semaphore_valve import SemaphoreValve
from tests.valves.exchange import make_request, run


def test_a_request_without_a_permit_is_refused_when_it_must_not_wait():
    valve = SemaphoreValve(concurrency=1, block=False, high_concurrency_status=503)
    valve.start()
    statuses = []

    def inner(request, response):
        other, other_response = make_request()
        last = valve.next
        valve.invoke(other, other_response)
        statuses.append(other_response.status)
        valve.next = last

    request, response = make_request()
    run(valve, request, response, lambda req, res: inner(req, res) if not statuses else None)
    assert statuses == [503]
    assert response.status == 200


def test_the_permit_comes_back_also_after_a_failure():
    valve = SemaphoreValve(concurrency=1, block=False, high_concurrency_status=503)
    valve.start()

    def fail(request, response):
        raise ValueError("application")

    request, response = make_request()
    with pytest.raises(ValueError, match="application"):
        run(valve, request, response, fail)
    request, response = make_request()
    assert run(valve, request, response).requests


def test_a_blocking_valve_lets_the_next_wait():
    valve = SemaphoreValve(concurrency=1)
    valve.start()
    inside, leave = threading.Event(), threading.Event()
    order = []

    def serve(request, response):
        order.append("in")
        inside.set()
        assert leave.wait(10)
        order.append("out")

    threads = []
    for _ in range(2):
        request, response = make_request()
        thread = threading.Thread(target=run, args=(valve, request, response, serve))
        thread.start()
        threads.append(thread)
        assert inside.wait(10)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["in", "out", "in", "out"]


@pytest.mark.parametrize("text", ["", "many", "1.5"])
def test_permits_are_a_whole_number(text):
    with pytest.raises(AttributeRefused):
        SemaphoreValve().set_attribute("concurrency", text)


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize("concurrency", ["0", "-1"])
def test_without_permits_nothing_passes(concurrency, block):
    valve = SemaphoreValve(block=block, high_concurrency_status=503)
    assert valve.set_attribute("concurrency", concurrency)
    valve.start()
    request, response = make_request()
    assert not run(valve, request, response).requests
    assert response.status == 503
