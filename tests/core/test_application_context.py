"""``environ["catalina.context"]``."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.errors import NamingError
from tests.core.node import Node, web_xml

FILES: dict[str, str | bytes] = {
    "WEB-INF/web.xml": web_xml(
        "<display-name>Shop</display-name><context-param><param-name>p</param-name><param-value>v</param-value>"
        "</context-param><env-entry><env-entry-name>limit</env-entry-name><env-entry-type>java.lang.Integer"
        "</env-entry-type><env-entry-value>7</env-entry-value></env-entry>"
    ),
    "WEB-INF/schema.sql": "create",
    "a.txt": "a",
}


@pytest.fixture
def context(tmp_path: Path) -> StandardContext:
    node = Node(tmp_path)
    context = node.add("shop##2", FILES)
    node.add("other", {"a.txt": "o"})
    context.node = node  # type: ignore[attr-defined]  # keeps it alive for the test
    return context


def test_what_the_application_is(context: StandardContext, tmp_path: Path) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        seen = context.application_context
        assert (seen.context_path, seen.version, seen.display_name) == ("/shop", "2", "Shop")
        assert dict(seen.init_parameters) == {"p": "v"}
        assert (seen.session_timeout, seen.distributable) == (30, False)
        assert seen.virtual_server_name == "Catalina/localhost"
        assert seen.server_info.startswith("Catalina for Python/")
        assert seen.work_dir == tmp_path / "work" / "Catalina" / "localhost" / "shop##2"
        assert seen.work_dir.is_dir()
        assert repr(seen) == "<ApplicationContext /shop##2>"


def test_its_files(context: StandardContext, tmp_path: Path) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        seen = context.application_context
        assert seen.resource("/WEB-INF/schema.sql").read() == b"create"
        assert seen.resource("a.txt").exists
        assert seen.real_path("/a.txt") == str(tmp_path / "webapps" / "shop##2" / "a.txt")
        assert seen.real_path("/nope") is None
        assert (seen.mime_type("x.TXT"), seen.mime_type("x.unknown"), seen.mime_type("noext")) == (
            "text/plain",
            None,
            None,
        )
        context.context_get_resource_requires_slash = True
        with pytest.raises(ValueError, match="does not start with a slash"):
            seen.resource("a.txt")


def test_its_names(context: StandardContext) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        seen = context.application_context
        assert seen.lookup("limit") == seen.lookup("java:comp/env/limit") == 7
        with pytest.raises(NamingError):
            seen.lookup("nothing")


def test_other_applications_only_with_cross_context(context: StandardContext) -> None:
    with context.node:  # type: ignore[attr-defined]  # set by the fixture
        seen = context.application_context
        assert seen.context("/shop/x") is seen
        assert seen.context("/other/x") is None
        assert seen.context("relative") is None
        context.cross_context = True
        found = seen.context("/other/x")
        assert found is not None
        assert found.context_path == "/other"


def test_attributes_are_a_mapping(context: StandardContext) -> None:
    attributes = context.application_context.attributes
    published = dict(attributes)
    attributes["a"] = 1
    assert (dict(attributes), len(attributes), "a" in attributes) == ({**published, "a": 1}, len(published) + 1, True)
    del attributes["a"]
    with pytest.raises(KeyError):
        attributes["a"]


def test_the_log_is_the_applications(context: StandardContext, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    context.application_context.log("%s sold", "one")
    assert caplog.records[-1].name.endswith("[localhost].[/shop##2]")
    assert caplog.records[-1].getMessage() == "one sold"
    assert context.application_context.logger is context.logger


def test_the_container_publishes_what_tomcat_documents(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop##2", {"a.txt": "a"})
    with node:
        attributes = context.application_context.attributes
        assert attributes["org.apache.catalina.resources"] is context.resources
        assert attributes["org.apache.catalina.webappVersion"] == "2"
        assert attributes["jakarta.servlet.context.tempdir"] == context.work_path
        assert attributes["org.apache.tomcat.util.threads.ScheduledThreadPoolExecutor"] is node.server.utility
        assert "org.apache.catalina.deploy.alt_dd" not in attributes
