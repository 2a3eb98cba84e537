"""Services that a process of a node offers to the others."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from catalina.errors import CatalinaError, ProtocolError
from catalina.workers.frames import CallError, decode_result, encode_call, encode_result
from catalina.workers.services import Calls, Services
from tests.workers.links import running_reactor


@pytest.fixture
def services() -> Iterator[Services]:
    with running_reactor() as reactor:
        yield Services(reactor)


def result_of(services: Services, service: str, argument: object) -> Any:
    results: list[bytes] = []
    there = threading.Event()

    def reply(result: bytes) -> None:
        results.append(result)
        there.set()

    services.call(encode_call(service, argument), 3, reply)
    assert there.wait(15)
    return decode_result(results[0])


def test_a_quick_service_answers_in_the_callers_thread(services: Services) -> None:
    services.add("where", lambda caller, argument: threading.get_ident(), is_quick=True)
    assert result_of(services, "where", None) == threading.get_ident()


def test_a_slow_service_has_a_thread_of_the_pool(services: Services) -> None:
    services.add("where", lambda caller, argument: threading.get_ident())
    assert result_of(services, "where", None) != threading.get_ident()


def test_a_service_knows_who_calls_and_what_for(services: Services) -> None:
    services.add("echo", lambda caller, argument: [caller, argument], is_quick=True)
    assert result_of(services, "echo", {"a": 1}) == [3, {"a": 1}]


def test_an_unknown_service_is_an_error_of_the_caller(services: Services) -> None:
    with pytest.raises(CallError, match=r"no service \[fly\]"):
        result_of(services, "fly", None)


def test_a_documented_failure_keeps_its_words(services: Services) -> None:
    def refuse(caller: int | None, argument: Any) -> Any:
        raise CatalinaError("there is no such application")

    services.add("deploy", refuse, is_quick=True)
    with pytest.raises(CallError, match=r"^there is no such application$"):
        result_of(services, "deploy", None)


def test_a_fault_is_logged_and_told(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    services.add("divide", lambda caller, argument: 1 // argument, is_quick=True)
    with pytest.raises(CallError, match="divide: ZeroDivisionError"):
        result_of(services, "divide", 0)
    assert caplog.records[0].levelno == logging.ERROR


def test_bytes_that_are_no_call_are_refused(services: Services) -> None:
    with pytest.raises(ProtocolError):
        services.call(b"\x00\x01x{", None, lambda result: None)


def test_each_call_gets_its_own_result() -> None:
    calls = Calls()
    (first, one), (second, two) = calls.begin(), calls.begin()
    calls.end(second, encode_result("second"))
    calls.end(first, encode_result(error="first"))
    assert two.result(0) == "second"
    with pytest.raises(CallError, match="first"):
        one.result(0)


def test_when_the_other_side_goes_no_call_waits_for_ever() -> None:
    calls = Calls()
    _, future = calls.begin()
    calls.lose("the worker has gone")
    with pytest.raises(CallError, match="the worker has gone"):
        future.result(0)
