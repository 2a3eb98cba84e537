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


DESCRIBED = web_xml(
    "<context-param><param-name>colour</param-name><param-value>red</param-value></context-param>"
    "<context-param><param-name>apiPassword</param-name><param-value>geheim</param-value></context-param>"
    "<servlet><servlet-name>good</servlet-name><servlet-class>served:good</servlet-class><init-param><param-name>size"
    "</param-name><param-value>7</param-value></init-param></servlet>"
    "<servlet-mapping><servlet-name>good</servlet-name><url-pattern>/good</url-pattern></servlet-mapping>"
    "<mime-mapping><extension>till</extension><mime-type>text/x-till</mime-type></mime-mapping>"
    "<welcome-file-list><welcome-file>first.html</welcome-file></welcome-file-list>"
    "<security-role><role-name>clerk</role-name></security-role>"
)


def test_its_operations_say_what_the_descriptor_says(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": DESCRIBED, "WEB-INF/classes/served.py": MODULE}, path="/shop")

    def ask(bean: ManagedBean, operation: str, *arguments: str) -> object:
        return bean.invoke(bean.operation(operation, len(arguments)), arguments)

    with node:
        bean = ManagedBean(context)
        assert ask(bean, "findParameters") == ["colour", "apiPassword"]
        assert [ask(bean, "findParameter", name) for name in ("colour", "apiPassword", "none")] == ["red", "***", None]
        assert "first.html" in str(ask(bean, "findWelcomeFiles"))
        assert [ask(bean, "findWelcomeFile", name) for name in ("first.html", "last.html")] == [True, False]
        assert "till" in str(ask(bean, "findMimeMappings"))
        assert [ask(bean, "findMimeMapping", name) for name in ("till", "none")] == ["text/x-till", None]
        assert "/good" in str(ask(bean, "findServletMappings"))
        assert [ask(bean, "findServletMapping", name) for name in ("/good", "/none")] == ["good", None]
        assert ask(bean, "findSecurityRoles") == ["clerk"]
        assert [ask(bean, "findSecurityRole", name) for name in ("clerk", "none")] == [True, False]
        assert ask(bean, "findFilterDefs") == []
        assert isinstance(ask(bean, "findWatchedResources"), list)
        servlet = next(ManagedBean(wrapper) for wrapper in context.children if wrapper.name == "good")
        assert ask(servlet, "findInitParameters") == ["size"]
        assert [ask(servlet, "findInitParameter", name) for name in ("size", "none")] == ["7", None]
