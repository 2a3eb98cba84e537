"""Requests to servlets that work on the container: accepted in a worker, answered in the keeper."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.core.container_servlet import ContainerServlet
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.core.standard_wrapper import StandardWrapper
from catalina.descriptor.elements import ServletDef
from catalina.lifecycle import LifecycleState
from catalina.webapp import SEND_ERROR, send_error
from catalina.workers.container_requests import ContainerRequests, RelayedServlet, is_own
from catalina.workers.frames import CallError
from catalina.workers.keeper_queries import KeeperQueries
from tests.workers.small_node import SmallNode

OWN = "org.apache.catalina.manager.MetricsServlet"


class Echo(ContainerServlet):
    """Answers with what it was asked; 404 for /none."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/none":
            return send_error(environ, start_response, 404, "no such command")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["REMOTE_USER"].encode(), b" ", environ["wsgi.input"].read()]


class Relay:
    """A context with one servlet, as keeper and worker both have it."""

    def __init__(self, node: SmallNode, base: Path, servlet_class: str = OWN, *, privileged: bool = True) -> None:
        server = StandardServer(port=-1)
        server.catalina_base = base
        service = StandardService(name="Catalina")
        engine = StandardEngine(name="Catalina", default_host="localhost")
        host = StandardHost(name="localhost")
        server.add_service(service)
        service.set_engine(engine)
        engine.add_child(host)
        self.context = StandardContext(path="/manager", privileged=privileged)
        host.add_child(self.context)
        self.context.add_servlet(ServletDef("text", servlet_class))
        self.wrapper: StandardWrapper = self.context.wrappers["text"]
        self.servlet = Echo()
        self.wrapper.application = self.servlet
        self.requests = ContainerRequests(node.keeper.links.services, {"Catalina/localhost//manager": self.context}.get)
        self.queries: KeeperQueries = node.workers[0].queries
        self.context.state = LifecycleState.STARTED
        self.errors: list[tuple[int, str | None]] = []

    def begin(self) -> Iterable[bytes]:
        """Ask; the answer is not read."""
        relayed = RelayedServlet(self.wrapper, self.queries)
        return relayed({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda status, headers: None)

    def ask(self, path: str = "/list", method: str = "GET", body: bytes = b"") -> tuple[str, bytes]:
        heads: list[str] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REMOTE_USER": "admin",
            "wsgi.input": io.BytesIO(body),
            SEND_ERROR: self.errors.append,
        }
        relayed = RelayedServlet(self.wrapper, self.queries)
        answer = b"".join(relayed(environ, lambda status, headers: heads.append(status)))
        return heads[0], answer


@pytest.fixture
def node(make_node: Callable[..., SmallNode]) -> SmallNode:
    return make_node(workers=1)


def test_the_keeper_answers(node: SmallNode, tmp_path: Path) -> None:
    assert Relay(node, tmp_path).ask() == ("200 OK", b"admin ")


def test_a_body_travels_as_a_file_that_is_gone_then(node: SmallNode, tmp_path: Path) -> None:
    assert Relay(node, tmp_path).ask(method="PUT", body=b"x" * 100_000)[1] == b"admin " + b"x" * 100_000
    assert list((tmp_path / "temp").iterdir()) == []


def test_an_error_gets_the_containers_page_in_the_worker(node: SmallNode, tmp_path: Path) -> None:
    relay = Relay(node, tmp_path)
    assert relay.ask("/none")[0] == "404 Not Found"
    assert relay.errors == [(404, "no such command")]


class Pieces(ContainerServlet):
    """Makes an answer piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[bytes] = []
        self.closed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        try:
            for piece in (b"one", b"two", b"three"):
                self.made.append(piece)
                yield piece
        finally:
            self.closed.set()


def test_an_answer_comes_piece_by_piece_as_it_is_made(node: SmallNode, tmp_path: Path) -> None:
    relay = Relay(node, tmp_path)
    relay.wrapper.application = servlet = Pieces()
    answer: Any = relay.begin()
    pieces = iter(answer)
    assert (next(pieces), servlet.made) == (b"one", [b"one"])
    assert list(pieces) == [b"two", b"three"]
    assert servlet.closed.wait(15)


def test_an_answer_that_the_client_wants_no_more_of_is_closed_in_the_keeper(node: SmallNode, tmp_path: Path) -> None:
    relay = Relay(node, tmp_path)
    relay.wrapper.application = servlet = Pieces()
    answer: Any = relay.begin()
    answer.close()
    assert servlet.closed.wait(15)
    assert servlet.made == [b"one"]


def test_the_answers_of_a_worker_that_has_gone_are_closed(node: SmallNode, tmp_path: Path) -> None:
    relay = Relay(node, tmp_path)
    relay.wrapper.application = servlet = Pieces()
    relay.begin()
    relay.requests.worker_lost(0)
    assert servlet.closed.is_set()


@pytest.mark.parametrize(
    ("servlet_class", "privileged"), [("shop.admin:Servlet", True), (OWN, False)], ids=["foreign", "unprivileged"]
)
def test_the_keeper_runs_only_this_softwares_servlets_of_privileged_applications(
    node: SmallNode, tmp_path: Path, servlet_class: str, privileged: bool
) -> None:
    with pytest.raises(CallError, match=r"the keeper runs no servlet \[text\]"):
        Relay(node, tmp_path, servlet_class, privileged=privileged).ask()


def test_classes_of_this_software_are_known_by_their_name() -> None:
    assert is_own(OWN)
    assert not is_own("shop.admin:Servlet")
