"""Files that configure an application, and which of them wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.lifecycle import LifecycleState
from catalina.webresources.dir_resource_set import DirResourceSet
from tests.core.node import Node, web_xml


def test_of_context_files_the_applications_own_comes_last(tmp_path: Path) -> None:
    node = Node(tmp_path)
    (tmp_path / "conf" / "context.xml").write_text(
        '<Context sessionCookieName="GLOBAL" reloadable="true" unloadDelay="1">'
        '<Parameter name="p" value="global" override="false"/></Context>'
    )
    host_default = tmp_path / "conf/Catalina/localhost/context.xml.default"
    host_default.parent.mkdir(parents=True)
    host_default.write_text('<Context sessionCookieName="HOST" unloadDelay="2"/>')
    context = node.add("shop", {"META-INF/context.xml": '<Context unloadDelay="3" path="/elsewhere" docBase="no"/>'})
    context.config_file = tmp_path / "webapps/shop/META-INF/context.xml"
    with node:
        assert (context.reloadable, context.session_cookie_name, context.unload_delay) == (True, "HOST", 3)
        assert (context.path, context.doc_base) == ("/shop", "shop")  # deployment has decided that
        assert context.parameters == {"p": "global"}


def test_what_server_xml_says_wins_over_the_defaults(tmp_path: Path) -> None:
    from catalina.session.standard_manager import StandardManager

    node = Node(tmp_path)
    (tmp_path / "conf" / "context.xml").write_text(
        '<Context unloadDelay="1"><Manager maxActiveSessions="1"/><Resources cacheTtl="7"/></Context>'
    )
    context = node.add("shop", {"a.txt": "a"}, unload_delay=5)
    context.child_elements()["Manager"].add(context, StandardManager(max_active_sessions=9))  # type: ignore[arg-type]  # an Element
    with node:
        assert context.unload_delay == 5
        assert context.manager.max_active_sessions == 9  # type: ignore[union-attr]  # there is one
        assert context.resources.cache_ttl == 7


def test_override_leaves_the_defaults_out(tmp_path: Path) -> None:
    node = Node(tmp_path)
    (tmp_path / "conf" / "context.xml").write_text('<Context reloadable="true"/>')
    context = node.add("shop", {"a.txt": "a"}, override=True)
    with node:
        assert not context.reloadable


@pytest.mark.parametrize("text", ["<Context>", "<Server/>"])
def test_a_context_file_that_cannot_be_used_fails_the_application(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"META-INF/context.xml": text})
    context.config_file = tmp_path / "webapps/shop/META-INF/context.xml"
    with node:
        assert context.state is LifecycleState.FAILED
    assert "Marking this application unavailable due to previous error(s)" in caplog.text


def test_a_mistake_in_a_context_file_is_a_warning_with_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    (tmp_path / "conf" / "context.xml").write_text('<Context\n reloadble="true"/>')
    node.add("shop", {"a.txt": "a"})
    with node:
        pass
    assert "context.xml:2 <Context>: no attribute reloadble on StandardContext; did you mean reloadable?" in caplog.text


def test_of_descriptors_the_applications_own_wins_over_host_and_global(tmp_path: Path) -> None:
    node = Node(tmp_path)
    host_default = tmp_path / "conf/Catalina/localhost/web.xml.default"
    host_default.parent.mkdir(parents=True)
    parameter = "<context-param><param-name>{}</param-name><param-value>{}</param-value></context-param>"
    host_default.write_text(web_xml(parameter.format("a", "host") + parameter.format("b", "host")))
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(parameter.format("a", "own"))})
    with node:
        assert context.parameters == {"a": "own", "b": "host"}
        assert context.session_timeout == 30
        assert [file for file in context.default_web_xml_watched if file.suffix in (".xml", ".default")] == [
            tmp_path / "webapps/shop/WEB-INF/web.xml",
            tmp_path / "webapps/shop/WEB-INF/tomcat-web.xml",
            host_default,
            tmp_path / "conf/web.xml",
        ]


def test_properties_are_replaced_in_descriptors(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.server.properties = {"shop.name": "Corner"}
    context = node.add("shop", {"WEB-INF/web.xml": web_xml("<display-name>${shop.name} ${x:-shop}</display-name>")})
    with node:
        assert context.display_name == "Corner shop"


def test_another_file_can_be_the_descriptor(tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text(web_xml("<display-name>other</display-name>"))
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": web_xml("")}, alt_dd_name=str(other))
    missing = node.add("missing", {"a.txt": "a"}, alt_dd_name=str(tmp_path / "nowhere.xml"))
    with node:
        assert context.display_name == "other"
        assert missing.state is LifecycleState.FAILED


SERVLET = (
    "<servlet><servlet-name>a</servlet-name><servlet-class>shop:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>a</servlet-name><url-pattern>{}</url-pattern></servlet-mapping>"
)


@pytest.mark.parametrize(("pattern", "runs"), [("/*", True), ("/api/*", False)])
def test_a_descriptor_outside_of_a_project_makes_it_an_application_only_if_it_answers_everything(
    tmp_path: Path, pattern: str, runs: bool
) -> None:
    other = tmp_path / "other.xml"
    other.write_text(web_xml(SERVLET.format(pattern)))
    node = Node(tmp_path)
    context = node.add("project", {"shop.py": "application = print", "db.txt": "x"}, alt_dd_name=str(other))
    with node:
        assert context.state.available is runs
        assert context.resources.serves_files is False or not runs


def test_a_document_base_that_does_not_exist_fails_the_application(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("nowhere", {})
    with node:
        assert context.state is LifecycleState.FAILED
    assert f"The document base [{tmp_path}/webapps/nowhere] of application [/nowhere] does not exist" in caplog.text


def test_a_document_base_may_be_anywhere(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text("outside")
    node = Node(tmp_path)
    context = node.add("x", {}, path="/out")
    context.doc_base = str(tmp_path / "outside")
    with node:
        assert node.ask("/out/a.txt").body == b"outside"


def test_a_broken_descriptor_says_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": "<web-app>\n<servlet/>\n</web-app>"})
    with node:
        assert context.state is LifecycleState.FAILED
    assert "webapps/shop/WEB-INF/web.xml:2: <servlet> needs a <servlet-name>" in caplog.text


def test_the_defaults_are_read_once_until_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalina.startup import context_config

    read: list[Path] = []

    def counting(path: Path, *rest: Any, **options: Any) -> object:
        read.append(path)
        return read_web_xml(path, *rest, **options)

    monkeypatch.setattr(context_config, "read_web_xml", counting)
    node = Node(tmp_path)
    for name in "abc":
        node.add(name, {"a.txt": "a"})
    with node:
        assert read == [tmp_path / "conf/web.xml"]
        (tmp_path / "conf/web.xml").write_text(web_xml("<display-name>another</display-name>"))
        late = node.add("late", {"a.txt": "a"})
        assert late.servlet_mappings == {}
    assert len(read) == 2


def test_the_effective_descriptor_is_logged_where_that_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    node = Node(tmp_path)
    node.add("shop", {"WEB-INF/web.xml": web_xml("<display-name>Logged</display-name>")}, log_effective_web_xml=True)
    with node:
        pass
    assert "Logged" in caplog.text


def test_the_source_of_a_jsp_is_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    node = Node(tmp_path)
    stock = (
        "<servlet><servlet-name>default</servlet-name>"
        "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>"
        "<servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>"
        "<load-on-startup>3</load-on-startup></servlet>"
        "<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>"
        "<servlet-mapping><servlet-name>jsp</servlet-name><url-pattern>*.jsp</url-pattern></servlet-mapping>"
    )
    (tmp_path / "conf" / "web.xml").write_text(web_xml(stock))
    for name in "ab":
        node.add(name, {"x.jsp": "<%@ source %>", "x.txt": "text"})
    with node:
        assert (node.ask("/a/x.jsp").status, node.ask("/b/x.txt").body) == (404, b"text")
    said = [record for record in caplog.records if "which only Java has" in record.getMessage()]
    assert [record.levelname for record in said] == ["INFO"]


def test_a_context_of_server_xml_may_name_an_archive(tmp_path: Path) -> None:
    from zipfile import ZipFile

    with ZipFile(tmp_path / "outside.war", "w") as war:
        war.writestr("index.html", "from the archive")
    node = Node(tmp_path)
    context = node.add("x", {}, path="/packed")
    context.doc_base = str(tmp_path / "outside.war")
    with node:
        assert node.ask("/packed/index.html").body == b"from the archive"
        assert context.document_root == tmp_path / "webapps" / "packed"


def test_what_is_wrong_in_a_context_file_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    (tmp_path / "conf" / "context.xml").write_text('<Context>\n<Valve className="org.apache.V"/></Context>')
    for name in ("a", "b", "c"):
        node.add(name, {"a.txt": "a"})
    with node:
        pass
    assert caplog.text.count("context.xml:2 <Valve>: no class answers to className 'org.apache.V'") == 1
    assert caplog.text.count("of application [/c] cannot be used") == 1


@pytest.mark.parametrize("doc_base", ["conf", "conf/Catalina", ".", ".."])
def test_the_servers_own_configuration_is_never_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, doc_base: str
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    node = Node(base)
    (base / "conf" / "Catalina").mkdir(exist_ok=True)
    context = node.add("shop", {"a.txt": "a"})
    context.doc_base = str(base / doc_base)
    with node:
        assert context.state is LifecycleState.FAILED
    assert "holds the server's own conf directory" in caplog.text


def test_a_link_to_the_servers_configuration_is_no_way_round(tmp_path: Path) -> None:
    node = Node(tmp_path)
    (tmp_path / "webapps" / "shop").symlink_to(tmp_path / "conf")
    context = node.add("other", {"a.txt": "a"})
    context.doc_base = "shop"
    with node:
        assert context.state is LifecycleState.FAILED


def test_code_of_another_directory_is_the_applications(tmp_path: Path) -> None:
    """PreResources at /WEB-INF/classes, which Tomcat has for projects whose classes lie elsewhere."""
    node = Node(tmp_path)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "elsewhere_shop.py").write_text(
        "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'from elsewhere']\n"
    )
    context = node.add("shop", {"WEB-INF/web.xml": web_xml("")})
    context.resources.pre.append(DirResourceSet(base=str(tmp_path / "project"), web_app_mount="/WEB-INF/classes"))
    with node:
        assert context.state is LifecycleState.STARTED
        assert context.loader.load("elsewhere_shop:application") is not None
        assert "elsewhere_shop.py" in str(context.loader.load("elsewhere_shop:application").__code__.co_filename)
