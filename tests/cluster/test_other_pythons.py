"""Applications on a Python of their own, as real processes.

A copy of our own interpreter, which every machine has, shows what concerns every other program. An interpreter of
another version, if the machine has one, shows what concerns that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalina.extras import server_requirements
from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, Node
from tests.cluster.test_workers import write_application
from tests.support.ports import free_udp_port
from tests.support.pythons import need_other_python, need_wheels, version_of
from tests.support.waiting import wait_until
from tests.tribes.io.java import session_values

pytestmark = pytest.mark.cluster

PROCESS = '<Context isolation="process"/>'
OURS = list(sys.version_info[:2])
#: Packages that are other versions than the server's, one in pure Python and one with compiled modules.
OLDER = ("werkzeug==3.0.6", "markupsafe==3.0.1")

APPLICATION = """
import json, os, subprocess, sys
from importlib.metadata import version
try:
    import werkzeug
    from markupsafe import _speedups
    FOUND = {"werkzeug": version("werkzeug"), "place": werkzeug.__file__,
             "markupsafe": version("markupsafe"), "compiled": _speedups.__file__}
except ImportError as error:
    FOUND = {"error": str(error)}

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    body = environ["wsgi.input"].read()
    facts = {
        "pid": os.getpid(), "count": session["count"], "program": sys.executable, "prefix": sys.prefix,
        "version": sys.version_info[:2], "body": body.decode(), "exit": callable(exit), "path": sys.path,
        "child": subprocess.run([sys.executable, "-c", "import sys; print(sys.prefix)"], capture_output=True,
                                text=True).stdout.strip(),
        "open": [each for each in map(link, os.listdir("/proc/self/fd")) if "catalina-birth" in each],
        **FOUND,
    }
    return [json.dumps(facts).encode()]

def link(name):
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """``/app`` runs on a copy of our interpreter, for which nothing has to be installed; ``/all`` runs on our own."""
    directory = tmp_path_factory.mktemp("pythons")
    write_application(directory / "app", PROCESS, source=APPLICATION)
    venv.EnvBuilder(symlinks=False).create(directory / "app" / ".venv")
    node = Node("n1", directory / "n1", webapp=directory / "app", workers=1)
    write_application(node.base / "webapps" / "all", "<Context/>", source=APPLICATION)
    node.options = "-Dcatalina.keeper=true"
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory)
        stack.callback(node.close)
        node.start(wait=False)
        wait_until(lambda: serves(node, "/app", "/all"), "it serves", seconds=60)
        yield node


def serves(node: Node, *apps: str) -> bool:
    try:
        return all(node.get("/", app=app).status == 200 for app in apps)
    except OSError:
        return False


def test_the_applications_process_runs_the_program_of_its_environment(node: Node) -> None:
    mine, other = node.get("/").json, node.get("/", app="/all").json
    directory = str(node.base / "webapps" / "app" / ".venv")
    assert (mine["program"], mine["prefix"]) == (f"{directory}/bin/python", directory)
    assert mine["child"] == directory, "a program that it starts is in its environment, too"
    assert node.named_processes("catalina-p") == [mine["pid"]]
    assert Path(f"/proc/{mine['pid']}/exe").samefile(f"{directory}/bin/python")
    assert other["program"] == sys.executable
    assert mine["exit"]
    assert mine["open"] == [], "the text with the configuration is closed"
    command = Path(f"/proc/{mine['pid']}/cmdline").read_text()
    assert "test.http.port" not in command, "no property of the node is on the command line"


def test_a_reload_is_another_process_of_that_program_and_kill_9_loses_no_session(node: Node) -> None:
    first = node.get("/")
    assert node.catalina("reload", "/app").returncode == 0
    second = node.get("/", first.session_id)
    assert (second.json["count"], second.json["program"]) == (2, first.json["program"])
    assert second.json["pid"] != first.json["pid"]
    wait_until(lambda: node.named_processes("catalina-p") == [second.json["pid"]], "the old one has ended", seconds=30)
    os.kill(second.json["pid"], signal.SIGKILL)
    wait_until(lambda: node.named_processes("catalina-p") not in ([], [second.json["pid"]]), "the next one", seconds=30)
    third = node.get("/", first.session_id, timeout=30)
    assert (third.json["count"], third.json["program"]) == (3, first.json["program"])


