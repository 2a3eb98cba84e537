"""The end of the pipeline: the environ, errors and exceptions."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.standard_context import StandardContext
from catalina.core.standard_wrapper_valve import captured
from catalina.descriptor.elements import MultipartConfig
from catalina.errors import InvalidSessionError
from catalina.lifecycle import LifecycleEvent
from catalina.session.standard_manager import StandardManager
from catalina.valves.valve_base import ValveBase
from catalina.webapp import current_session
from tests.core.node import Node, web_xml

MODULE = """
from catalina.webapp import UnavailableError, send_error

def application(environ, start_response):
    match environ["PATH_INFO"]:
        case "/error": return send_error(environ, start_response, 409, "taken")
        case "/raise": raise ValueError("broken")
        case "/busy": raise UnavailableError("later", 5)
        case "/late":
            start_response("200 OK", [])
            def body():
                yield b"x" * 20000
                raise ValueError("half way")
            return body()
    start_response("200 OK", [])
    return [repr([environ["catalina.context"].context_path, environ["catalina.servlet"].name,
                  environ["catalina.dispatcher_type"], environ.get("catalina.mount")]).encode()]

def rescue(application):
    def run(environ, start_response):
        list(application(environ, lambda *_: None))
        start_response("200 OK", [])
        return [b"rescued"]
    return run
"""


def files(pattern: str = "/*", more: str = "") -> dict[str, str | bytes]:
    inner = (
        f"{more}<servlet><servlet-name>s</servlet-name><servlet-class>valved:application</servlet-class></servlet>"
        f"<servlet-mapping><servlet-name>s</servlet-name><url-pattern>{pattern}</url-pattern></servlet-mapping>"
    )
    return {"WEB-INF/web.xml": web_xml(inner), "WEB-INF/classes/valved.py": MODULE}


@pytest.fixture
def context(tmp_path: Path) -> StandardContext:
    node = Node(tmp_path)
    context = node.add("shop", files())
    context.node = node  # type: ignore[attr-defined]  # for the tests
    return context


def test_the_environ_says_who_and_where(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert node.ask("/shop/x").body == b"['/shop', 's', 'REQUEST', '']"


def test_an_error_an_application_asks_for_gets_the_page(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        answer = node.ask("/shop/error")
    assert answer.status == 409
    assert b"<b>Message</b> taken" in answer.body


def test_a_filter_may_make_something_else_of_an_error(tmp_path: Path) -> None:
    node = Node(tmp_path)
    rescue = (
        "<filter><filter-name>r</filter-name><filter-class>valved:rescue</filter-class></filter>"
        "<filter-mapping><filter-name>r</filter-name><url-pattern>/*</url-pattern></filter-mapping>"
    )
    node.add("shop", files(more=rescue))
    with node:
        assert (node.ask("/shop/error").status, node.ask("/shop/error").body) == (200, b"rescued")


def test_an_exception_is_logged_with_the_servlet_and_is_a_500(
    context: StandardContext, caplog: pytest.LogCaptureFixture
) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        answer = node.ask("/shop/raise")
    assert answer.status == 500
    assert b"ValueError: broken" in answer.body
    assert "Servlet.service() for servlet [s] in context with path [/shop] threw exception" in caplog.text


def test_an_exception_after_the_head_has_left_closes_the_connection(context: StandardContext) -> None:
    node: Node = context.node  # type: ignore[attr-defined]  # set by the fixture
    with node, pytest.raises(ClientAbortException, match="was begun and cannot be finished"):
        node.ask("/shop/late")


def test_an_application_that_is_busy_is_503_for_that_time(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert (node.ask("/shop/busy").status, node.ask("/shop/x").status) == (503, 503)


def test_requests_are_counted_while_they_run(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        node.ask("/shop/raise")
        assert context.in_progress.count == 0


@pytest.mark.parametrize(
    ("content_type", "length", "status"),
    [
        ("multipart/form-data; boundary=x", 100, 200),
        ("multipart/form-data; boundary=x", 101, 413),
        ("Multipart/Form-Data; boundary=x", 5000, 413),
        ("application/octet-stream", 5000, 200),
    ],
)
def test_an_upload_larger_than_the_multipart_config_allows_is_refused(
    tmp_path: Path, content_type: str, length: int, status: int
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files())
    with node:
        context.wrappers["s"].definition.multipart = MultipartConfig(max_request_size=100)
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        assert node.ask("/shop/x", "POST", headers).status == status


class Gate(ValveBase):
    """Holds a request between the mapper and the servlet until the application has stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.go = threading.Event(), threading.Event()

    def invoke(self, request: Request, response: Response) -> None:
        self.arrived.set()
        assert self.go.wait(5)
        self.next.invoke(request, response)


@pytest.mark.parametrize(("descriptor", "status"), [("", 200), ("<web-app>", 404)])
def test_a_request_that_meets_a_reload_half_way_waits_for_its_end(tmp_path: Path, descriptor: str, status: int) -> None:
    node = Node(tmp_path)
    context = node.add("shop", files())
    gate = Gate()
    node.host.add_valve(gate)
    answers: list[int] = []

    def hear(event: LifecycleEvent) -> None:
        if event.type == "before_start":
            gate.go.set()  # the request goes on while the application is stopped

    with node:
        context.add_lifecycle_listener(hear)
        thread = threading.Thread(target=lambda: answers.append(node.ask("/shop/x").status), daemon=True)
        thread.start()
        assert gate.arrived.wait(5)
        if descriptor:
            (tmp_path / "webapps/shop/WEB-INF/web.xml").write_text(descriptor)
        context.reload()
        thread.join(10)
    assert answers == [status]


