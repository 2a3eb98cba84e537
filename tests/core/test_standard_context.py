"""An application's life."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.errors import DeploymentError, LifecycleError
from catalina.lifecycle import LifecycleState
from catalina.session.standard_manager import StandardManager
from catalina.tomcat.util.descriptor.web.application_parameter import ApplicationParameter
from tests.core.node import Node, web_xml

COUNTER = """
import threading
count = 0
hold = threading.Event()
inside = threading.Event()

def application(environ, start_response):
    global count
    count += 1
    if environ["PATH_INFO"] == "/wait":
        inside.set()
        hold.wait(5)
    session = environ["catalina.session"]
    session["n"] = session.get("n", 0) + 1
    start_response("200 OK", [])
    return [f"{count} {session['n']}".encode()]
"""


def counter(more: str = "") -> dict[str, str | bytes]:
    inner = (
        f"{more}<servlet><servlet-name>s</servlet-name><servlet-class>counted:application</servlet-class>"
        "<load-on-startup>1</load-on-startup></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    return {"WEB-INF/web.xml": web_xml(inner), "WEB-INF/classes/counted.py": COUNTER}


@pytest.mark.parametrize(
    ("attributes", "path", "version", "name"),
    [
        ({"path": ""}, "", "", ""),
        ({"path": "/"}, "", "", ""),
        ({"path": "/shop"}, "/shop", "", "/shop"),
        ({"path": "shop/"}, "/shop", "", "/shop"),
        ({"doc_base": "foo#bar##2.war"}, "/foo/bar", "2", "/foo/bar##2"),
        ({"path": "/shop", "web_app_version": "3"}, "/shop", "3", "/shop##3"),
        ({"path": "/own", "doc_base": "other"}, "/own", "", "/own"),
    ],
)
def test_name_and_path_come_from_what_is_given(attributes: dict[str, Any], path: str, version: str, name: str) -> None:
    context = StandardContext(**attributes)
    context.settle_name()
    assert (context.path, context.web_app_version, context.name) == (path, version, name)


def test_a_path_of_the_wrong_form_is_changed_and_said(caplog: pytest.LogCaptureFixture) -> None:
    StandardContext(path="shop/").settle_name()
    assert "The path [shop/] does not meet these criteria and has been changed to [/shop]" in caplog.text


def test_sessions_of_the_application_are_the_managers(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter())
    with node:
        first = node.ask("/shop/")
        cookie = (first.get("Set-Cookie") or "").partition(";")[0]
        assert cookie.startswith("JSESSIONID=")
        assert node.ask("/shop/", headers={"Cookie": cookie}).body == b"2 2"
        assert context.manager is not None
        assert context.manager.active_sessions == 1


def test_load_on_startup_loads_small_numbers_first(tmp_path: Path) -> None:
    module = "loaded = []\n" + "".join(
        f"def make_{name}():\n    loaded.append('{name}')\n    return lambda environ, start_response: []\n"
        for name in "abc"
    )
    servlets = "".join(
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>ordered:make_{name}()</servlet-class>"
        f"<load-on-startup>{number}</load-on-startup></servlet>"
        for name, number in (("a", 2), ("b", 0), ("c", -1))
    )
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(servlets), "WEB-INF/classes/ordered.py": module})
    with node:
        assert context.loader.load("ordered:loaded") == ["b", "a"]


@pytest.mark.parametrize(
    ("host", "own", "runs"), [(False, None, True), (True, None, False), (True, False, True), (False, True, False)]
)
def test_a_servlet_that_fails_at_start_fails_its_application_only_when_asked_to(
    tmp_path: Path, host: bool, own: bool | None, runs: bool
) -> None:
    node = Node(tmp_path, fail_ctx_if_servlet_start_fails=host)
    servlet = (
        "<servlet><servlet-name>s</servlet-name><servlet-class>missing:application</servlet-class>"
        "<load-on-startup>1</load-on-startup></servlet>"
    )
    attributes = {} if own is None else {"fail_ctx_if_servlet_start_fails": own}
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(servlet)}, **attributes)
    with node:
        assert (context.state is LifecycleState.STARTED) is runs


def test_a_reload_starts_the_code_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    node = Node(tmp_path)
    context = node.add("shop", counter())
    with node:
        node.ask("/shop/")
        assert node.ask("/shop/").body.startswith(b"2 ")
        context.reload()
        assert node.ask("/shop/").body.startswith(b"1 ")
        assert not context.paused
    assert "Reloading Context with name [/shop] has started" in caplog.text
    assert "Reloading Context with name [/shop] is completed" in caplog.text


def test_attributes_of_a_pool_are_said_to_have_no_effect_without_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    node.add("shop", counter(), request_timeout=1000, max_requests=1000)
    with node:
        assert node.ask("/shop/").status == 200
    assert 'maxRequests, requestTimeout: expected isolation="process"' in caplog.text
    assert "there is no pool, and they have no effect" in caplog.text


def test_only_a_running_application_can_be_reloaded(tmp_path: Path) -> None:
    context = Node(tmp_path).add("shop", counter())
    with pytest.raises(LifecycleError, match=r"reload\(\) is not possible in state NEW"):
        context.reload()


def test_requests_wait_for_the_end_of_a_reload(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter())
    answers: list[bytes] = []
    asking = threading.Event()

    def ask() -> None:
        asking.set()
        answers.append(node.ask("/shop/").body)

    thread = threading.Thread(target=ask, daemon=True)

    def hear(event: Any) -> None:
        if event.type == "before_start":
            thread.start()
            assert asking.wait(5)

    with node:
        node.server.reactor.start()
        context.add_lifecycle_listener(hear)
        context.reload()
        thread.join(5)
        node.server.reactor.stop()
    assert answers == [b"1 1"]


def test_a_stop_waits_for_the_requests_that_are_inside(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter(), unload_delay=5000)
    answers: list[bytes] = []
    with node:
        thread = threading.Thread(target=lambda: answers.append(node.ask("/shop/wait").body), daemon=True)
        thread.start()
        assert context.loader.load("counted:inside").wait(5)
        threading.Timer(0.05, context.loader.load("counted:hold").set).start()
        context.stop()
        assert context.in_progress.count == 0
        thread.join(5)
    assert answers == [b"1 1"]


def test_a_parameter_of_the_context_wins_only_when_override_is_off(tmp_path: Path) -> None:
    node = Node(tmp_path)
    inner = "".join(
        f"<context-param><param-name>{name}</param-name><param-value>web.xml</param-value></context-param>"
        for name in "ab"
    )
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(inner)})
    for name, override in (("a", True), ("b", False), ("c", True)):
        context.application_parameters.append(ApplicationParameter(name=name, value="context", override=override))
    with node:
        assert context.parameters == {"a": "web.xml", "b": "context", "c": "context"}


def test_an_own_manager_is_used(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter())
    own = StandardManager(max_active_sessions=3)
    context.manager = own
    with node:
        assert context.manager is own
        assert own.state.available
        assert own.context is context
        context.reload()
        assert context.manager is own


class FakeCluster:
    """Makes managers and writes down what happens to them."""

    def __init__(self) -> None:
        self.state = LifecycleState.STARTED
        self.container: Any = None
        self.told: list[str] = []

    def create_manager(self, name: str) -> StandardManager:
        self.told.append(f"create {name}")
        return StandardManager()

    def register_manager(self, manager: Any) -> None:
        self.told.append(f"register {manager.context.name}")

    def remove_manager(self, manager: Any) -> None:
        self.told.append(f"remove {manager.context.name}")

    def background_process(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def destroy(self) -> None: ...


def test_a_distributable_application_gets_its_manager_from_the_cluster(tmp_path: Path) -> None:
    node = Node(tmp_path)
    cluster = FakeCluster()
    node.engine.cluster = cluster
    node.add("shop", counter("<distributable/>"))
    node.add("alone", counter())
    with node:
        pass
    assert cluster.told == ["create /shop", "register /shop", "remove /shop"]


def test_an_application_that_becomes_distributable_by_a_reload_changes_its_manager(tmp_path: Path) -> None:
    node = Node(tmp_path)
    cluster = FakeCluster()
    node.engine.cluster = cluster
    context = node.add("shop", counter())
    with node:
        before = context.manager
        (tmp_path / "webapps/shop/WEB-INF/web.xml").write_text(str(counter("<distributable/>")["WEB-INF/web.xml"]))
        context.reload()
        assert context.manager is not before
    assert cluster.told[0] == "create /shop"


def test_a_failed_start_leaves_nothing_running(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter("<listener><listener-class>counted:Missing</listener-class></listener>"))
    with node:
        assert context.state is LifecycleState.FAILED
        assert not context.loader.state.available
        assert not context.resources.state.available
        assert context.wrappers == {}


def test_an_application_that_was_repaired_can_be_started_again(tmp_path: Path) -> None:
    node = Node(tmp_path)
    files = counter()
    context = node.add("shop", {**files, "WEB-INF/web.xml": "<web-app>"})
    with node:
        (tmp_path / "webapps/shop/WEB-INF/web.xml").write_text(str(files["WEB-INF/web.xml"]))
        context.start()
        assert node.ask("/shop/").status == 200


def test_a_mapping_of_an_unknown_servlet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"unknown servlet name \[nobody\]"):
        StandardContext().add_servlet_mapping("/x", "nobody")


def test_ticks_reach_the_parts_of_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter())
    ticked: list[str] = []
    with node:
        for name in ("loader", "manager", "resources"):
            monkeypatch.setattr(getattr(context, name), "background_process", lambda name=name: ticked.append(name))
        node.engine.tick()
    assert ticked == ["loader", "manager", "resources"]


@pytest.mark.parametrize("cancel", [True, False])
def test_timers_that_were_left_behind_can_be_cancelled(tmp_path: Path, cancel: bool) -> None:
    module = (
        "import threading\nfired = threading.Event()\ntimer = threading.Timer(60, fired.set)\ntimer.daemon = True\n"
        "def application(environ, start_response): ...\ntimer.start()\n"
    )
    node = Node(tmp_path)
    context = node.add("shop", {"wsgi.py": module}, clear_references_stop_timer_threads=cancel)
    with node:
        timer = context.loader.load("wsgi:timer")
        context.stop()
        assert timer.finished.is_set() is cancel
        timer.cancel()
        timer.join(5)


def test_sessions_stay_on_the_version_that_made_them(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with node:
        node.add("shop##1", counter())
        first = node.ask("/shop/")
        cookie = (first.get("Set-Cookie") or "").partition(";")[0]
        newer = node.add("shop##2", counter())
        assert node.ask("/shop/", headers={"Cookie": cookie}).body == b"2 2"
        assert node.ask("/shop/").body == b"1 1"
        assert node.ask("/shop/", headers={"Cookie": "JSESSIONID=unknown"}).body == b"2 1"
        node.host.remove_child(newer)
        assert node.ask("/shop/").body == b"3 1"


def test_an_application_that_did_not_start_can_be_reloaded(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"wsgi.py": "import a_module_that_nobody_has\n"})
    with node:
        assert context.state is LifecycleState.FAILED
        assert node.ask("/shop/").status == 404
        context.reload()
        assert context.state is LifecycleState.FAILED
        (tmp_path / "webapps/shop/wsgi.py").write_text(ANSWERS)
        context.reload()
        assert node.ask("/shop/").body == b"repaired"


def test_a_reloadable_application_comes_back_when_its_broken_module_is_repaired(tmp_path: Path) -> None:
    node = Node(tmp_path)
    files = {"wsgi.py": "import pk_reloadable.m\n" + ANSWERS, "pk_reloadable/m.py": ""}
    context = node.add("shop", files, reloadable=True)
    module = tmp_path / "webapps/shop/pk_reloadable/m.py"
    with node:
        assert node.ask("/shop/").body == b"repaired"
        module.write_text("syntax error\n")
        context.tick()
        assert node.ask("/shop/").status == 404
        context.tick()
        assert context.state is LifecycleState.FAILED
        module.write_text("VALUE = 1234\n")
        context.tick()
        assert node.ask("/shop/").body == b"repaired"


ANSWERS = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"repaired"]
"""


def test_a_node_in_one_process_has_no_processes_for_applications(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", counter(), isolation="process")
    with node:
        assert context.state is LifecycleState.FAILED
    assert "needs a keeper, which starts and ends its processes; this node has begun without" in context.failure
