"""Deployment on nodes of a keeper and workers, as real processes: what clients see while applications change."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.counting import CountingClients
from tests.cluster.node import PROJECT, Node
from tests.deploy.archives import make_wheel
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

WEB_XML = """<web-app><distributable/>
  <listener><listener-class>counting:Listener</listener-class></listener>
  <servlet><servlet-name>a</servlet-name><servlet-class>counting:application</servlet-class></servlet>
  <servlet-mapping><servlet-name>a</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>"""

APPLICATION = """
import os

VERSION = {version!r}
{more}

class Listener:
    pass

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/version":
        return [f"{{VERSION}} {{os.getpid()}}".encode()]
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    return [f"{{session['count']}} {{os.getpid()}}".encode()]
"""

BROKEN = "raise RuntimeError('it does not start')"
SLOW = "import time; time.sleep(1)"

MakeNode = Callable[..., Node]


def archive(place: Path, version: str, more: str = "", context_xml: str = "") -> Path:
    """An archive of the counting application, complete when it appears."""
    hidden = place.with_name(f".{place.name}")
    with zipfile.ZipFile(hidden, "w") as sink:
        sink.writestr("WEB-INF/web.xml", WEB_XML)
        sink.writestr("WEB-INF/classes/counting.py", APPLICATION.format(version=version, more=more))
        if context_xml:
            sink.writestr("META-INF/context.xml", context_xml)
    hidden.rename(place)
    return place


def directory(place: Path, version: str, more: str = "") -> Path:
    """The counting application in a directory."""
    (place / "WEB-INF" / "classes").mkdir(parents=True, exist_ok=True)
    (place / "WEB-INF" / "classes" / "counting.py").write_text(APPLICATION.format(version=version, more=more))
    (place / "WEB-INF" / "web.xml").write_text(WEB_XML)
    return place


def catalina(node: Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``catalina`` with these arguments in the node's directory."""
    return node.catalina(*arguments)


def everywhere(node: Node, app: str = "/shop", connections: int = 12) -> list[tuple[int, str]]:
    """Status and text of ``/version`` over connections that are open together, so that each worker has some."""
    opened = [http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30) for _ in range(connections)]
    try:
        for connection in opened:
            connection.connect()
        answers = []
        for connection in opened:
            connection.request("GET", f"{app}/version")
            response = connection.getresponse()
            answers.append((response.status, response.read().decode()))
        return answers
    finally:
        for connection in opened:
            connection.close()


def versions(node: Node, app: str = "/shop") -> set[str]:
    """The versions that answer, or the statuses of other answers."""
    return {text.split()[0] if status == 200 else str(status) for status, text in everywhere(node, app)}


@pytest.fixture
def node(make_node: MakeNode) -> Node:
    """A node that looks at its files."""
    node = make_node("n1", workers=2)
    server_xml = node.base / "conf" / "server.xml"
    server_xml.write_text(server_xml.read_text().replace('autoDeploy="false"', 'autoDeploy="true"'))
    return node.start()


@pytest.fixture
def shop(node: Node, tmp_path: Path) -> Node:
    """A node with version 1 of the counting application as /shop, by command."""
    done = catalina(node, "deploy", str(archive(tmp_path / "shop.war", "one")))
    assert (done.returncode, done.stderr) == (0, "")
    assert versions(node) == {"one"}
    return node


def test_a_new_application_is_in_all_workers(shop: Node) -> None:
    workers = {str(pid) for pid in shop.named_processes("catalina-w")}
    assert {text.split()[1] for _, text in everywhere(shop)} == workers


def test_exchanging_an_archive_under_load_fails_no_request_and_loses_no_count(shop: Node, tmp_path: Path) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def exchange() -> None:
        for number in range(4):
            done = catalina(shop, "deploy", str(archive(tmp_path / "shop.war", f"next{number}")))
            assert (done.returncode, done.stderr) == (0, "")

    clients.run_while(exchange)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert clients.answers > 100
    assert versions(shop) == {"next3"}