def status_half_way(tmp_path: Path, meanwhile: Callable[[StandardContext], object]) -> int:
    """The status of a request that is on its way to its servlet while something happens to the application."""
    node = Node(tmp_path)
    context = node.add("shop", files())
    gate = Gate()
    node.host.add_valve(gate)
    answers: list[int] = []
    with node:
        thread = threading.Thread(target=lambda: answers.append(node.ask("/shop/x").status), daemon=True)
        thread.start()
        assert gate.arrived.wait(5)
        meanwhile(context)
        gate.go.set()
        thread.join(10)
    (status,) = answers
    return status


def test_a_request_that_meets_an_application_reloaded_since_it_was_mapped_runs_the_new_one(tmp_path: Path) -> None:
    assert status_half_way(tmp_path, lambda context: context.reload()) == 200


def test_a_request_that_meets_a_stop_half_way_is_503(tmp_path: Path) -> None:
    assert status_half_way(tmp_path, lambda context: context.stop()) == 503


def test_a_request_that_meets_an_exchange_half_way_runs_the_application_that_came(tmp_path: Path) -> None:
    def exchange(context: StandardContext) -> None:
        host = context.host
        context.paused = True
        host.remove_child(context)
        host.add_child(StandardContext(path="/shop", doc_base="shop"))

    assert status_half_way(tmp_path, exchange) == 200


def test_a_request_that_meets_a_pause_half_way_waits_for_its_end(tmp_path: Path) -> None:
    inside: list[int] = []

    def pause(context: StandardContext) -> None:
        def resume() -> None:
            inside.append(context.in_progress.count)
            context.paused = False

        context.paused = True
        assert context.in_progress.wait_idle(5), "from here on nobody is in the application"
        threading.Timer(0.2, resume).start()

    assert status_half_way(tmp_path, pause) == 200
    assert inside == [0]


COUNTER = """
def application(environ, start_response):
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [])
    return [str(session["count"]).encode()]
"""


def test_a_request_that_has_found_its_session_before_a_reload_finds_it_again(tmp_path: Path) -> None:
    class Reloading(ValveBase):
        def invoke(self, request: Request, response: Response) -> None:
            if request.get_session(False) is not None:
                shop.reload()
            self.next.invoke(request, response)

    node = Node(tmp_path)
    shop = node.add("shop", {**files(), "WEB-INF/classes/valved.py": COUNTER})
    shop.manager = StandardManager(pathname="SESSIONS.ser")
    with node:
        cookie = (node.ask("/shop/").get("Set-Cookie") or "").partition(";")[0]
        node.host.add_valve(Reloading())
        assert [node.ask("/shop/", headers={"Cookie": cookie}).body for _ in range(2)] == [b"2", b"3"]


CURRENT = """
from catalina.webapp import current_session

def application(environ, start_response):
    start_response("200 OK", [])
    def body():
        yield str(current_session() is environ["catalina.session"]).encode()
    return body()
"""


def test_the_current_session_is_the_requests_also_while_its_body_is_made(tmp_path: Path) -> None:
    node = Node(tmp_path)
    inner = {**files(), "WEB-INF/classes/valved.py": CURRENT}
    node.add("shop", inner)
    with node:
        assert node.ask("/shop/").body == b"True"
    with pytest.raises(InvalidSessionError):
        current_session()


@pytest.fixture(autouse=True)
def real_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-ins stay for the life of a process; a test puts the real streams back."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


def test_lines_become_records_of_their_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with captured(logging.getLogger("app")):
        print("one\ntwo", end="")
        print(" more")
        print("wrong", file=sys.stderr)
        sys.stdout.writelines(["a\n", "b"])
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("INFO", "one"), ("INFO", "two more"), ("ERROR", "wrong"), ("INFO", "a"), ("INFO", "b")]


def test_other_threads_print_where_they_did(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with captured(logging.getLogger("app")):
        thread = threading.Thread(target=print, args=("elsewhere",))
        thread.start()
        thread.join()
        assert sys.stdout.encoding  # the rest is the real stream's
    print("afterwards")
    assert caplog.records == []
    assert capsys.readouterr().out == "elsewhere\nafterwards\n"


def test_an_application_with_swallow_output(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    inner = (
        "<servlet><servlet-name>s</servlet-name><servlet-class>printing:application</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    module = (
        "def application(environ, start_response):\n"
        "    print('printed')\n    start_response('200 OK', [])\n    return []\n"
    )
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": web_xml(inner), "WEB-INF/classes/printing.py": module}
    node.add("shop", files, swallow_output=True)
    with node:
        node.ask("/shop/")
    printed = [record for record in caplog.records if record.getMessage() == "printed"]
    assert [record.name for record in printed] == [
        "org.apache.catalina.core.ContainerBase.[Catalina].[localhost].[/shop]"
    ]
