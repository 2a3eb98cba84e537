"""Files that an application never serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_context_valve import StandardContextValve
from catalina.core.standard_wrapper import StandardWrapper
from catalina.descriptor.elements import ServletDef
from tests.core.node import Node, web_xml
from tests.valves.exchange import Last, make_request

STAR = web_xml(
    "<servlet><servlet-name>s</servlet-name><servlet-class>starred:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
)
MODULE = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'served']\n"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/WEB-INF", 404),
        ("/WEB-INF/", 404),
        ("/web-inf/web.xml", 404),
        ("/META-INF/x", 404),
        ("/Meta-Inf", 404),
        ("/WEB-INFO", 200),
        ("/x/WEB-INF/y", 200),
        ("/wonder", 200),
    ],
)
def test_protected_names_are_404_even_below_a_star(tmp_path: Path, path: str, status: int) -> None:
    node = Node(tmp_path)
    node.add("shop", {"WEB-INF/web.xml": STAR, "WEB-INF/classes/starred.py": MODULE})
    with node:
        assert node.ask("/shop" + path).status == status


def test_a_path_without_servlet_is_404(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"a.txt": "a"})
    with node:
        (tmp_path / "conf" / "web.xml").write_text("<web-app/>")
        node.add("bare", {"a.txt": "a"})
        assert node.ask("/bare/a.txt").status == 404


@pytest.mark.parametrize(
    ("timing", "answers"), [("immediately", [True]), ("always", [True]), ("onRead", [])]
)  # fmt: skip
def test_a_client_that_waits_for_100_continue_is_told_unless_that_waits_for_the_first_read(
    timing: str, answers: list[bool]
) -> None:
    request, response = make_request("/x")
    request.connector = Connector()
    assert request.connector.set_attribute("continueResponseTiming", timing)
    told: list[bool] = []
    wrapper = StandardWrapper(ServletDef("last"))
    wrapper.pipeline.basic = Last()
    request.wrapper, request.expects_continue, request.on_acknowledge = wrapper, True, lambda: told.append(True)
    StandardContextValve().invoke(request, response)
    assert told == answers
