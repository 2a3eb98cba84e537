"""Stuck requests: said once, counted, ended."""

import logging
import threading
import time

import pytest

from catalina.errors import RequestInterrupted
from catalina.mbeans.managed_bean import ManagedBean
from catalina.valves.stuck_thread_detection_valve import StuckThreadDetectionValve
from tests.support.waiting import take_time
from tests.valves.exchange import make_request, run


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def make(**values):
    valve = StuckThreadDetectionValve(**values)
    valve.clock = Clock()
    return valve


def test_a_request_over_the_threshold_is_said_once_with_its_stack(caplog):
    valve = make(threshold=10)

    def serve(request, response):
        valve.clock.now = 9.0
        valve.background_process()
        assert valve.stuck_thread_count == 0
        valve.clock.now = 11.0
        valve.background_process()
        valve.background_process()
        assert valve.stuck_thread_count == 1
        assert valve.stuck_thread_names == ("MainThread",)
        assert valve.stuck_thread_ids == (threading.get_ident(),)
        bean = ManagedBean(valve)
        assert bean.get("stuckThreadIds") == [threading.get_ident()]
        assert bean.type_of("stuckThreadIds") == "[J"

    request, response = make_request("/slow", query="a=1")
    with caplog.at_level(logging.WARNING):
        run(valve, request, response, serve)
    assert caplog.text.count("may be stuck") == 2  # one message names it twice
    assert "/slow?a=1" in caplog.text
    assert "test_stuck_thread_detection_valve" in caplog.text


def test_a_stuck_request_that_ends_is_said_too(caplog):
    valve = make(threshold=10)

    def serve(request, response):
        valve.clock.now = 11.0
        valve.background_process()
        valve.clock.now = 12.0

    request, response = make_request()
    with caplog.at_level(logging.WARNING):
        run(valve, request, response, serve)
        valve.background_process()
    assert "was previously reported to be stuck but has completed" in caplog.text
    assert "[12000] milliseconds" in caplog.text
    assert valve.stuck_thread_count == 0


def test_a_threshold_of_zero_watches_none(caplog):
    valve = make(threshold=0)

    def serve(request, response):
        valve.clock.now = 1e9
        valve.background_process()

    request, response = make_request()
    run(valve, request, response, serve)
    assert caplog.text == ""


def test_a_stuck_request_can_be_interrupted(caplog):
    valve = make(threshold=1, interrupt_thread_threshold=2)
    inside = threading.Event()
    outcome = []

    def serve(request, response):
        inside.set()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            take_time(0.01)

    def run_it():
        request, response = make_request()
        try:
            run(valve, request, response, serve)
        except RequestInterrupted as exc:
            outcome.append(exc)

    thread = threading.Thread(target=run_it)
    thread.start()
    assert inside.wait(10)
    valve.clock.now = 3.0
    valve.background_process()
    thread.join(10)
    assert len(outcome) == 1
    assert valve.interrupted_threads_count == 1
    assert "has been interrupted because it was active" in caplog.text


def test_a_failing_request_is_forgotten_too():
    valve = make(threshold=1)

    def fail(request, response):
        raise ValueError("application")

    request, response = make_request()
    with pytest.raises(ValueError, match="application"):
        run(valve, request, response, fail)
    valve.clock.now = 100.0
    valve.background_process()
    assert valve.stuck_thread_names == ()
