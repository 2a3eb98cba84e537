"""A connection goes from one connector to another, as from process to process, and its client does not notice."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from threading import get_ident
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.connector.handover import Handover, Taker
from catalina.errors import LifecycleError
from tests.connector.serving import Client, Container, serving
from tests.connector.test_ajp_connection import AJP, WebServer
from tests.connector.test_http11_connection import echo
from tests.support.waiting import wait_until

CHUNKED = (
    b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n"
)
LENGTH = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
EXPECT = b"POST /expect HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody"
GET = b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n"


class Site:
    """A connector whose loop the test runs, in its own thread.

    Args:
        take: gets each request that can be handed over, but for the first ``served`` ones.
    """

    def __init__(self, take: Taker | None = None, **attributes: str) -> None:
        self.served = 0
        self.container = Container(echo)
        self.connector = Connector(port=0)
        self.connector.service = self.container
        for name, text in {"address": "127.0.0.1", **attributes}.items():
            assert self.connector.set_attribute(name, text)
        invoke = self.container.valve.invoke

        def pass_on(request: Any, response: Any) -> None:
            if take is None or self.served > 0 or not response.can_hand_over:
                self.served -= 1
                invoke(request, response)
            else:
                response.hand_over(take)

        self.container.valve.invoke = pass_on  # type: ignore[method-assign]
        self.reactor = self.container.reactor
        self.reactor._runner = get_ident()
        self.connector.start()

    def rounds(self, count: int = 8) -> None:
        """Whatever can be done without further input."""
        for _ in range(count):
            self.reactor.call_soon(lambda: None)
            self.reactor.run_round()

    def connect(self) -> socket.socket:
        """A client's socket; the other end is a connection here."""
        client, ours = socket.socketpair()
        client.setblocking(False)
        endpoint = self.connector.endpoint
        endpoint._add(ours, lambda: endpoint._factory.connect(endpoint, ours, ("127.0.0.1", 4000)))
        return client

    def close(self) -> None:
        self.connector.endpoint._close_all()
        self.connector.endpoint.close()
        self.reactor.stop()


@pytest.fixture
def here_and_there() -> Iterator[tuple[Site, Site]]:
    """Two connectors; the first hands everything over to the second."""
    there = Site(maxKeepAliveRequests="-1")
    here = Site(there.connector.adopt, maxKeepAliveRequests="-1")
    yield here, there
    here.close()
    there.close()


