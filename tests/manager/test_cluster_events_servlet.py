"""The stream of events that keeps the page of the group moving."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Iterator

import pytest

from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.manager import event_stream
from catalina.manager.cluster import watch as watch_module
from catalina.manager.cluster.watch import ClusterWatch
from tests.cluster.clusters import full
from tests.manager.site import Site, make_base, running
from tests.support.narrowing import of_type, there
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

LOGIN = base64.b64encode(b"gui:secret").decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A node that is alone in its cluster."""
    with running(make_base(tmp_path_factory.mktemp("site") / "base", full(free_udp_port()))) as site:
        site.login = "gui:secret"
        yield site


@pytest.fixture
def watch(site):
    found = ClusterWatch.of(site.host.cluster)
    yield found
    wait_until(lambda: found.watchers == 0, "the streams have ended")


class Stream:
    """Somebody who reads the stream."""

    def __init__(self, site: Site, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", site.port))
        head = f"GET /manager/cluster/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {LOGIN}\r\n\r\n"
        self.socket.sendall(head.encode())
        self.data = b""

    def until(self, text: bytes) -> bytes:
        while text not in self.data:
            more = self.socket.recv(65536)
            assert more, self.data
            self.data += more
        found, _, self.data = self.data.partition(text)
        return found + text


@contextlib.contextmanager
def reading(site: Site, **values: int) -> Iterator[Stream]:
    stream = Stream(site, **values)
    try:
        yield stream
    finally:
        stream.socket.close()


def test_the_group_comes_again_and_again(site, watch):
    with reading(site) as stream:
        head = stream.until(b"\r\n\r\n")
        assert b"HTTP/1.1 200" in head
        assert b"Content-Type: text/event-stream;charset=utf-8" in head
        assert b"Cache-Control: no-store" in head
        stream.until(b"retry: 2000\n\n")
        for _ in range(3):
            assert b"1 of 1 serve" in stream.until(b"event: live") + stream.until(b"\n\n")
        assert watch.watchers == 1


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("op:secret", 403)])
def test_only_the_role_manager_gui_is_let_in(site, login, status):
    site.cookie = ""
    assert site.ask("/manager/cluster/events", login=login).status == status


def test_the_stream_is_asked_for_with_get(site):
    site.cookie = ""
    assert site.ask("/manager/cluster/events", "POST", b"x").status == 405


def test_only_so_many_streams_are_open_and_one_that_ends_makes_room(site, watch):
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(reading(site)) for _ in range(watch_module.MAX_WATCHERS)]
        for stream in streams:
            stream.until(b"event: live")
        site.cookie = ""
        refused = site.ask("/manager/cluster/events")
        assert refused.status == 503
        assert "Too many pages of this cluster are open already" in refused.text
        streams[0].socket.close()
        wait_until(lambda: watch.watchers == watch_module.MAX_WATCHERS - 1, "it was noticed that one has gone")
        with reading(site) as another:
            another.until(b"event: live")


def test_streams_hold_a_quarter_of_the_threads_at_most(site, watch, monkeypatch):
    monkeypatch.setattr(site.service.connectors[0].endpoint.executor, "max_threads", 8)
    with reading(site) as one, reading(site) as two:
        one.until(b"event: live")
        two.until(b"event: live")
        site.cookie = ""
        assert site.ask("/manager/cluster/events").status == 503


def test_who_reads_nothing_holds_up_neither_the_looks_nor_another_reader(site, watch):
    with reading(site, receive_buffer=4096), reading(site) as quick:
        for _ in range(3):
            quick.until(b"event: live")
        assert watch.watchers == 2


def test_a_stream_ends_after_its_time(site, watch, monkeypatch):
    monkeypatch.setattr(event_stream, "STREAM_SECONDS", 0.0)
    with reading(site) as stream:
        stream.until(b"0\r\n\r\n")


def test_a_stream_ends_when_the_node_is_drained_so_that_nobody_waits_for_it(site, watch):
    connector = site.service.connectors[0]
    with reading(site) as stream:
        stream.until(b"event: live")
        connector.drain()
        try:
            stream.until(b"0\r\n\r\n")
        finally:
            connector.undrain()


def test_a_stream_ends_with_its_application(tmp_path):
    with running(make_base(tmp_path / "base", full(free_udp_port()))) as own, reading(own) as stream:
        stream.until(b"event: live")
        manager = there(own.host.find_child("/manager"))
        manager.stop()
        stream.until(b"0\r\n\r\n")
        wait_until(lambda: ClusterWatch.of(of_type(SimpleTcpCluster, own.host.cluster)).watchers == 0, "nobody watches")
        manager.start()
