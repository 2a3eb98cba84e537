from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.attributes import Attribute, Component
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType
from catalina.operations import operation
from tests.core.node import Answer, Node, web_xml
from tests.manager.site import Site

SERVLET = """<servlet><servlet-name>proxy</servlet-name>
<servlet-class>org.apache.catalina.manager.JMXProxyServlet</servlet-class></servlet>
<servlet-mapping><servlet-name>proxy</servlet-name><url-pattern>/jmxproxy/*</url-pattern></servlet-mapping>"""
USAGE = CompositeType("java.lang.management.MemoryUsage", "", {"used": ("long", ""), "init": ("long", "")})


class Pool(Component):
    size = Attribute(int, 3, doc="Connections.")
    label = Attribute(str, None, doc="A text.")

    @property
    def names(self) -> list[str]:
        return ["a", "b"]

    @property
    def usage(self) -> CompositeData:
        return CompositeData(USAGE, {"used": 5, "init": 0})

    @property
    def broken(self) -> int:
        raise RuntimeError("no")

    @operation
    def add(self, first: int, second: str) -> list[str]:
        """Add."""
        return [str(first), second]

    @operation
    def drop(self) -> None:
        """Drop."""

    @operation
    def fail(self) -> None:
        """Fail."""
        raise RuntimeError("out of order")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    node.add("m", {"WEB-INF/web.xml": web_xml(SERVLET)}, path="/m", privileged=True)
    node.server.mbeans.register(ObjectName.parse("d:type=Pool"), Pool())
    with node:
        yield node


def ask(node: Node, query: str, method: str = "GET") -> Answer:
    return node.ask(f"/m/jmxproxy/?{query}", method)


def text(node: Node, query: str) -> str:
    return ask(node, query).body.decode()


def test_a_query_lists_beans_and_what_they_have(node: Node) -> None:
    answer = ask(node, "qry=d:*")
    assert answer.get("Content-Type") == "text/plain;charset=utf-8"
    assert answer.get("X-Content-Type-Options") == "nosniff"
    head, lines = answer.body.decode().split("\n\n", 1)
    assert head == "OK - Number of results: 1"
    assert lines.split("\r\n")[:2] == [
        "Name: d:type=Pool",
        "modelerType: org.apache.tomcat.util.modeler.BaseModelMBean",
    ]
    assert "names: Array[java.lang.String] of length 2\r\n\ta\r\n\tb\r\n" in lines
    assert lines.endswith("\r\n\r\n")
    assert "broken" not in lines


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("get=d:type=Pool&att=size", "OK - Attribute get 'd:type=Pool' - size = 3\n"),
        ("get=d:type=Pool&att=size&key=x", "OK - Attribute get 'd:type=Pool' - size - key 'x' = 3\n"),
        ("get=d:type=Pool&att=usage&key=used", "OK - Attribute get 'd:type=Pool' - usage - key 'used' = 5\n"),
        ("get=d:type=Pool&att=label", "OK - Attribute get 'd:type=Pool' - label = <null>\n"),
        ("set=d:type=Pool&att=size&val=7", "OK - Attribute set\n"),
        ("set=d:type=Pool&att=label", "OK - Attribute set\n"),
        ("invoke=d:type=Pool&op=drop", "OK - Operation drop without return value\n"),
        ("invoke=d:type=Pool&op=add&ps=1,x", "OK - Operation add returned:\n  1\n  x\n"),
        ("qry=none:*", "OK - Number of results: 0\n\n"),
    ],
)
def test_an_answer_is_tomcats(node: Node, query: str, answer: str) -> None:
    assert text(node, query) == answer


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("get=d:type=No&att=x", "javax.management.InstanceNotFoundException: d:type=No"),
        ("get=d", "javax.management.MalformedObjectNameException: Key properties cannot be empty"),
        ("set=d:type=Pool&att=size&val=1x", 'java.lang.NumberFormatException: For input string: "1x"'),
        ("set=d:type=Pool&att=size", "java.lang.NumberFormatException: Cannot parse null string: null"),
        (
            "invoke=d:type=Pool&op=add&ps=1",
            "java.lang.IllegalArgumentException: Cannot find operation [add] with [1] arguments on object name "
            "[d:type=Pool], which is a [org.apache.tomcat.util.modeler.BaseModelMBean]",
        ),
        (
            "get=d:type=Pool&att=usage&key=no",
            "javax.management.openmbean.InvalidKeyException: "
            'Argument key="no" is not an existing item name for this CompositeData instance.',
        ),
        ("get=d:type=Pool&att=broken", "java.lang.RuntimeException: no"),
    ],
)
def test_an_error_is_javas(node: Node, query: str, error: str) -> None:
    assert text(node, query) == f"Error - {error}\n{error}\n"


def test_an_operation_that_fails_tells_why(node: Node) -> None:
    found = text(node, "invoke=d:type=Pool&op=fail")
    assert found.startswith("Error - javax.management.MBeanException: Exception invoking method [fail]\n")
    assert found.endswith("Caused by: java.lang.RuntimeException: out of order\n")


def test_a_change_leaves_a_line(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ask(node, "set=d:type=Pool&att=size&val=8")
    assert "set [size] of [d:type=Pool] from [3] to [8]" in caplog.text


def test_only_get_is_answered(node: Node) -> None:
    assert ask(node, "set=d:type=Pool&att=size&val=9", "POST").status == 405
    assert text(node, "get=d:type=Pool&att=size").endswith("= 3\n")
    assert ask(node, "", "OPTIONS").get("Allow") == "GET, HEAD, OPTIONS"


def test_an_application_that_is_not_privileged_shows_nothing(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("m", {"WEB-INF/web.xml": web_xml(SERVLET)}, path="/m")
    with node:
        assert ask(node, "qry=*:*").status == 500


def test_too_many_parameters_are_a_bad_request(node: Node) -> None:
    assert ask(node, "&".join("a=b" for _ in range(101))).status == 400


@pytest.mark.parametrize(
    ("login", "status"),
    [(None, 401), ("op:wrong", 401), ("low:low", 403), ("gui:secret", 403), ("watch:secret", 403), ("op:secret", 200)],
)
def test_only_the_role_manager_jmx_is_let_in(site: Site, login: str | None, status: int) -> None:
    assert site.ask("/manager/jmxproxy/?qry=Catalina:type=Server", login=login).status == status


def test_the_log_says_who_has_changed_what_from_where(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bean = "Catalina:type=Manager,host=localhost,context=/plain"
    answer = site.ask(f"/manager/jmxproxy/?set={bean}&att=maxActiveSessions&val=7", login="op:secret")
    assert answer.text == "OK - Attribute set\n"
    assert f"[op] at [127.0.0.1] over [jmxproxy] set [maxActiveSessions] of [{bean}] from [-1] to [7]" in caplog.text


def test_a_request_that_runs_is_a_bean(site: Site) -> None:
    text = site.ask("/manager/jmxproxy/?qry=Catalina:type=RequestProcessor,*", login="op:secret").text
    assert "currentUri: /manager/jmxproxy/\r\n" in text
    assert "stage: 3\r\n" in text
