"""Requests to servlets that work on the container: accepted in a worker, answered in the keeper."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
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
        self.wrapper._application = self.servlet
        ContainerRequests(node.keeper.links.services, {"Catalina/localhost//manager": self.context}.get)
        self.queries: KeeperQueries = node.workers[0].queries
        self.errors: list[tuple[int, str | None]] = []

    def ask(self, path: str = "/list", method: str = "GET", body: bytes = b"") -> tuple[str, bytes]:
        heads: list[str] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REMOTE_USER": "admin",
            "wsgi.input": io.BytesIO(body),
            SEND_ERROR: self.errors.append,
        }
        relayed = RelayedServlet(self.wrapper, self.servlet, self.queries)
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


def test_a_page_of_one_process_says_that_there_are_more(node: SmallNode, tmp_path: Path) -> None:
    relay = Relay(node, tmp_path)
    relay.servlet.answers_for_node = False
    assert relay.ask()[0] == "501 Not Implemented"


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
