"""Servlets: made once, by name, unavailable when they cannot be."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.errors import DeploymentError
from tests.core.node import Node, web_xml

MODULE = """
from catalina.webapp import UnavailableError
made = []
closed = []

class Servlet:
    def __init__(self, greeting="hello"):
        made.append(greeting)
        self.greeting = greeting
    def start_servlet(self, config, context): self.name = config.name
    def close_servlet(self): closed.append(self.name)
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [f"{self.greeting} {environ['catalina.servlet'].init_parameters}".encode()]

class Busy:
    def __init__(self): raise_busy()
def raise_busy(): raise UnavailableError("later", 30)
def make(greeting): return Servlet(greeting + "!")
number = 7
"""


@pytest.fixture
def context(tmp_path: Path) -> StandardContext:
    servlets = "".join(
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>served:{target}</servlet-class>{extra}</servlet>"
        f"<servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>/{name}</url-pattern></servlet-mapping>"
        for name, target, extra in (
            ("plain", "Servlet", ""),
            (
                "greeting",
                "Servlet",
                "<init-param><param-name>greeting</param-name><param-value>hi</param-value></init-param>",
            ),
            (
                "factory",
                "make()",
                "<init-param><param-name>greeting</param-name><param-value>hi</param-value></init-param>",
            ),
            ("number", "number", ""),
            ("missing", "Missing", ""),
            ("off", "Servlet", "<enabled>false</enabled>"),
        )
    )
    node = Node(tmp_path)
    files: dict[str, str | bytes] = {"WEB-INF/web.xml": web_xml(servlets), "WEB-INF/classes/served.py": MODULE}
    context = node.add("shop", files)
    context.node = node  # type: ignore[attr-defined]  # for the tests
    return context


def test_a_servlet_is_made_with_the_first_request_and_once(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        made = context.loader.load("served:made")
        assert (made, context.wrappers["plain"].is_loaded) == ([], False)
        for _ in range(3):
            assert node.ask("/shop/plain").body == b"hello {}"
        assert made == ["hello"]
        closed = context.loader.load("served:closed")
    assert closed == ["plain"]


def test_init_parameters_reach_classes_and_factories(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert node.ask("/shop/greeting").body == b"hi {'greeting': 'hi'}"
        assert node.ask("/shop/factory").body == b"hi! {'greeting': 'hi'}"


@pytest.mark.parametrize("name", ["missing", "number"])
def test_what_cannot_be_a_servlet_is_said_once_then_it_is_404(context: StandardContext, name: str) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        with pytest.raises(DeploymentError):
            context.wrappers[name].load()
        assert context.wrappers[name].retry_after is None
        assert node.ask(f"/shop/{name}").status == 404


def test_the_first_request_for_a_servlet_that_cannot_be_made_is_a_500(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        first = node.ask("/shop/missing")
    assert first.status == 500
    assert b"Error instantiating servlet class [served:Missing]" in first.body


def test_a_disabled_servlet_is_404(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        assert node.ask("/shop/off").status == 404


def test_a_servlet_that_is_busy_says_when_to_come_back(context: StandardContext) -> None:
    with context.node as node:  # type: ignore[attr-defined]  # set by the fixture
        wrapper = context.wrappers["plain"]
        wrapper.unavailable(29.5)
        answer = node.ask("/shop/plain")
        assert (answer.status, answer.get("Retry-After")) == (503, "30")
        wrapper.unavailable(0)
        assert node.ask("/shop/plain").status == 200


def test_its_mappings_are_those_of_the_context(context: StandardContext) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        assert context.wrappers["plain"].mappings == ("/plain",)
        assert context.wrappers["plain"].servlet_class == "served:Servlet"


ASYNCHRONOUS = """
class Fast:
    async def __call__(self, scope, receive, send): ...

async def function(scope, receive, send): ...

instance = Fast()
"""


@pytest.mark.parametrize("target", ["function", "instance", "Fast"])
def test_an_asgi_application_is_named_at_once_and_in_each_answer(tmp_path, caplog, target):
    servlet = (
        f"<servlet><servlet-name>fast</servlet-name><servlet-class>fast:{target}</servlet-class>"
        "<load-on-startup>1</load-on-startup></servlet>"
        "<servlet-mapping><servlet-name>fast</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    sentence = f"fast:{target} is an ASGI application, and WSGI is spoken here; wrap it: a2wsgi.ASGIMiddleware(app)"
    sentence += ', or asgi="wrap" on its Context'
    with Node(tmp_path) as node:
        node.add("app", {"WEB-INF/web.xml": web_xml(servlet), "WEB-INF/classes/fast.py": ASYNCHRONOUS})
        (warning,) = [record for record in caplog.records if "ASGI" in record.getMessage()]
        assert warning.levelname == "WARNING"
        assert warning.getMessage() == f"[fast:{target}] answers each request with 500: {sentence}"
        answer = node.ask("/app/")
        assert answer.status == 500
        assert sentence in html.unescape(answer.body.decode())
