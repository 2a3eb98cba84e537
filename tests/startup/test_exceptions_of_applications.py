"""Whatever an application raises, and wherever: the client gets 500 or a cut connection, the node serves on."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.startup.node_process import NodeProcess

PLAIN = """
import asyncio, sys, tempfile

KINDS = {"exit": SystemExit, "interrupt": KeyboardInterrupt, "cancelled": asyncio.CancelledError,
         "generator": GeneratorExit, "base": BaseException, "value": ValueError}

class Body:
    def __init__(self, kind, place):
        self.kind, self.place = kind, place
    def __iter__(self):
        if self.place == "iterator":
            raise KINDS[self.kind]("raised in iterator")
        yield b"x"
        if self.place == "late":
            yield b"y" * 20000
            raise KINDS[self.kind]("raised in late")
    def close(self):
        if self.place == "close":
            raise KINDS[self.kind]("raised in close")

class File:
    def __init__(self, kind):
        self.kind, self.file = kind, tempfile.TemporaryFile()
        self.file.write(b"z" * 100)
        self.file.seek(0)
    def read(self, size=-1): return self.file.read(size)
    def fileno(self): return self.file.fileno()
    def tell(self): return self.file.tell()
    def close(self):
        self.file.close()
        raise KINDS[self.kind]("raised in file")

class Silent(BaseException):
    def __str__(self): raise SystemExit("raised in str")

def application(environ, start_response):
    place, _, kind = environ["PATH_INFO"][1:].partition("/")
    if place == "call":
        raise KINDS[kind]("raised in call")
    if place == "str":
        raise Silent()
    if place == "misuse":
        start_response({"status": ["200"], "bytes": b"200 OK", "info": "100 Continue"}.get(kind, "200 OK"),
                       {"name": [(b"A", "b")], "value": [("A", 1)], "pair": [1], "none": None}.get(kind, []))
        if kind == "twice":
            start_response("200 OK", [])
        return {"text": ["text"], "string": "text", "raw": b"raw", "number": [1], "nothing": None,
                "late": iter(["text"])}.get(kind, [b"body"])
    write = start_response("200 OK", [])
    if place == "write":
        write(b"begun")
        raise KINDS[kind]("raised in write")
    if place == "file":
        return environ["wsgi.file_wrapper"](File(kind))
    return Body(kind, place) if kind else [b"fine"]
"""
PARTS = """
import sys
from app_kinds import KINDS

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/page"):
        raise KINDS["exit"]("raised in page")
    if path.startswith("/error"):
        raise KINDS[path[7:]]("raised in servlet")
    start_response("200 OK", [])
    return [b"fine"]

def gate(application):
    def run(environ, start_response):
        if environ["PATH_INFO"].startswith("/filter/"):
            raise KINDS[environ["PATH_INFO"][8:]]("raised in filter")
        return application(environ, start_response)
    return run

class Listener:
    def __repr__(self):
        raise SystemExit("raised in repr")
    def request_initialized(self, event):
        if "/listener/" in event.request.request_uri:
            raise KINDS[event.request.request_uri.rpartition("/")[2]]("raised in listener")
    def request_destroyed(self, event):
        if "/destroyed/" in event.request.request_uri:
            raise KINDS[event.request.request_uri.rpartition("/")[2]]("raised in destroyed")
"""
KINDS = """
import asyncio
KINDS = {"exit": SystemExit, "interrupt": KeyboardInterrupt, "cancelled": asyncio.CancelledError,
         "generator": GeneratorExit, "base": BaseException, "value": ValueError}
