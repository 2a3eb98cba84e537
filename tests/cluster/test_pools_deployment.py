"""New versions of archives whose application has processes of its own: what clients see meanwhile. Real processes."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cluster.counting import CountingClients
from tests.cluster.node import Node
from tests.cluster.test_workers import WEB_XML
from tests.deploy.archives import make_wheel
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

#: For all applications of the node, so that an archive needs no context.xml of its own.
DEFAULTS = '<Context isolation="process" healthPath="/health" failCtxIfServletStartFails="true"/>'
#: An archive with settings of its own gets a new Context when it is exchanged.
OWN = '<Context isolation="process" healthPath="/health" workers="2"/>'
APPLICATION = """
import os, time
VERSION = {version!r}
{more}

def application(environ, start_response):
    path = environ["PATH_INFO"]
    is_ill = path == "/health" and VERSION == "ill"
    start_response("503 Ill" if is_ill else "200 OK", [("Content-Type", "text/plain")])
    if path == "/until":
        open(environ["QUERY_STRING"] + ".began", "w").close()
        while not os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.02)
    if path != "/count":
        return [f"{{VERSION}} {{os.getpid()}} {{environ['wsgi.multiprocess']}}".encode()]
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    return [f"{{session['count']}} {{VERSION}}".encode()]

distributable = True
"""
LOADED_AT_START = WEB_XML.replace("</servlet-class>", "</servlet-class><load-on-startup>1</load-on-startup>")
#: Says that its start has begun, and goes on when it may.
WAITS = """
open({began!r}, "w").close()
while not os.path.exists({go!r}):
    time.sleep(0.02)
"""


def archive(place: Path, version: str, context_xml: str = "", more: str = "") -> Path:
    """An archive that is complete when it appears."""
    hidden = place.with_name(f".{place.name}")
    with zipfile.ZipFile(hidden, "w") as sink:
        sink.writestr("WEB-INF/web.xml", LOADED_AT_START)
        sink.writestr("WEB-INF/classes/counting.py", APPLICATION.format(version=version, more=more))
        if context_xml:
            sink.writestr("META-INF/context.xml", context_xml)
    hidden.rename(place)
    return place


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One worker and a keeper, which looks at its files."""
    directory = tmp_path_factory.mktemp("pools")
    node = Node("n1", directory / "n1", workers=1)
    node.options = "-Dcatalina.keeper=true"
    server_xml = node.base / "conf" / "server.xml"
    server_xml.write_text(server_xml.read_text().replace('autoDeploy="false"', 'autoDeploy="true"'))
    (node.base / "conf" / "context.xml").write_text(DEFAULTS)
    shutil.rmtree(node.base / "webapps" / "app")
    archive(node.base / "webapps" / "app.war", "one")
    try:
        node.start(wait=False)
        wait_until(lambda: says(node, "/app") == "one", "it serves", seconds=60)
        yield node
    finally:
        node.close()
        shutil.rmtree(node.base)


def says(node: Node, app: str) -> str:
    """The version that answers, or the status; empty when nobody answers."""
    try:
        answer = node.get("/", app=app, timeout=30)
    except OSError:
        return ""
    return answer.body.split()[0].decode() if answer.status == 200 else str(answer.status)


def deploy(node: Node, file: Path) -> CompletedProcess[str]:
    return node.catalina("deploy", str(file))


def deployed(node: Node, file: Path) -> None:
    done = deploy(node, file)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def are_only_new(node: Node, context_xml: str) -> list[int]:
    """The processes of the pools of /app and /shop as soon as there are no more; an empty list before."""
    found = node.named_processes("catalina-p")
    return found if len(found) == 1 + (2 if context_xml else 1) else []


class Meanwhile:
    """Work in a thread of its own, while the test looks at the node."""

    def __init__(self, work: Callable[[], CompletedProcess[str]]) -> None:
        self._outcomes: list[CompletedProcess[str]] = []
        self._thread = threading.Thread(target=lambda: self._outcomes.append(work()))
        self._thread.start()

    def end(self) -> CompletedProcess[str]:
        self._thread.join(60)
        return self._outcomes[0]


@pytest.mark.parametrize("context_xml", ["", OWN], ids=["same context", "new context"])
def test_the_old_version_serves_until_the_new_one_answers(node: Node, tmp_path: Path, context_xml: str) -> None:
    deployed(node, archive(tmp_path / "shop.war", "one", context_xml))
    began, go = tmp_path / "began", tmp_path / "go"
    session = node.get("/count", app="/shop").session_id
    waits = WAITS.format(began=str(began), go=str(go))
    new = archive(tmp_path / "shop.war", "two", context_xml, waits)
    exchange = Meanwhile(lambda: deploy(node, new))
    wait_until(began.exists, "the new version starts", seconds=60)
    assert node.get("/count", session, app="/shop").body == b"2 one"
    assert says(node, "/shop") == "one"
    go.touch()
    assert exchange.end().returncode == 0
    assert node.get("/count", session, app="/shop").body == b"3 two"
    versions = node.base / "work" / "Catalina" / "localhost" / "shop" / "versions"
    assert len(list(versions.iterdir())) == 2, "the old version's processes may still end"
    assert not (node.base / "webapps" / "shop").exists()
    assert node.catalina("undeploy", "/shop").returncode == 0
    assert not list(versions.iterdir())


