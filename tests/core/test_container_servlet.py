"""Servlets that work on the container."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.node import Node, web_xml

MODULE = """
from catalina.core.container_servlet import ContainerServlet

class Inside(ContainerServlet):
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [self.wrapper.context.host.name.encode()]

def make(): return Inside()
"""


def ask(base: Path, servlet: str, privileged: bool) -> tuple[int, bytes]:
    node = Node(base)
    xml = web_xml(
        f"<servlet><servlet-name>s</servlet-name><servlet-class>inside:{servlet}</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/s</url-pattern></servlet-mapping>"
    )
    node.add("app", {"WEB-INF/web.xml": xml, "WEB-INF/classes/inside.py": MODULE}, privileged=privileged)
    with node:
        answer = node.ask("/app/s")
    return answer.status, answer.body


@pytest.mark.parametrize("servlet", ["Inside", "make()"])
def test_a_privileged_application_reaches_the_container(tmp_path, servlet):
    assert ask(tmp_path, servlet, privileged=True) == (200, b"localhost")


@pytest.mark.parametrize("servlet", ["Inside", "make()"])
def test_any_other_is_refused(tmp_path, caplog, servlet):
    status, body = ask(tmp_path, servlet, privileged=False)
    assert status == 500
    assert b"localhost" not in body.replace(b"[localhost]", b"")
    assert "It is a restricted class (implements ContainerServlet)" in caplog.text