"""
WEB_XML = """<web-app>
<listener><listener-class>parts:Listener</listener-class></listener>
<filter><filter-name>g</filter-name><filter-class>parts:gate</filter-class></filter>
<filter-mapping><filter-name>g</filter-name><url-pattern>/*</url-pattern></filter-mapping>
<servlet><servlet-name>s</servlet-name><servlet-class>parts:application</servlet-class></servlet>
<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
<error-page><error-code>500</error-code><location>/page</location></error-page>
</web-app>"""
NAMES = ("exit", "interrupt", "cancelled", "generator", "base", "value")

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    base: Path = tmp_path_factory.mktemp("node")
    with NodeProcess(base, application=PLAIN) as node:
        classes = base / "webapps/parts/WEB-INF/classes"
        classes.mkdir(parents=True)
        (classes / "parts.py").write_text(PARTS)
        (classes / "app_kinds.py").write_text(KINDS)
        (classes.parent / "web.xml").write_text(WEB_XML)
        node.wait_until_started()
        node.wait_for_text("parts] has finished")
        yield node


def ask(node: NodeProcess, path: str) -> tuple[int, bytes]:
    """Status and body; status 0 when the connection was cut in the middle."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as cut:
            return 0, cut.partial
    finally:
        connection.close()


def check(node: NodeProcess, path: str, text: str, status: int = 500) -> bytes:
    before = node.text.count(text)
    got, body = ask(node, path)
    assert got == status, body
    node.wait_for_text(text, before + 1)
    for _ in range(3):  # the loop has its runner, and its connections
        assert ask(node, "/app/ok") == (200, b"fine")
    return body


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("place", ["call", "iterator"])
def test_in_the_application_it_is_500(node: NodeProcess, place: str, kind: str) -> None:
    check(node, f"/app/{place}/{kind}", f"raised in {place}")


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("place", ["write", "late", "close"])
def test_when_the_head_has_left_the_connection_is_cut(node: NodeProcess, place: str, kind: str) -> None:
    check(node, f"/app/{place}/{kind}", f"raised in {place}", 0)


@pytest.mark.parametrize("kind", NAMES)
def test_closing_a_file_costs_nobody_else_anything(node: NodeProcess, kind: str) -> None:
    before = node.text.count("raised in file")
    ask(node, f"/app/file/{kind}")
    node.wait_for_text("raised in file", before + 1)
    assert ask(node, "/app/ok") == (200, b"fine")


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("place", ["filter", "listener", "error"])
def test_around_the_application_it_is_500(node: NodeProcess, place: str, kind: str) -> None:
    said = {"error": "servlet"}.get(place, place)
    check(node, f"/parts/{place}/{kind}", f"raised in {said}")
    node.wait_for_text("raised in page")  # its error page fails each time, too


@pytest.mark.parametrize("kind", NAMES)
def test_a_listener_at_the_end_costs_nothing(node: NodeProcess, kind: str) -> None:
    check(node, f"/parts/destroyed/{kind}", "raised in destroyed", 200)


def test_an_exception_that_has_no_text_is_500(node: NodeProcess) -> None:
    check(node, "/app/str", "Silent")


@pytest.mark.parametrize(
    "what", ["status", "bytes", "info", "name", "value", "pair", "none", "twice", "text", "string", "raw", "number",
             "nothing", "late"],
)  # fmt: skip
def test_misuse_of_the_protocol_is_500(node: NodeProcess, what: str) -> None:
    check(node, f"/app/misuse/{what}", "threw exception")


def test_text_and_bytes_in_the_wrong_place_are_explained(node: NodeProcess) -> None:
    assert b"body.encode()" in check(node, "/app/misuse/text", "threw exception")
    assert b"[body], not bytes" in check(node, "/app/misuse/raw", "threw exception")


def test_the_node_is_the_one_that_was_started(node: NodeProcess) -> None:
    assert node.text.count("Server startup in") == 1
    assert node.process.poll() is None


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_an_application_that_raises_while_it_starts_stops_no_other(tmp_path: Path, kind: str) -> None:
    with NodeProcess(tmp_path, application=PLAIN) as node:
        node.wait_until_started()
        (tmp_path / "webapps/importing").mkdir()
        (tmp_path / "webapps/importing/wsgi.py").write_text(f"raise {kind}('raised in import')")
        classes = tmp_path / "webapps/listening/WEB-INF/classes"
        classes.mkdir(parents=True)
        (classes / "parts.py").write_text(
            f"class Listener:\n    def context_initialized(self, event): raise {kind}('raised in listener')"
        )
        (classes.parent / "web.xml").write_text(
            "<web-app><listener><listener-class>parts:Listener</listener-class></listener></web-app>"
        )
        for name in ("importing", "listening"):
            node.wait_for_text(f"{name}] has finished")
            assert ask(node, f"/{name}/")[0] == 404
        assert ask(node, "/app/ok") == (200, b"fine")
        assert node.text.count("Server startup in") == 1
