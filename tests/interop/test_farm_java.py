"""One farm of a Java Tomcat 10.1 and a node of ours, in both directions."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from catalina.ha.deploy.file_message import CHUNK_SIZE
from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.cluster.test_farm import deployer
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]


#: Tomcat's own, as far as static pages need it; Debian's packages without the server do not bring it.
WEB_XML = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet>
    <servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
  </servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
</web-app>
"""


class Mixed:
    """A Java node and ours, both watching."""

    def __init__(self, directory: Path) -> None:
        cluster = full(free_udp_port(), deployer=deployer(watch=True))
        self.ours = Node("ours", directory / "ours", cluster=cluster)
        self.java = JavaTomcat("java", directory / "java", compile_probe(directory / "classes"), cluster=cluster)
        (self.java.base / "conf/web.xml").write_text(WEB_XML)
        for node in (self.ours, self.java):
            for name in ("farm/temp", "farm/listen"):
                (node.base / name).mkdir(parents=True)

    def says(self, node: Node, app: str) -> str:
        answer = node.get("/index.html", app=app)
        return answer.body.decode() if answer.status == 200 else str(answer.status)

    def wait_for(self, expected: str, app: str, seconds: float = 40) -> None:
        for node in (self.ours, self.java):
            wait_until(partial(self._says_now, expected, node, app), f"{app} on {node.name}: {expected}", seconds)

    def _says_now(self, expected: str, node: Node, app: str) -> bool:
        return self.says(node, app) == expected


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixed]:
    mixed = Mixed(tmp_path_factory.mktemp("mixed"))
    try:
        mixed.ours.start(wait=False)
        mixed.java.start()
        mixed.ours.wait_started()
        mixed.java.wait_for_log("Cluster FarmWarDeployer started")
        yield mixed
    finally:
        mixed.ours.close()
        mixed.java.close()


def make_war(node: Node, name: str, text: str, size: int | None = None) -> Path:
    """A war with a page, of exactly ``size`` bytes when given, put into a node's watched directory in one step."""
    partial = node.base / "farm" / f"{name}.partial"

    def write(padding: int) -> int:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as war:
            war.writestr("index.html", text)
            war.writestr("padding", os.urandom(padding))
        return partial.stat().st_size

    empty = write(0)
    if size is not None:
        assert write(size - empty) == size
    target = node.base / "farm/listen" / name
    os.replace(partial, target)
    return target


@pytest.mark.parametrize("size", [None, 5 * CHUNK_SIZE, 3_000_001])
def test_what_our_node_farms_runs_on_java_and_goes(mixed: Mixed, size: int | None) -> None:
    name = f"ours{size}"
    file = make_war(mixed.ours, f"{name}.war", "from ours", size)
    mixed.wait_for("from ours", f"/{name}")
    file.unlink()
    mixed.wait_for("404", f"/{name}")


@pytest.mark.parametrize("size", [None, 5 * CHUNK_SIZE, 3_000_001])
def test_what_java_farms_runs_on_our_node_and_goes(mixed: Mixed, size: int | None) -> None:
    name = f"java{size}"
    file = make_war(mixed.java, f"{name}.war", "from java", size)
    mixed.wait_for("from java", f"/{name}")
    file.unlink()
    mixed.wait_for("404", f"/{name}")


def test_a_changed_war_is_redeployed_on_both(mixed: Mixed) -> None:
    make_war(mixed.ours, "changed.war", "first")
    mixed.wait_for("first", "/changed")
    make_war(mixed.ours, "changed.war", "second, and longer")
    mixed.wait_for("second, and longer", "/changed")


def test_a_wheel_leaves_java_as_it_is(mixed: Mixed) -> None:
    from tests.cluster.test_farm import wheel

    wheel(mixed.ours.base / "farm/listen", "wheel", "pure")
    wait_until(lambda: mixed.ours.get("/", app="/pure").body == b"wheel", "it runs here")
    make_war(mixed.ours, "after.war", "after")
    mixed.wait_for("after", "/after")
    assert mixed.java.get("/", app="/pure").status == 404
