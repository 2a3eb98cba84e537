"""A change at run time holds in workers and keepers that come later."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import STARTED, Node
from tests.cluster.test_workers_deployment import archive
from tests.cluster.test_workers_manager import DESCRIPTOR, USERS, Manager
from tests.jmx.client import JmxClient
from tests.support.ports import free_port, free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

WEB_XML = """<web-app>
  <servlet><servlet-name>a</servlet-name><servlet-class>levels:application</servlet-class></servlet>
  <servlet-mapping><servlet-name>a</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>"""
LEVELS = """
import logging
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    level = logging.getLogger("shop.orders").getEffectiveLevel()
    return [f"{os.getpid()} {level} {environ['catalina.context'].session_timeout}".encode()]
"""
BEAN = "Catalina:type=Manager,host=localhost,context=/app"
MODULE = "Catalina:j2eeType=WebModule,name=//localhost/{},J2EEApplication=none,J2EEServer=none"
LOGGING = "java.util.logging:type=Logging"
CONNECTOR = '<Connector port="{}" address="127.0.0.1"/>'
HEALTH = '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>'


class Changed:
    """A node in which much was changed, and of which then each process was killed."""

    def __init__(self, directory: Path) -> None:
        webapp = directory / "levels"
        (webapp / "WEB-INF" / "classes").mkdir(parents=True)
        (webapp / "WEB-INF" / "web.xml").write_text(WEB_XML)
        (webapp / "WEB-INF" / "classes" / "levels.py").write_text(LEVELS)
        self.node = Node("n1", directory / "n1", cluster=HEALTH + full(free_udp_port()), webapp=webapp, workers=2)
        self.second_port, self.jmx_port = free_port(), free_port()
        self.manager = Manager(self.node)
        self._write_configuration(directory)

    def _write_configuration(self, directory: Path) -> None:
        node = self.node
        conf = node.base / "conf"
        (conf / "tomcat-users.xml").write_text(USERS)
        descriptors = conf / "Catalina" / "localhost"
        descriptors.mkdir(parents=True)
        for application in ("manager", "host-manager"):
            (descriptors / f"{application}.xml").write_text(DESCRIPTOR.format(application))
        for name in ("stopped", "refused"):
            archive(node.base / "webapps" / f"{name}.war", name)
        text = (conf / "server.xml").read_text()
        (conf / "server.xml").write_text(text.replace("<Engine ", f"{CONNECTOR.format(self.second_port)}<Engine ", 1))
        node.options += f" -Dcom.sun.management.jmxremote.port={self.jmx_port}"
        node.options += " -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false"
        (node.base / "b" / "ROOT").mkdir(parents=True)
        (node.base / "b" / "ROOT" / "index.html").write_text("here")
        self.war = archive(directory / "late.war", "late")

    def change(self) -> None:
        node = self.node
        node.start()
        with JmxClient(self.jmx_port) as jmx:
            jmx.set(MODULE.format("app"), "sessionTimeout", 77)
            jmx.set(BEAN, "maxActiveSessions", 1000)
            jmx.invoke(LOGGING, "setLoggerLevel", "shop.orders", "FINE")
            [pool] = jmx.names(f'Catalina:type=ThreadPool,name="http-nio-127.0.0.1-{self.second_port}"')
            jmx.invoke(pool, "pause")
            jmx.invoke(MODULE.format("refused"), "stop")
        assert self.manager.says("stop?path=/stopped").startswith("OK")
        for asked in ("name=b.org&appBase=b&aliases=www.b.org", "name=c.org&appBase=c&deployOnStartup=false"):
            assert self.manager.ask(f"text/add?{asked}", application="host-manager")[1].startswith("OK")
        done = node.catalina("deploy", "--host", "c.org", str(self.war))
        assert done.returncode == 0, done.stderr
        node.catalina("drain")

    def kill_all(self) -> None:
        """The keeper, and then each worker."""
        node = self.node
        [keeper] = node.named_processes("catalina-keeper")
        workers = node.named_processes("catalina-w")
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: node.has_logged("of [2] workers are here"), "the next keeper", 60)
        for worker in workers:
            started = node.log.count(STARTED)
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda started=started: node.log.count(STARTED) > started, "another worker", 60)  # type: ignore[misc]
        assert not {keeper, *workers} & set(node.processes())

    def facts(self) -> set[tuple[str, ...]]:
        """Levels and settings in the workers, without their process ids; both have answered."""
        found = [self.node.get("/").body.decode().split() for _ in range(40)]
        assert len({pid for pid, *_ in found}) == 2
        return {tuple(rest) for _, *rest in found}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    made = Changed(tmp_path_factory.mktemp("state"))
    try:
        made.change()
        assert made.facts() == {("10", "77")}
        made.kill_all()
        yield made
    finally:
        made.node.close()


def test_settings_and_levels_are_as_they_were_set(changed: Changed) -> None:
    assert changed.facts() == {("10", "77")}
    with JmxClient(changed.jmx_port) as jmx:
        assert [jmx.get(f"{BEAN}{end}", "maxActiveSessions") for end in ("", ",worker=0", ",worker=1")] == [1000] * 3
        assert jmx.invoke(LOGGING, "getLoggerLevel", "shop.orders") == "FINE"


def test_hosts_that_were_added_are_there_with_their_aliases_and_applications(changed: Changed) -> None:
    node = changed.node
    assert {node.get("/index.html", app="", Host="www.b.org").status for _ in range(20)} == {200}
    assert {node.get("/version", app="/late", Host="c.org").status for _ in range(20)} == {200}


def test_applications_that_were_stopped_stay_stopped_and_start_on_command(changed: Changed) -> None:
    node = changed.node
    for path in ("/stopped", "/refused"):
        assert {node.get("/version", app=path).status for _ in range(20)} == {404}
    assert changed.manager.says("start?path=/stopped").startswith("OK")
    assert {node.get("/version", app="/stopped").status for _ in range(20)} == {200}


def test_a_paused_connector_is_paused(changed: Changed) -> None:
    with pytest.raises(OSError, match="timed out"):
        changed.node.get("/", port=changed.second_port, timeout=1)
    with JmxClient(changed.jmx_port) as jmx:
        [name] = jmx.names(f"Catalina:type=Connector,port={changed.second_port},*")
        jmx.invoke(name, "resume")
    assert changed.node.get("/", port=changed.second_port).status == 200


def test_the_node_drains_until_it_is_told_otherwise(changed: Changed) -> None:
    node = changed.node
    assert {node.get("/health", app="").status for _ in range(20)} == {503}
    node.catalina("undrain")
    assert {node.get("/health", app="").status for _ in range(20)} == {200}
