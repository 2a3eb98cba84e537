"""Starting an application with compiled packages of its own again takes a new process; with real ones and PyYAML."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from catalina.startup import control_client
from tests.startup.node_process import NodeProcess
from tests.support.needs import missing

pytestmark = pytest.mark.cluster

#: The C parser, whose classes of the first import are compared with those of the second one.
WSGI = """
import yaml

NUMBER = {number}

def application(environ, start_response):
    session = environ["catalina.session"]
    session["visits"] = session.get("visits", 0) + 1
    read = yaml.load("a: [1, 2.5, x]", Loader=yaml.CSafeLoader)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{{NUMBER}} {{read}} {{session['visits']}}".encode()]
"""
#: Until it is seen: the deployment notes the state of the file when the application has started, and a file that
#: changes all the time is not complete.
TOUCHES_ITSELF = """
import os, threading, time

def touch():
    for _ in range(20):
        time.sleep(0.6)
        os.utime(__file__)

threading.Thread(target=touch, daemon=True).start()
"""
READ = "{'a': [1, 2.5, 'x']}"
CONTEXT_XML = (
    '<Context isolation="shared" reloadable="{reloadable}" backgroundProcessorDelay="1">'
    '<Manager pathname="SESSIONS.ser"/></Context>'
)
RESTARTED = "Application [/yaml] has modules that one process can load only once (yaml._yaml)"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PyYAML of another version than the environment has, which would be taken from there otherwise."""
    directory = tmp_path_factory.mktemp("packages")
    try:
        wanted = f"PyYAML!={version('PyYAML')}"
    except PackageNotFoundError:
        wanted = "PyYAML"
    command = [sys.executable, "-m", "pip", "-q", "install", "--only-binary", ":all:", "--no-deps", "--target"]
    done = subprocess.run([*command, str(directory), wanted], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        missing(f"pip cannot install {wanted}: {done.stderr.strip()[-200:]}")
    return directory


class Node:
    """A node with the application /yaml, and a browser with its cookies."""

    def __init__(self, process: NodeProcess) -> None:
        self.process = process
        self.application = process.base / "webapps" / "yaml"
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def get(self) -> str:
        with self.browser.open(f"http://127.0.0.1:{self.process.port}/yaml/", timeout=20) as answer:
            return str(answer.read(), "utf-8")

    def write(self, number: int) -> None:
        (self.application / "wsgi.py").write_text(WSGI.format(number=number))

    def command(self, *words: str) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = control_client.main(words[0], list(words[1:]), self.process.base)
        return code, said.getvalue()


@contextlib.contextmanager
def node(
    base: Path, packages: Path, reloadable: bool = False, context_xml: str = CONTEXT_XML, options: tuple[str, ...] = ()
) -> Iterator[Node]:
    application = base / "webapps" / "yaml"
    (application / "META-INF").mkdir(parents=True)
    (application / "META-INF" / "context.xml").write_text(context_xml.format(reloadable=str(reloadable).lower()))
    for entry in packages.iterdir():
        (application / entry.name).symlink_to(entry)
    (application / "wsgi.py").write_text(WSGI.format(number=1))
    with NodeProcess(base, host_content="", options=options) as process:
        process.wait_until_started()
        yield Node(process)


def test_a_reload_by_command_is_a_restart_of_the_node_and_keeps_the_sessions(tmp_path, packages):
    with node(tmp_path, packages) as it:
        assert it.get() == f"1 {READ} 1"
        worker = it.process.worker()
        code, said = it.command("reload", "/yaml")
        assert (code, said) == (0, f"{RESTARTED}: the node is restarted, and runs it anew\n")
        it.process.wait_until_started(times=2)
        assert it.get() == f"1 {READ} 2"
        assert it.process.worker() != worker
        assert it.process.text.count(f"{RESTARTED}: the node ends in order and is started again") == 1
        assert "is started again\n" not in it.process.text.replace("order and is started again", "")


def test_in_a_process_of_its_own_each_reload_loads_them_freshly_and_nothing_else_notices(tmp_path, packages):
    with node(tmp_path, packages, context_xml="<Context/>") as it:  # compiled modules are there
        it.process.wait_until_started(times=3)
        assert it.get() == f"1 {READ} 1"
        for number in (2, 3, 4):
            it.write(number)
            assert it.command("reload", "/yaml") == (0, "reloaded [/yaml]\n")
            assert it.get() == f"{number} {READ} {number}"
        assert it.process.text.count("Worker [0]") == 0, "the other applications' worker runs on"
        assert "load only once" not in it.process.text


def test_a_changed_wsgi_module_is_run_by_a_new_node(tmp_path, packages):
    with node(tmp_path, packages) as it:
        assert it.get() == f"1 {READ} 1"
        it.write(2)
        it.process.wait_until_started(times=2)
        assert it.get() == f"2 {READ} 2"


def test_a_changed_module_of_a_reloadable_application_is_run_by_a_new_node(tmp_path, packages):
    with node(tmp_path, packages, reloadable=True) as it:
        assert it.get() == f"1 {READ} 1"
        (it.application / "other.py").write_text("NEW = 1")
        it.process.wait_until_started(times=2)
        assert it.get() == f"1 {READ} 2"


def test_an_application_that_was_broken_is_repaired_in_a_new_node(tmp_path, packages):
    with node(tmp_path, packages) as it:
        (it.application / "wsgi.py").write_text("import yaml.cyaml\nno_such_name\n")
        it.process.wait_until_started(times=2)
        it.process.wait_for_text("name 'no_such_name' is not defined")
        it.write(3)
        it.process.wait_until_started(times=3)
        assert it.get() == f"3 {READ} 1"


def test_an_application_that_changes_itself_does_not_restart_the_node_for_ever(tmp_path, packages):
    with node(tmp_path, packages) as it:
        (it.application / "wsgi.py").write_text(TOUCHES_ITSELF + WSGI.format(number=4))
        it.process.wait_for_text("This process goes on nevertheless")
        assert it.process.text.count("has ended to be started again") == 5
