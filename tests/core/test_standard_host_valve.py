"""Error pages of an application."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.valves.valve_base import ValveBase
from tests.core.node import Node, web_xml

MODULE = """
from catalina.webapp import send_error

def application(environ, start_response):
    kind = environ["QUERY_STRING"]
    if kind.isdigit():
        return send_error(environ, start_response, int(kind), "because")
    raise {"key": KeyError("k"), "value": ValueError("v")}[kind]

def page(environ, start_response):
    if "fail" in environ["QUERY_STRING"]:
        raise RuntimeError("the page")
    start_response("200 OK", [("Content-Type", "text/own")])
    prefix = "jakarta.servlet.error."
    return [repr([environ["REQUEST_METHOD"]] + [environ.get(prefix + name) for name in
            ("status_code", "message", "request_uri", "servlet_name")]).encode()]
"""
PAGES = (
    "<error-page><error-code>404</error-code><location>/gone.html</location></error-page>"
    "<error-page><error-code>409</error-code><location>/page</location></error-page>"
    "<error-page><error-code>410</error-code><location>/nowhere.html</location></error-page>"
    "<error-page><error-code>411</error-code><location>/page?fail</location></error-page>"
    "<error-page><exception-type>LookupError</exception-type><location>/page</location></error-page>"
)
SERVLETS = (
    "<servlet><servlet-name>s</servlet-name><servlet-class>erring:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/s</url-pattern></servlet-mapping>"
    "<servlet><servlet-name>p</servlet-name><servlet-class>erring:page</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>p</servlet-name><url-pattern>/page</url-pattern></servlet-mapping>"
)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {
        "WEB-INF/web.xml": web_xml(PAGES + SERVLETS),
        "WEB-INF/classes/erring.py": MODULE,
        "gone.html": "gone",
    }
    node.add("shop", files)
    return node


def test_a_static_page_keeps_the_status_of_the_error(node: Node) -> None:
    with node:
        for method in ("GET", "PUT"):
            answer = node.ask("/shop/nope", method)
            assert (answer.status, answer.body) == ((404, b"gone") if method == "GET" else (405, answer.body))


def test_a_condition_of_the_request_does_not_concern_the_page(node: Node) -> None:
    with node:
        answer = node.ask("/shop/nope", headers={"If-None-Match": "*", "Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (404, b"gone")


def test_a_page_is_told_what_happened(node: Node) -> None:
    with node:
        answer = node.ask("/shop/s?409", "POST")
        assert (answer.status, answer.get("Content-Type")) == (409, "text/own")
        assert answer.body == b"['POST', 409, 'because', '/shop/s', 's']"
        assert node.ask("/shop/s?key").body == b"['GET', 500, \"'k'\", '/shop/s', 's']"


def test_an_exception_without_page_gets_the_servers(node: Node) -> None:
    with node:
        answer = node.ask("/shop/s?value")
    assert answer.status == 500
    assert b"ValueError: v" in answer.body


def test_a_page_that_does_not_exist_leaves_an_empty_body(node: Node) -> None:
    with node:
        answer = node.ask("/shop/s?410")
    assert (answer.status, answer.body) == (410, b"")


def test_a_page_that_fails_is_logged_and_the_first_error_stands(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    with node:
        answer = node.ask("/shop/s?411")
    assert answer.status == 411
    assert "the page" in caplog.text


def test_a_valve_that_fails_makes_a_500(node: Node) -> None:
    class Failing(ValveBase):
        def invoke(self, request: object, response: object) -> None:
            raise OSError("valve")

    with node:
        node.host.children[0].add_valve(Failing())
        answer = node.ask("/shop/s?409")
    assert answer.status == 500
    assert b"OSError: valve" in answer.body


def test_a_client_that_has_gone_gets_no_page(node: Node) -> None:
    class Gone(ValveBase):
        def invoke(self, request: object, response: object) -> None:
            raise ClientAbortException("gone")

    with node:
        node.host.children[0].add_valve(Gone())
        with pytest.raises(ClientAbortException):
            node.ask("/shop/s?409")


def test_a_request_counts_as_an_access_where_that_is_configured(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("ROOT", {"a.txt": "a"}, always_access_session=True)
    with node:
        assert context.manager is not None
        session = context.manager.create_session()
        session.this_accessed_time_ms = before = session.this_accessed_time_ms - 1000
        node.ask("/a.txt", headers={"Cookie": f"JSESSIONID={session.id}"})
        assert session.this_accessed_time_ms > before
