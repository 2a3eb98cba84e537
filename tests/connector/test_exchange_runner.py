from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from catalina.connector.http11_connection import Http11Connection
from catalina.reactor import Reactor
from tests.connector.serving import Client, serving
from tests.support.waiting import take_time


def test_a_path_that_was_slow_runs_in_other_threads_until_it_is_quick_again():
    pause = 0.3
    threads: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        threads.append(threading.current_thread().name)
        take_time(pause)
        start_response("200 OK", [])
        return [b"x"]

    with serving(application) as connector, Client(connector) as client:
        executor = connector.endpoint.executor
        client.get("/report")
        assert executor._slow
        pause = 0
        deadline = time.monotonic() + 20  # on a busy machine the first try may fail
        while executor._slow:
            assert time.monotonic() < deadline
            client.get("/report")
        client.get("/report")
        assert executor.busy == 0
        assert len(set(threads)) > 1


def test_a_connection_that_was_closed_while_its_request_waited_for_its_turn_runs_nothing(monkeypatch):
    ran: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ran.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"x"]

    with serving(application) as connector, Client(connector) as client, Client(connector) as other:
        client.get("/first")
        (connection,) = (each for each in connector.endpoint.connections if each.exchange.requests)  # type: ignore[attr-defined]
        after_input = Reactor.after_input
        with monkeypatch.context() as patch:
            patch.setattr(Reactor, "after_input", lambda self, task: (connection.close(), after_input(self, task)))
            client.send(b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.is_closed
        assert other.get("/third").status == 200
    assert ran == ["/first", "/third"]


def test_a_fault_of_our_own_costs_one_connection(monkeypatch, caplog):
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    with serving(application) as connector:
        with Client(connector) as client:
            client.get("/")
            with monkeypatch.context() as patch:
                patch.setattr(Http11Connection, "next", lambda _: 1 / 0)
                # It may be over with the first answer already.
                with contextlib.suppress(ConnectionError, AssertionError):
                    client.get("/")
                assert client.is_closed
        with Client(connector) as client:
            assert client.get("/").status == 200
    assert "ZeroDivisionError" in caplog.text


def test_a_request_that_nobody_can_run_closes_its_connection(caplog):
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        take_time(0.3)
        start_response("200 OK", [])
        return [b"x"]

    limits = {"maxThreads": "1", "maxQueueSize": "0"}
    with serving(application, **limits) as connector, Client(connector) as running, Client(connector) as refused:
        running.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        deadline = time.monotonic() + 5
        while not connector.endpoint.executor.busy:
            assert time.monotonic() < deadline
        refused.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert refused.is_closed
        assert running.answer().status == 200
    assert "too many requests wait for a thread" in caplog.text
