from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.core.standard_thread_executor import StandardThreadExecutor
from catalina.reactor import Reactor
from tests.connector.serving import Client, Container, serving
from tests.support.waiting import take_time, wait_until


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["REMOTE_ADDR"].encode()]


def test_connections_beyond_the_limit_wait_until_there_is_room():
    with serving(hello, maxConnections="2", keepAliveTimeout="60000") as connector:
        first, second, third = (Client(connector) for _ in range(3))
        assert first.get().status == second.get().status == 200
        third.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        third.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            third.receive_more()
        third.socket.settimeout(5)
        first.socket.close()
        assert third.answer().status == 200
        for client in (second, third):
            client.socket.close()


def test_without_an_address_both_families_are_served():
    def prepare(connector: Any, container: Container) -> None:
        connector.protocol_handler.address = None

    with serving(hello, prepare) as connector, Client(connector) as client:
        assert client.get().body == b"127.0.0.1"  # not ::ffff:127.0.0.1


def test_socket_options_are_set():
    seen: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return hello(environ, start_response)

    attributes = {
        "socket_soKeepAlive": "true",
        "socket_txBufSize": "20000",
        "tcpNoDelay": "false",
        "connectionLinger": "7",
    }
    with serving(application, **attributes) as connector, Client(connector) as client:
        client.get()
        (connection,) = connector.endpoint.connections
        sock = connection.stream.sock
        seen.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        seen.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    assert seen == [1, 40_000, 0]  # the kernel doubles buffer sizes
    assert linger == b"\1\0\0\0\7\0\0\0"


def test_connectors_share_an_executor_by_name():
    shared: Any = StandardThreadExecutor(max_threads=2, max_queue_size=10, name="pool")

    def prepare(connector: Any, container: Any) -> None:
        container.find_executor = lambda name: shared if name == "pool" else None

    with serving(hello, prepare, executor="pool") as connector, Client(connector) as client:
        assert client.get().status == 200
        assert connector.endpoint.executor.max_threads == 2
        assert shared.request_executor is connector.endpoint.executor


def test_an_unknown_executor_is_said(caplog):
    with serving(hello, executor="nowhere") as connector, Client(connector) as client:
        assert client.get().status == 200
    assert "No executor found with name [nowhere]" in caplog.text


def test_no_timer_runs_while_there_are_no_connections():
    with serving(hello) as connector:
        with Client(connector) as client:
            client.get("/", "Connection: close")
        wait_until(lambda: connector.endpoint._sweeper is None, "nothing is swept any more")


def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    take_time(0.3)
    return hello(environ, start_response)


def test_a_stop_refuses_new_clients_at_once_and_answers_what_was_accepted():
    with serving(slow) as connector:
        address = ("127.0.0.1", connector.local_port)
        asked, silent, kept = (Client(connector) for _ in range(3))
        assert kept.get().status == 200
        asked.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        stopping = threading.Thread(target=connector.stop)
        stopping.start()
        wait_for(lambda: is_refused(address))
        assert stopping.is_alive()
        silent.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # it was accepted, and gets a moment
        for client in (asked, silent):
            answer = client.answer()
            assert answer.status == 200
            assert answer.get("connection") == "close"
        assert kept.is_closed
        stopping.join()
        for client in (asked, silent, kept):
            client.socket.close()


def is_refused(address: tuple[str, int]) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(address) == errno.ECONNREFUSED


def wait_for(condition: Any) -> None:
    wait_until(condition, "what the test waits for")


def test_clients_that_the_kernel_has_accepted_are_served_at_a_stop():
    with serving(hello) as connector:
        endpoint = connector.endpoint
        paused = threading.Event()
        connector.reactor.call_soon(endpoint._accept_off)
        connector.reactor.call_soon(paused.set)
        assert paused.wait(5)
        clients = [Client(connector) for _ in range(20)]  # in the kernel's queue
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connector.stop()
        assert [client.answer().status for client in clients] == [200] * 20
        for client in clients:
            client.socket.close()


def test_a_request_that_comes_while_the_loop_is_busy_with_a_pause_is_answered_before_the_engine_stops():
    with serving(hello) as connector, Client(connector) as client:
        client.get()
        loop_is_free = threading.Event()

        def keep_busy() -> None:
            loop_is_free.wait()

        connector.stop_listening()
        connector.reactor.call_soon(keep_busy)
        connector.pause()

        def send_then_free() -> None:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            loop_is_free.set()

        threading.Timer(0.1, send_then_free).start()
        connector.await_accepted()
        assert connector.endpoint.running == 0
        client.socket.settimeout(0.0)  # the answer is here, or it comes too late
        assert client.answer().status == 200