def test_an_archive_that_is_copied_into_app_base_is_exchanged(shop: Node, tmp_path: Path) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def copy() -> None:
        archive(shop.base / "webapps" / "shop.war", "two")
        wait_until(lambda: versions(shop) == {"two"}, "the new version in all workers", 30)

    clients.run_while(copy)
    assert clients.faults == []
    assert clients.broken_off == 0


def test_reloading_under_load_fails_no_request_and_loses_no_count(shop: Node) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def reload() -> None:
        for _ in range(4):
            done = catalina(shop, "reload", "/shop")
            assert (done.returncode, done.stderr) == (0, "")

    clients.run_while(reload)
    assert clients.faults == []
    assert clients.broken_off == 0


def test_a_version_that_does_not_start_changes_nothing(shop: Node, tmp_path: Path) -> None:
    before = shop.named_processes("catalina-w")
    clients = CountingClients([shop.http_port], "/shop/count")

    def deploy() -> None:
        done = catalina(shop, "deploy", str(archive(tmp_path / "shop.war", "bad", BROKEN)))
        assert done.returncode == 1
        assert "it does not start" in done.stderr

    clients.run_while(deploy)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert versions(shop) == {"one"}
    assert shop.named_processes("catalina-w") == before
    assert shop.log.count("it does not start") < 8, "the other worker has not tried it"


def test_an_archive_with_a_context_of_its_own_is_exchanged(node: Node, tmp_path: Path) -> None:
    context = '<Context sessionCookiePath="/shop"/>'
    catalina(node, "deploy", str(archive(tmp_path / "shop.war", "one", context_xml=context)))
    clients = CountingClients([node.http_port], "/shop/count")

    def deploy() -> None:
        done = catalina(node, "deploy", str(archive(tmp_path / "shop.war", "two", context_xml=context)))
        assert (done.returncode, done.stderr) == (0, "")
        done = catalina(node, "deploy", str(archive(tmp_path / "shop.war", "bad", BROKEN, context_xml=context)))
        assert done.returncode == 1

    clients.run_while(deploy)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert versions(node) == {"two"}


def test_an_application_that_is_undeployed_is_in_no_worker(shop: Node) -> None:
    done = catalina(shop, "undeploy", "/shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert versions(shop) == {"404"}
    assert not (shop.base / "webapps" / "shop").exists()


def test_a_directory_with_requirements_is_copied_gets_others_under_load_and_is_removed(
    node: Node, tmp_path: Path
) -> None:
    source = directory(tmp_path / "shop", "", "import tilly_lib; VERSION = tilly_lib.NAME")
    for name, version in (("one", "1"), ("two", "2")):
        make_wheel(source / "vendor", "tilly-lib", version, {"tilly_lib.py": f"NAME = {name!r}"})
    wanted = "--no-index\n--find-links vendor\ntilly-lib=="
    (source / "requirements.txt").write_text(f"{wanted}1\n")
    shop = node.base / "webapps" / "shop"
    shutil.copytree(source, shop)
    wait_until(lambda: versions(node) == {"one"}, "the application in all workers", 30)
    clients = CountingClients([node.http_port], "/shop/count")

    def change() -> None:
        (shop / "requirements.txt").write_text(f"{wanted}2\n")
        wait_until(lambda: versions(node) == {"two"}, "the other package in all workers", 30)

    clients.run_while(change)
    assert clients.faults == []
    assert node.log.count("pip has installed 1 package of requirements.txt") == 2
    shutil.rmtree(shop)
    wait_until(lambda: versions(node) == {"404"}, "the end of the application in all workers", 30)


def exchange_and_kill_one(shop: Node, war: Path, name: str) -> int:
    """Deploy an archive, and kill a process of that name while the workers load it; returns the command's exit code."""
    environment = dict(os.environ, CATALINA_BASE=str(shop.base))
    command = [str(PROJECT / ".venv" / "bin" / "python"), "-m", "catalina", "deploy", str(war)]
    started = "Deploying web application archive"
    before = shop.log.count(started)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as deploying:
        wait_until(lambda: shop.log.count(started) > before, "the exchange", 60)
        os.kill(shop.named_processes(name)[0], signal.SIGKILL)
        return deploying.wait(60)


def test_a_keeper_that_is_killed_while_an_application_is_exchanged(shop: Node, tmp_path: Path) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def exchange_and_kill() -> None:
        assert exchange_and_kill_one(shop, archive(tmp_path / "shop.war", "two", SLOW), "catalina-keeper") != 0
        wait_until(lambda: "running" in catalina(shop, "list").stdout, "the next keeper", 30)
        wait_until(lambda: len(versions(shop)) == 1, "one version in all workers", 30)

    clients.run_while(exchange_and_kill)
    assert clients.faults == []
    assert clients.broken_off == 0


def test_a_worker_that_is_killed_while_an_application_is_exchanged(shop: Node, tmp_path: Path) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def exchange_and_kill() -> None:
        assert exchange_and_kill_one(shop, archive(tmp_path / "shop.war", "two", SLOW), "catalina-w") == 0
        wait_until(lambda: len(shop.named_processes("catalina-w")) == 2, "the next worker")

    clients.run_while(exchange_and_kill)
    assert clients.faults == []
    wait_until(lambda: versions(shop) == {"two"}, "the new version in all workers", 30)


def test_a_worker_that_is_replaced_has_what_was_deployed_after_the_start(shop: Node) -> None:
    before = shop.named_processes("catalina-w")
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(set(shop.named_processes("catalina-w")) - set(before)) == 1, "the next worker")
    wait_until(lambda: shop.log.count("Server startup in [") >= 4, "its start", 30)
    assert versions(shop) == {"one"}


