from __future__ import annotations

from pathlib import Path

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from tests.core.node import Node, web_xml

WEB_XML = web_xml(
    "".join(
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>served:{name}</servlet-class></servlet>"
        f"<servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>/{name}</url-pattern></servlet-mapping>"
        for name in ("good", "bad")
    )
)
MODULE = """
def good(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]

def bad(environ, start_response):
    raise RuntimeError("no")
"""


def test_requests_and_errors_are_counted_by_servlet_and_application(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": WEB_XML, "WEB-INF/classes/served.py": MODULE}, path="/shop")
    with node:
        for path in ("good", "good", "bad"):
            node.ask(f"/shop/{path}")
        servlets = {wrapper.name: ManagedBean(wrapper) for wrapper in context.children}
        assert [servlets["good"].get(name) for name in ("requestCount", "errorCount")] == [2, 0]
        assert [servlets["bad"].get(name) for name in ("requestCount", "errorCount")] == [1, 1]
        bean = ManagedBean(context, ObjectName.parse("Catalina:j2eeType=WebModule,name=//localhost/shop"))
        assert [bean.get(name) for name in ("requestCount", "errorCount", "encodedPath")] == [3, 1, "/shop"]
        assert 0 <= bean.get("minTime") <= bean.get("maxTime") <= bean.get("processingTime")
        assert bean.get("startTime") > 1_700_000_000_000
        assert servlets["good"].get("available") == 0


def test_its_states_are_told(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": WEB_XML, "WEB-INF/classes/served.py": MODULE}, path="/shop")
    with node:
        hub = node.server.mbeans.notifications
        start = hub.next_number
        context.stop()
        context.start()
        told = hub.fetch(start, 10, 0)[2]
    assert [one.type for one in told] == [
        "j2ee.state.stopping", "j2ee.state.stopped", "j2ee.state.starting", "j2ee.state.running"
    ]  # fmt: skip
    assert {str(one.source) for one in told} == {
        "Catalina:j2eeType=WebModule,name=//localhost/shop,J2EEApplication=none,J2EEServer=none"
    }


def test_a_reload_by_its_operation_starts_it_anew(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": WEB_XML, "WEB-INF/classes/served.py": MODULE}, path="/shop")
    with node:
        node.ask("/shop/good")
        bean = ManagedBean(context)
        bean.invoke(bean.operation("reload", 0), [])
        assert bean.get("stateName") == "STARTED"
        assert bean.get("requestCount") == 0
        assert node.ask("/shop/good").body == b"ok"
        bean.invoke(bean.operation("stop", 0), [])
        assert node.ask("/shop/good").status == 404
        bean.invoke(bean.operation("start", 0), [])
        assert node.ask("/shop/good").body == b"ok"