def test_a_connector_that_does_not_run_accepts_nothing_after_a_resume() -> None:
    """In a keeper connectors are bound and never start: workers accept at the same sockets."""
    server = StandardServer(port=-1)
    service = StandardService(name="Catalina")
    server.add_service(service)
    connector = Connector(port=0)
    connector.set_attribute("address", "127.0.0.1")
    service.add_connector(connector)
    connector.init()
    server.reactor.start()
    try:
        connector.resume()
        assert not connector.endpoint._accepting
    finally:
        server.reactor.stop()
        connector.destroy()


def test_a_pause_in_the_moment_in_which_accepting_goes_on_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(hello) as connector:
        connector.pause()
        plain = Reactor.register

        def pause_then_register(reactor: Reactor, sock: Any, *arguments: Any, **values: Any) -> None:
            monkeypatch.undo()
            connector.pause()
            plain(reactor, sock, *arguments, **values)

        monkeypatch.setattr(Reactor, "register", pause_then_register)
        connector.resume()
        with Client(connector) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.socket.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.receive_more()


def test_a_stop_with_nobody_there_does_not_wait():
    with serving(hello) as connector:
        started = time.monotonic()
        connector.stop()
        assert time.monotonic() - started < 0.4


def test_want_of_descriptors_is_logged_a_few_times_and_then_counted(caplog):
    with serving(hello) as connector:
        done = threading.Event()

        def fail_often() -> None:
            for _ in range(50):
                connector.endpoint._cannot_accept(OSError(errno.EMFILE, "Too many open files"))
            done.set()

        connector.reactor.call_soon(fail_often)
        assert done.wait(5)
        assert caplog.text.count("Socket accept failed") == 5
        with Client(connector) as client:  # it accepts again a moment later
            assert client.get().status == 200


@pytest.mark.parametrize("number", [3])
def test_clients_that_hold_all_threads_by_slow_bodies_keep_no_quick_request_out(number):
    def read(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        return hello(environ, start_response)

    with serving(read, maxThreads=str(number)) as connector:
        slow = [Client(connector) for _ in range(3 * number)]
        for at, client in enumerate(slow):
            client.send(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx" % at)
        wait_for(lambda: connector.endpoint.executor.busy >= number)
        for _ in range(5):
            with Client(connector) as client:
                assert client.get("/quick").status == 200
        assert connector.endpoint.executor.busy == number
        for client in slow:
            client.socket.close()


def test_a_slow_body_makes_no_path_slow():
    def read(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        return hello(environ, start_response)

    with serving(read, maxThreads="2") as connector:
        slow = [Client(connector) for _ in range(4)]
        for client in slow:
            client.send(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx")
        wait_for(lambda: connector.endpoint.executor.busy >= 2)
        with Client(connector) as client:
            assert client.get("/login").status == 200
        for client in slow:
            client.socket.close()


def test_clients_that_read_slowly_keep_no_quick_request_out():
    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/quick":
            return hello(environ, start_response)
        start_response("200 OK", [])
        return (b"x" * 65536 for _ in range(1000))

    with serving(answer, maxThreads="2", socket_txBufSize="10000") as connector:
        slow = [Client(connector) for _ in range(10)]
        for at, client in enumerate(slow):
            client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % at)
        wait_for(lambda: connector.endpoint.executor.busy >= 2)
        for _ in range(5):
            with Client(connector) as client:
                assert client.get("/quick").status == 200
        assert connector.endpoint.executor.busy <= 4
        for client in slow:
            client.socket.close()


def test_the_attributes_of_the_executor_are_in_force():
    shared = StandardThreadExecutor(
        name="pool", max_threads=3, max_queue_size=4, min_spare_threads=7, max_idle_time=5000, name_prefix="shop-exec-"
    )

    def prepare(connector: Any, container: Any) -> None:
        container.find_executor = lambda name: shared if name == "pool" else None

    def name(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        take_time(0.02)  # a slow path runs in the pool the next time
        return [threading.current_thread().name.encode()]

    with serving(name, prepare, executor="pool") as connector, Client(connector) as client:
        executor = connector.endpoint.executor
        assert (executor.max_threads, executor.max_queue_size) == (3, 4)
        assert connector.reactor.min_spare_threads == 7
        client.get()
        assert client.get().body.startswith(b"shop-exec-")


def test_the_threads_of_a_connector_without_an_executor_are_kept_as_it_says():
    with serving(hello, minSpareThreads="17", threadsMaxIdleTime="7000") as connector:
        assert connector.reactor.min_spare_threads == 17
        assert connector.reactor._parked_seconds == 7.0


def test_a_connector_that_never_started_stops_at_once():
    container = Container(hello)
    connector = Connector(port=0)
    connector.service = container
    container.reactor.start()
    connector.init()
    started = time.monotonic()
    connector.endpoint.stop()  # its sockets are there, and nobody has accepted yet
    assert time.monotonic() - started < 2
    connector.destroy()
    container.reactor.stop()