def test_a_process_that_comes_later_has_the_configuration_with_which_the_node_has_started(node: Node) -> None:
    file = node.base / "conf" / "server.xml"
    before = file.read_text()
    file.write_text("<Server")
    try:
        pid = node.get("/").json["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: node.named_processes("catalina-p") not in ([], [pid]), "the next one", seconds=30)
        assert node.get("/", timeout=30).status == 200
    finally:
        file.write_text(before)


def test_the_next_keeper_takes_it_as_it_is(node: Node) -> None:
    first = node.get("/")
    (keeper,) = node.named_processes("catalina-keeper")
    os.kill(keeper, signal.SIGKILL)
    second = node.get("/", first.session_id, timeout=30)
    assert (second.json["count"], second.json["pid"]) == (2, first.json["pid"])
    wait_until(lambda: node.catalina("list").returncode == 0, "the next keeper answers", seconds=30)


def test_a_program_that_cannot_be_run_changes_nothing_and_the_answer_says_why(node: Node) -> None:
    before = node.get("/").json["pid"]
    program = node.base / "webapps" / "app" / ".venv" / "bin" / "python"
    kept = program.rename(program.with_name("kept"))
    try:
        program.write_text("#!/bin/false\n")
        program.chmod(0o755)
        outcome = node.catalina("reload", "/app")
        assert outcome.returncode != 0
        assert "a worker of its pool has ended while it started the application; the log says why" in (
            outcome.stdout + outcome.stderr
        )
        assert node.get("/").json["pid"] == before
    finally:
        program.unlink()
        kept.rename(program)
    assert node.catalina("reload", "/app").returncode == 0
    assert node.get("/").json["pid"] != before


def make_environment(python: Path, directory: Path, wheels: Path, *packages: str) -> None:
    """A virtual environment of that Python, as an operator makes it, with packages from the directory of wheels."""
    subprocess.run([python, "-m", "venv", "--without-pip", directory], check=True, timeout=120)
    if packages:
        version = ".".join(map(str, version_of(python)))
        command = [sys.executable, "-m", "pip", "-q", "install", "--no-index", "--find-links", str(wheels), "--target",
                   str(directory / "lib" / f"python{version}" / "site-packages")]  # fmt: skip
        subprocess.run([*command, "--python-version", version, "--only-binary", ":all:", *packages], check=True)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Let pip find wheels in one directory only."""

    def use(wheels: Path) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

    return use


def test_two_applications_with_other_versions_of_everything_and_one_on_another_python(
    make_node: Callable[..., Node], tmp_path: Path, offline: Callable[[Path], None]
) -> None:
    python = need_other_python()
    wheels = need_wheels(python, OLDER)
    ours = need_wheels(Path(sys.executable), OLDER)
    offline(wheels)
    write_application(tmp_path / "app", PROCESS, source=APPLICATION)
    make_environment(python, tmp_path / "app" / ".venv", wheels, *OLDER)
    node = make_node("n1", webapp=tmp_path / "app", workers=1)
    node.options = "-Dcatalina.keeper=true"
    older = write_application(node.base / "webapps" / "older", PROCESS, source=APPLICATION)
    make_environment(Path(sys.executable), older / ".venv", ours, *OLDER)
    write_application(node.base / "webapps" / "plain", PROCESS, source=APPLICATION)
    node.start(wait=False)
    wait_until(lambda: serves(node, "/app", "/older", "/plain"), "all serve", seconds=300)
    other, older_facts, plain = (node.get("/", app=app).json for app in ("/app", "/older", "/plain"))
    assert [each["version"] for each in (other, older_facts, plain)] == [list(version_of(python)), OURS, OURS]
    for facts in (other, older_facts):
        assert (facts["werkzeug"], facts["markupsafe"]) == ("3.0.6", "3.0.1")
    assert plain["werkzeug"] != "3.0.6", "the server's own"
    for name in ("place", "compiled"):
        assert other[name].startswith(str(node.base / "webapps" / "app" / ".venv"))
    assert "pip has installed" in node.log
    # A restart needs neither pip nor wheels, and it ends in order.
    assert node.stop(30) == 143
    assert "has ended by" not in node.log
    offline(tmp_path / "nothing")
    node.start(wait=False)
    wait_until(lambda: serves(node, "/app", "/older"), "all serve again", seconds=300)
    assert node.get("/").json["version"] == list(version_of(python))


#: Imports every module of this software, with errors for warnings: a later version makes errors of some.
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path += sys.argv[1:]
import catalina
for module in pkgutil.walk_packages(catalina.__path__, "catalina."):
    if not module.name.startswith(("catalina.contrib.", "catalina.testing")) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("all")
"""


def test_another_python_imports_every_module_without_a_warning(tmp_path: Path) -> None:
    python = need_other_python()
    wheels = need_wheels(python, OLDER)
    make_environment(python, tmp_path / "env", wheels, *server_requirements())
    site = next((tmp_path / "env" / "lib").glob("python3.*")) / "site-packages"
    command = [str(python), "-I", "-S", "-W", "error", "-c", IMPORT_ALL, str(PROJECT), str(site)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout == "all\n", done.stderr


def test_without_wheels_and_network_the_application_says_what_to_do_and_the_node_serves_the_others(
    make_node: Callable[..., Node], tmp_path: Path, offline: Callable[[Path], None]
) -> None:
    python = need_other_python()
    (tmp_path / "empty").mkdir()
    offline(tmp_path / "empty")
    write_application(tmp_path / "app", PROCESS, source=APPLICATION)
    make_environment(python, tmp_path / "app" / ".venv", tmp_path)
    node = make_node("n1", webapp=tmp_path / "app", workers=1)
    node.options = "-Dcatalina.keeper=true"
    write_application(node.base / "webapps" / "plain", PROCESS, source=APPLICATION)
    node.start(wait=False)
    wait_until(lambda: serves(node, "/plain"), "the other one serves", seconds=60)
    listing = node.catalina("list").stdout
    assert "pip cannot install the requirements of the server for Python" in listing
    assert "PIP_FIND_LINKS" in listing
    assert node.get("/").status == 404


#: The values are of classes in a module of the application.
SESSION_CODE = """
import json, sys, datetime
from shop_values import values

def application(environ, start_response):
    session = environ["catalina.session"]
    path = environ["PATH_INFO"]
    if path == "/set":
        for name, value in values().items():
            session[name] = value
    if path == "/change":
        session["own"][0].name += "!"
        session["times"].append(datetime.date(2030, 1, 1))
    start_response("200 OK", [("Content-Type", "application/json")])
    same = [name for name, value in values().items() if session.get(name) == value]
    own = session.get("own")
    facts = {"same": sorted(same), "version": sys.version_info[:2], "name": own and own[0].name,
             "times": len(session.get("times", ()))}
    return [json.dumps(facts).encode()]
"""


def test_sessions_replicate_between_nodes_whose_application_runs_on_different_pythons(
    make_node: Callable[..., Node], tmp_path: Path, offline: Callable[[Path], None]
) -> None:
    python = need_other_python()
    offline(need_wheels(python, OLDER))
    write_application(tmp_path / "app", PROCESS, source=SESSION_CODE)
    shutil.copy(session_values.__file__, tmp_path / "app" / "WEB-INF" / "classes" / "shop_values.py")
    port = free_udp_port()
    nodes = [make_node(name, webapp=tmp_path / "app", workers=1, cluster=full(port, 6)) for name in ("n1", "n2")]
    make_environment(python, nodes[1].base / "webapps" / "app" / ".venv", tmp_path)
    for node in nodes:
        node.options = "-Dcatalina.keeper=true"
        node.start(wait=False)
    for node in nodes:
        wait_until(lambda node=node: serves(node, "/app"), "it serves", seconds=300)  # type: ignore[misc]
    ours, theirs = nodes
    wait_until(lambda: all(node.has_logged("memberAdded") for node in nodes), "they see each other", seconds=30)
    names = ["collections", "networks", "numbers", "own", "simple", "times"]
    for first, second in ((ours, theirs), (theirs, ours)):
        made = first.get("/set")
        assert made.json["same"] == names
        there = second.get("/", made.session_id).json
        assert there["same"] == names, there
        assert there["version"] != made.json["version"]
        assert second.get("/change", made.session_id).json["name"] == "tea!"
        back = first.get("/", made.session_id).json
        assert (back["name"], back["times"]) == ("tea!", 7)