def test_the_next_keeper_finds_what_runs(shop: Node, tmp_path: Path) -> None:
    clients = CountingClients([shop.http_port], "/shop/count")

    def kill_and_deploy() -> None:
        os.kill(shop.named_processes("catalina-keeper")[0], signal.SIGKILL)
        wait_until(lambda: "running" in catalina(shop, "list").stdout, "the next keeper", 30)
        done = catalina(shop, "deploy", str(archive(tmp_path / "shop.war", "two")))
        assert (done.returncode, done.stderr) == (0, "")

    clients.run_while(kill_and_deploy)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert versions(shop) == {"two"}


BARE = """
from catalina.webapp import distributable

@distributable
def application(environ, start_response):
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{session['count']} x".encode()]
"""


def test_a_bare_application_that_says_it_is_distributable_is_the_groups(make_node: MakeNode, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "wsgi.py").write_text(BARE)
    port = free_udp_port()
    cluster = full(port, send_options=6)
    first, second = (make_node(name, cluster=cluster, webapp=bare, workers=2) for name in ("n1", "n2"))
    for node in (first, second):
        node.start(wait=False)
    for node in (first, second):
        node.wait_started()
    sessions = [first.get("/").session_id for _ in range(10)]
    first.kill()
    assert [second.get("/", session).body for session in sessions] == [b"2 x"] * 10
    catalina(second, "reload", "/app")
    assert [second.get("/", session).body for session in sessions] == [b"3 x"] * 10
    os.kill(second.named_processes("catalina-keeper")[0], signal.SIGKILL)
    assert [second.get("/", session, timeout=30).body for session in sessions] == [b"4 x"] * 10


def test_status_and_environment_are_the_workers(shop: Node) -> None:
    before = sum(each["requests"] for each in json.loads(catalina(shop, "status", "--json").stdout)["connectors"])
    everywhere(shop, connections=10)
    status = json.loads(catalina(shop, "status", "--json").stdout)
    assert sum(each["requests"] for each in status["connectors"]) == before + 10
    assert {each["pid"] for each in status["workers"]} == set(shop.named_processes("catalina-w"))
    assert [each["state"] for each in status["connectors"]] == ["started"]
    done = catalina(shop, "exec", "/shop", "--", "python", "-c", "import counting; print(counting.VERSION)")
    assert (done.stdout, done.returncode) == ("one\n", 0), done.stderr
