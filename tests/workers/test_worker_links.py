"""The keeper's end of the links."""

import socket
from collections.abc import Callable

import pytest

from catalina.workers import worker_links
from catalina.workers.frames import CallError, Kind, encode_frame
from catalina.workers.peers import worker_member
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def connected(node: SmallNode) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(15)
    sock.connect(node.listening.getsockname())
    return sock


def test_whoever_begins_with_something_else_is_let_go(make_node: MakeNode) -> None:
    with connected(make_node(workers=0)) as sock:
        sock.sendall(encode_frame(Kind.POST))
        assert sock.recv(1) == b""


def test_whoever_says_nothing_is_let_go(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_links, "HELLO_SECONDS", 0.05)
    with connected(make_node(workers=0)) as sock:
        assert sock.recv(1) == b""


def test_a_process_of_another_user_is_refused(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node = make_node(workers=0)
    monkeypatch.setattr("catalina.workers.worker_links.os.geteuid", lambda: 4711)
    with connected(node) as sock:
        assert sock.recv(1) == b""
    assert "wanted to be a worker of this node, which runs as [4711]" in caplog.text


def test_the_keeper_calls_a_worker(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    node.workers[0].channel.services.add("double", lambda caller, argument: 2 * argument)
    (member,) = node.keeper.links.members
    assert node.keeper.links.call(member, "double", 21).result(15) == 42


def test_a_call_to_a_worker_that_has_gone_fails(make_node: MakeNode) -> None:
    links = make_node(workers=0).keeper.links
    with pytest.raises(CallError, match="the worker has gone"):
        links.call(worker_member(5, 1), "double", 21).result(0)


def test_the_workers_hear_that_the_node_stops(make_node: MakeNode) -> None:
    node = make_node()
    node.keeper.links.stop_workers()
    wait_until(lambda: all(worker.stopped for worker in node.workers), "all workers")
