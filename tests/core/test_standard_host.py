"""The host: names, directories, applications that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.container_base import ContainerBase
from catalina.core.standard_host import StandardHost
from catalina.errors import LifecycleError
from catalina.lifecycle import LifecycleState
from catalina.mbeans.managed_bean import ManagedBean
from catalina.valves.error_report_valve import ErrorReportValve
from tests.core.node import Node


def test_names_and_aliases_are_lower_case() -> None:
    host = StandardHost()
    host.set_attribute("name", "Shop.Example")
    host.add_alias(" WWW.Example ")
    host.add_alias("www.example")
    assert (host.name, host.aliases) == ("shop.example", ["www.example"])


def test_directories_follow_the_engine_and_the_host(tmp_path: Path) -> None:
    host = Node(tmp_path).host
    assert host.app_base_path == tmp_path / "webapps"
    assert host.config_base_path == tmp_path / "conf" / "Catalina" / "localhost"
    assert host.work_path == tmp_path / "work" / "Catalina" / "localhost"
    host.xml_base, host.work_dir, host.app_base = "xml", "scratch", "/srv/apps"
    assert host.config_base_path == tmp_path / "xml"
    assert host.work_path == tmp_path / "scratch"
    assert host.app_base_path == Path("/srv/apps")


def test_children_of_a_host_are_contexts() -> None:
    with pytest.raises(LifecycleError, match="Child of a Host must be a Context"):
        StandardHost(name="localhost").add_child(ContainerBase(name="x"))


def test_an_application_that_fails_leaves_the_host_and_the_others_running(tmp_path: Path) -> None:
    node = Node(tmp_path)
    broken = node.add("broken", {"WEB-INF/web.xml": "<web-app>"})
    node.add("good", {"a.txt": "a"})
    with node:
        assert broken.state is LifecycleState.FAILED
        assert node.ask("/good/a.txt").body == b"a"
        assert node.ask("/broken/").status == 404
        late = node.add("late", {"WEB-INF/web.xml": "<web-app>"})  # also when it comes later
        assert late.state is LifecycleState.FAILED


def test_the_error_report_valve_is_added_once(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.host.add_valve(ErrorReportValve(show_report=False))
    with node:
        assert sum(isinstance(valve, ErrorReportValve) for valve in node.host.pipeline.valves) == 1


def test_without_an_error_report_valve_class_errors_have_no_body(tmp_path: Path) -> None:
    node = Node(tmp_path, error_report_valve_class="")
    node.add("ROOT", {"a.txt": "a"})
    with node:
        answer = node.ask("/nope")
    assert (answer.status, answer.body) == (404, b"")


def test_an_unknown_error_report_valve_class_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Node(tmp_path, error_report_valve_class="no.such.Valve"):
        pass
    assert "Error loading error report valve class [no.such.Valve]" in caplog.text


def test_a_host_gets_and_loses_names_at_run_time(tmp_path: Path) -> None:
    node = Node(tmp_path)
    other = StandardHost(name="other.example", app_base="other")
    node.host.parent.add_child(other)  # type: ignore[union-attr]  # the engine
    bean = ManagedBean(node.host)

    def invoke(name: str, *arguments: str) -> object:
        return bean.invoke(bean.operation(name, len(arguments)), arguments)

    invoke("addAlias", "Shop.Example")
    invoke("addAlias", "*.shops.example")
    assert invoke("findAliases") == ["shop.example", "*.shops.example"]
    for wrong in ("", "a b", "other.example", "-x", "a/b"):
        with pytest.raises(ValueError, match=r"Invalid host name|is a name of the host"):
            invoke("addAlias", wrong)
    invoke("removeAlias", "SHOP.example")
    assert invoke("findAliases") == ["*.shops.example"]