def received(client: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(BlockingIOError):
        while part := client.recv(65536):
            data += part
    return data


def bodies(data: bytes) -> list[bytes]:
    """The bodies of whole answers in a row; an interim answer counts as one."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            found.append(b"100")
            continue
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        found.append(data[:length])
        data = data[length:]
    return found


@pytest.mark.parametrize(
    ("stream", "answers"),
    [
        (GET, [b"GET /get - "]),
        (LENGTH, [b"POST /length 11 hello world"]),
        (CHUNKED, [b"POST /chunked - hello world"]),
        (GET + LENGTH + CHUNKED + GET, [
            b"GET /get - ", b"POST /length 11 hello world", b"POST /chunked - hello world", b"GET /get - ",
        ]),
        (b"\r\n" + GET, [b"GET /get - "]),
    ],
    ids=["get", "length", "chunked", "pipelined", "empty line"],
)  # fmt: skip
def test_wherever_the_bytes_are_cut_the_other_process_answers_them_all(here_and_there, stream, answers):
    here, there = here_and_there
    for cut in range(1, len(stream) + 1):
        client = here.connect()
        client.send(stream[:cut])
        here.rounds()
        there.rounds(20)
        if stream[cut:]:
            client.send(stream[cut:])
            here.rounds()
            there.rounds(20)
        assert bodies(received(client)) == answers, cut
        assert not here.connector.endpoint.connections
        client.close()
        there.rounds(2)
        assert not there.connector.endpoint.connections
    assert here.container.logged == []


@pytest.mark.parametrize("served", range(5))
def test_any_request_of_a_connection_can_be_the_one_that_moves_it(here_and_there, served):
    here, there = here_and_there
    stream = GET + CHUNKED + GET + LENGTH
    for cut in range(1, len(stream) + 1):
        here.served = served
        client = here.connect()
        for part in (stream[:cut], stream[cut:]):
            client.send(part)
            here.rounds(20)
            there.rounds(20)
        assert bodies(received(client)) == [
            b"GET /get - ", b"POST /chunked - hello world", b"GET /get - ", b"POST /length 11 hello world",
        ], cut  # fmt: skip
        assert len(here.connector.endpoint.connections) == (served == 4)
        client.close()
        here.rounds(2)
        there.rounds(2)


def test_byte_by_byte_it_is_the_same(here_and_there):
    here, there = here_and_there
    client = here.connect()
    for byte in GET + CHUNKED + LENGTH:
        client.send(bytes((byte,)))
        here.rounds(2)
        there.rounds(3)
    assert bodies(received(client)) == [b"GET /get - ", b"POST /chunked - hello world", b"POST /length 11 hello world"]
    client.close()


def test_who_waits_for_100_continue_gets_it_from_the_other_process_and_once():
    with serving(echo) as there, serving(echo, moving(lambda: there)) as here, Client(here) as client:
        client.send(EXPECT[:-4])
        assert client.answer().status == 100
        client.send(EXPECT[-4:] + GET)
        assert [client.answer().body for _ in range(2)] == [b"POST /expect 4 body", b"GET /get - "]


@pytest.mark.parametrize("cut", range(1, len(EXPECT)))
def test_a_body_that_is_not_announced_in_vain_may_be_cut_anywhere(cut):
    with serving(echo) as there, serving(echo, moving(lambda: there)) as here, Client(here) as client:
        client.send(EXPECT[:cut])
        if cut == EXPECT.index(b"body"):
            assert client.answer().status == 100
        client.send(EXPECT[cut:])
        answer = client.answer()
        if answer.status == 100:  # the head was read before the body came
            answer = client.answer()
        assert answer.body == b"POST /expect 4 body"


def test_a_request_to_which_100_continue_was_sent_stays():
    site = Site()
    seen: list[Any] = []

    def acknowledge(request: Any, response: Any) -> None:
        seen.append(response.can_hand_over)
        request.acknowledge()
        seen.append(response.can_hand_over)
        with pytest.raises(RuntimeError, match="cannot be handed over"):
            response.hand_over(lambda _: None)

    site.container.valve.invoke = acknowledge  # type: ignore[method-assign]
    client = site.connect()
    client.send(EXPECT[:-4])
    site.rounds()
    assert seen == [True, False]
    client.close()
    site.close()


def test_a_committed_answer_stays():
    site = Site()
    seen: list[Any] = []

    def begin(request: Any, response: Any) -> None:
        response.flush()
        seen.append(response.can_hand_over)

    site.container.valve.invoke = begin  # type: ignore[method-assign]
    client = site.connect()
    client.send(GET)
    site.rounds()
    assert seen == [False]
    client.close()
    site.close()


def test_a_large_body_of_which_a_part_has_come_goes_with_it():
    body = bytes(number % 251 for number in range(200_000))
    with serving(echo) as there, serving(echo, moving(lambda: there)) as here, Client(here) as client:
        client.send(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:40_000])
        wait_until(lambda: there.endpoint.connections, "the connection moves")
        client.send(body[40_000:])
        assert client.answer().body == b"POST /p 200000 " + body
        client.send(b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 1000):
            client.send(b"3e8\r\n" + body[at : at + 1000] + b"\r\n")
        client.send(b"0\r\n\r\n")
        assert client.answer().body == b"POST /c - " + body


def moving(other: Any) -> Any:
    """Prepare a connector that hands every request over to another one."""

    def prepare(connector: Connector, container: Container) -> None:
        container.valve.invoke = (  # type: ignore[method-assign]
            lambda request, response: response.hand_over(other().adopt)
        )

    return prepare


def test_a_request_that_runs_in_a_thread_of_its_own_goes_from_there():
    """As when the monitor has taken the loop from it, or its path was slow before."""
    threads: list[str] = []

    with serving(echo) as there:

        def prepare(connector: Connector, container: Container) -> None:
            def wait_and_move(request: Any, response: Any) -> None:
                with container.reactor.blocking():
                    threads.append(threading.current_thread().name)
                response.hand_over(there.adopt)

            container.valve.invoke = wait_and_move  # type: ignore[method-assign]

        with serving(echo, prepare) as here, Client(here) as client:
            here.endpoint.executor.was_slow("/get")
            client.send(GET + GET)
            assert [client.answer().body for _ in range(2)] == [b"GET /get - "] * 2
            wait_until(lambda: here.endpoint.executor.busy == 0, "no thread is busy")
            assert not here.endpoint.connections
    assert len(threads) == 1


def test_the_limit_of_requests_per_connection_counts_over_all_processes(monkeypatch):
    there = Site(maxKeepAliveRequests="3")
    gone: list[Handover] = []
    here = Site(maxKeepAliveRequests="3")
    client = here.connect()
    client.send(GET)
    here.rounds()
    monkeypatch.setattr(here.container.valve, "invoke", lambda _, response: response.hand_over(gone.append))
    client.send(GET)
    here.rounds()
    (handover,) = gone
    assert (handover.data, handover.peer, handover.served) == (GET, ("127.0.0.1", 4000), 1)
    there.connector.adopt(handover)
    client.send(GET)
    there.rounds(20)
    data = received(client)
    assert len(bodies(data)) == 3
    assert data.count(b"Connection: close") == 1
    client.close()
    here.close()
    there.close()


def test_a_taker_that_fails_costs_the_connection_and_is_logged(caplog):
    def fail(handover: Handover) -> None:
        raise OSError("nobody there")

    site = Site(fail)
    client = site.connect()
    client.send(GET)
    site.rounds()
    assert client.recv(10) == b""
    assert not site.connector.endpoint.connections
    assert "nobody there" in caplog.text
    client.close()
    site.close()


def test_the_socket_survives_the_way_through_the_kernel():
    there = Site()
    left, right = socket.socketpair()

    def send(handover: Handover) -> None:
        socket.send_fds(left, [handover.data], [handover.sock.fileno()])
        handover.sock.close()

    here = Site(send)
    client = here.connect()
    client.send(LENGTH + GET)
    here.rounds()
    data, (fd,), _, _ = socket.recv_fds(right, 65536, 1)
    there.connector.adopt(Handover(socket.socket(fileno=fd), data, ("127.0.0.1", 4000), 0))
    there.rounds(20)
    assert bodies(received(client)) == [b"POST /length 11 hello world", b"GET /get - "]
    for end in (client, left, right):
        end.close()
    here.close()
    there.close()


def test_a_connection_that_comes_after_the_end_is_closed():
    site = Site()
    client, ours = socket.socketpair()
    site.connector.adopt(Handover(ours, GET, ("127.0.0.1", 4000), 0))
    site.connector.endpoint._close_all()
    site.rounds()
    assert client.recv(10) == b""
    client.close()
    client, ours = socket.socketpair()
    with client, ours, pytest.raises(LifecycleError):
        site.connector.adopt(Handover(ours, GET, ("127.0.0.1", 4000), 0))
    site.close()


def test_only_a_plain_http_connector_goes_on_with_a_connection():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        client, ours = socket.socketpair()
        with client, ours, pytest.raises(ValueError, match="expected a plain HTTP"):
            connector.adopt(Handover(ours, GET, ("127.0.0.1", 4000), 0))
        web.request("GET", "/a")
        assert web.reply()[0] == 200
    with pytest.raises(LifecycleError):
        Connector(port=0).adopt(Handover(ours, GET, ("127.0.0.1", 4000), 0))


def test_an_ajp_request_stays():
    seen: list[bool] = []

    def prepare(connector: Connector, container: Container) -> None:
        container.valve.before = lambda _, response: seen.append(response.can_hand_over)

    with serving(echo, prepare, **AJP) as connector, WebServer(connector) as web:
        web.request("GET", "/a")
        assert web.reply()[0] == 200
    assert seen == [False]


@pytest.fixture
def leaving() -> Iterator[tuple[Site, Site]]:
    """A connector that serves, and one that takes its connections when it pauses."""
    there = Site(maxKeepAliveRequests="-1")
    here = Site(maxKeepAliveRequests="-1")
    here.connector.hand_on(there.connector.adopt)
    yield here, there
    here.close()
    there.close()


def test_an_idle_connection_goes_on_elsewhere_when_its_connector_pauses(leaving):
    here, there = leaving
    client = here.connect()
    client.send(GET)
    here.rounds()
    assert bodies(received(client)) == [b"GET /get - "]
    here.connector.pause()
    here.rounds()
    client.send(GET)
    there.rounds(20)
    assert bodies(received(client)) == [b"GET /get - "]
    assert not here.connector.endpoint.connections
    client.close()
    there.rounds(2)


@pytest.mark.parametrize("cut", range(1, len(GET)))
def test_a_head_that_has_begun_is_completed_elsewhere(leaving, cut):
    here, there = leaving
    client = here.connect()
    client.send(GET[:cut])
    here.rounds()
    here.connector.pause()
    here.rounds()
    there.rounds()
    client.send(GET[cut:])
    there.rounds(20)
    assert bodies(received(client)) == [b"GET /get - "]
    client.close()
    there.rounds(2)


def test_no_answer_says_that_a_connection_ends_which_goes_on(leaving):
    here, there = leaving
    client = here.connect()
    here.connector.endpoint.ending = True
    client.send(GET)
    here.rounds()
    assert b"Connection: close" not in received(client)
    here.connector.pause()
    here.rounds()
    client.send(GET)
    there.rounds(20)
    assert bodies(received(client)) == [b"GET /get - "]
    client.close()
    there.rounds(2)


def test_without_another_process_a_pause_closes_what_is_idle():
    here = Site(maxKeepAliveRequests="-1")
    client = here.connect()
    client.send(GET)
    here.rounds()
    received(client)
    here.connector.pause()
    here.rounds()
    assert client.recv(1) == b""
    client.close()
    here.close()