@pytest.mark.parametrize("context_xml", ["", OWN], ids=["same context", "new context"])
def test_under_load_no_request_fails_and_no_count_is_lost(node: Node, tmp_path: Path, context_xml: str) -> None:
    deployed(node, archive(tmp_path / "shop.war", "zero", context_xml))
    restored: list[list[int]] = []
    clients = CountingClients([node.http_port], "/shop/count", clients=4)

    def exchange() -> None:
        for number in range(2):
            deployed(node, archive(tmp_path / "shop.war", f"next{number}", context_xml))
        pools = wait_until(lambda: are_only_new(node, context_xml), "the old processes have ended", seconds=60)
        broken = deploy(node, archive(tmp_path / "shop.war", "broken", context_xml, "import nosuchmodule"))
        assert broken.returncode != 0
        assert "nosuchmodule" in broken.stdout + broken.stderr
        ill = deploy(node, archive(tmp_path / "shop.war", "ill", context_xml))
        assert ill.returncode != 0
        assert "healthPath [/health] answers 503, expected a status below 500" in ill.stdout + ill.stderr

        restored.extend([pools, wait_until(lambda: are_only_new(node, context_xml), "they have ended", seconds=60)])

    clients.run_while(exchange)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert clients.answers > 50
    assert restored[0] == restored[1], "the same processes go on"
    assert says(node, "/shop") == "next1"
    assert node.catalina("undeploy", "/shop").returncode == 0


def test_a_wheel_of_the_same_version_that_is_laid_into_app_base(node: Node) -> None:
    def lay(version: str) -> None:
        make_wheel(node.base / "webapps", "stall", "1", {"stall.py": APPLICATION.format(version=version, more="")})

    lay("one")
    wait_until(lambda: says(node, "/stall") == "one", "it is deployed", seconds=60)
    clients = CountingClients([node.http_port], "/stall/count", clients=4)

    def exchange() -> None:
        lay("ill")
        wait_until(lambda: "[/stall##1] did not start; the previous one is restored" in node.log, "it is refused", 60)
        lay("two")
        wait_until(lambda: says(node, "/stall") == "two", "it runs", seconds=60)

    clients.run_while(exchange)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert node.catalina("undeploy", "/stall##1").returncode == 0


def test_a_request_under_way_ends_in_the_old_version(node: Node, tmp_path: Path) -> None:
    deployed(node, archive(tmp_path / "shop.war", "one"))
    end = tmp_path / "end"
    answers: list[str] = []
    client = threading.Thread(
        target=lambda: answers.append(node.get(f"/until?{end}", app="/shop", timeout=60).body.split()[0].decode())
    )
    client.start()
    wait_until((tmp_path / "end.began").exists, "the request is under way")
    deployed(node, archive(tmp_path / "shop.war", "two"))
    assert says(node, "/shop") == "two"
    end.touch()
    client.join(60)
    assert answers == ["one"]
    assert node.catalina("undeploy", "/shop").returncode == 0


def test_from_a_pool_to_the_shared_workers_and_back(node: Node, tmp_path: Path) -> None:
    shared = '<Context isolation="shared"/>'
    deployed(node, archive(tmp_path / "shop.war", "one", OWN))
    assert node.get("/", app="/shop").body.split()[2] == b"True", "two workers"
    session = node.get("/count", app="/shop").session_id
    pools = node.named_processes("catalina-p")
    broken = deploy(node, archive(tmp_path / "shop.war", "broken", shared, "import nosuchmodule"))
    assert broken.returncode != 0
    assert node.get("/count", session, app="/shop").body == b"2 one"
    assert node.named_processes("catalina-p") == pools, "the same processes go on"
    deployed(node, archive(tmp_path / "shop.war", "shared", shared))
    assert node.get("/count", session, app="/shop").body == b"3 shared"
    assert (node.base / "webapps" / "shop").is_dir()
    (worker,) = node.named_processes("catalina-w")
    assert int(node.get("/", app="/shop").body.split()[1]) == worker
    broken = deploy(node, archive(tmp_path / "shop.war", "broken", OWN, "import nosuchmodule"))
    assert broken.returncode != 0
    assert int(node.get("/", app="/shop").body.split()[1]) == worker
    assert node.get("/count", session, app="/shop").body == b"4 shared"
    deployed(node, archive(tmp_path / "shop.war", "own", '<Context isolation="process"/>'))
    assert node.get("/count", session, app="/shop").body == b"5 own"
    assert node.get("/", app="/shop").body.split()[2] == b"False", "one worker"
    assert not (node.base / "webapps" / "shop").exists()
    assert node.catalina("undeploy", "/shop").returncode == 0


def test_shared_applications_are_asked_too_before_their_first_request(node: Node, tmp_path: Path) -> None:
    shared = '<Context isolation="shared" healthPath="/health"/>'
    ill = deploy(node, archive(tmp_path / "shop.war", "ill", shared))
    assert ill.returncode != 0
    assert "healthPath [/health] answers 503" in ill.stdout + ill.stderr
    deployed(node, archive(tmp_path / "shop.war", "one", shared))
    session = node.get("/count", app="/shop").session_id
    clients = CountingClients([node.http_port], "/shop/count", clients=4)
    clients.run_while(lambda: deploy(node, archive(tmp_path / "shop.war", "ill", shared)))
    assert clients.faults == []
    assert clients.broken_off == 0
    assert node.get("/count", session, app="/shop").body == b"2 one"
    assert node.catalina("undeploy", "/shop").returncode == 0
