"""jconsole and VisualVM, unmodified, on a screen without a monitor: their tabs show this server's beans.

Each test notes the attributes and operations that the program asks for, because nobody reads its windows. A picture of
the last one is in the test's directory (``pytest --basetemp``).
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalina.jmx import rmi_objects
from catalina.jmx.java_arguments import texts_of, value_of
from catalina.jmx.jmx_remote import JmxRemote
from catalina.jmx.jrmp import Answer, Method
from catalina.jmx.remote_settings import PREFIX
from catalina.jmx.rmi_connection import RmiConnection
from catalina.tribes.io.java.nodes import Node as JavaNode
from tests.interop.java_keys import Keys
from tests.interop.screens import Screen
from tests.jmx.pool import pool_registry
from tests.support.needs import need_command, need_file
from tests.support.waiting import comes_true, wait_until

pytestmark = pytest.mark.interop

#: Seconds for a program with windows to start on a busy machine.
SECONDS = 120


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often clients have used methods of a connection, attributes, and operations."""
    found: Counter[str] = Counter()

    def noting(method: Method, function: Callable[..., Answer]) -> Callable[..., Answer]:
        def call(self: RmiConnection, *arguments: JavaNode) -> Answer:
            found[f"{method.name}()"] += 1
            if method.name in ("getAttribute", "invoke"):
                found[str(value_of(arguments[1]))] += 1
            elif method.name == "getAttributes":
                found.update(texts_of(arguments[1]))
            return function(self, *arguments)

        return call

    for number, (method, function) in rmi_objects._CONNECTION.items():
        monkeypatch.setitem(rmi_objects._CONNECTION, number, (method, noting(method, function)))
    return found


def drawn(asked: Counter[str], times: int = 4) -> bool:
    """True when charts have so many points."""
    return min(asked[name] for name in CHARTS) >= times


@contextmanager
def remote(base: Path, **properties: str) -> Iterator[int]:
    """A server's JMX port, without logins."""
    server = JmxRemote()
    server.start(pool_registry(), {f"{PREFIX}.port": "0", f"{PREFIX}.authenticate": "false", **properties}, base)
    try:
        yield server.port
    finally:
        server.stop()


@contextmanager
def shown(screen: Screen, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program with a window."""
    process = subprocess.Popen(
        command, env=screen.environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


#: The attributes from which the charts are drawn.
CHARTS = ("HeapMemoryUsage", "ThreadCount", "LoadedClassCount", "ProcessCpuTime")
#: Where the windows have what is clicked on.
JCONSOLE_MBEANS, JCONSOLE_FIRST_FOLDER = (623, 83), (210, 124)
VISUALVM_NODE, VISUALVM_RELOAD = (290, 213), (1015, 206)
VISUALVM_OVERVIEW, VISUALVM_MONITOR, VISUALVM_THREADS = (480, 204), (570, 204), (655, 204)
VISUALVM = Path("/usr/share/visualvm")


class Mouse:
    """Clicks on a screen, and presses a key."""

    def __init__(self, robot: subprocess.Popen[bytes]) -> None:
        assert robot.stdin is not None
        self._places = robot.stdin

    def click(self, place: tuple[int, int], times: int = 1) -> None:
        """Click once, or twice."""
        self._places.write(b"%d %d %d\n" % (*place, times))
        self._places.flush()

    def go_right(self, times: int) -> None:
        """Press the arrow to the right: a tree opens the folder that is chosen, or chooses the first thing in it."""
        self._places.write(b"right %d\n" % times)
        self._places.flush()

    def click_until(self, place: tuple[int, int], condition: Callable[[], bool], what: str) -> None:
        """Click once a second until the program has done something."""

        def done() -> bool:
            self.click(place)
            return condition()

        wait_until(done, what, SECONDS, 1.0)


@contextmanager
def screen_and_mouse(directory: Path) -> Iterator[tuple[Screen, Mouse]]:
    memory = directory / "screen"
    memory.mkdir()
    robot = ["java", "-Xmx64m", str(Path(__file__).with_name("ScreenRobot.java"))]
    with Screen(memory) as screen, shown(screen, robot) as process:
        yield screen, Mouse(process)


def test_the_tabs_of_jconsole_are_alive(asked: Counter[str], tmp_path: Path) -> None:
    """Over TLS: without it jconsole asks a person whether that is right."""
    need_command("jconsole", "default-jdk")
    keys = Keys(tmp_path)
    options = [f"-J-D{name}={value}" for name, value in keys.options("client").items()]
    with remote(tmp_path, **keys.options("server")) as port, screen_and_mouse(tmp_path) as (screen, mouse):
        url = f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi"
        with shown(screen, ["jconsole", *options, "-interval=1", url]):
            wait_until(lambda: drawn(asked), "jconsole draws its charts", SECONDS)
            screen.save(tmp_path / "overview.png")
            described = asked["getMBeanInfo()"]

            # from the beginning each time, and with a key that never closes a folder: a click that comes before the
            # window has drawn its tree does no harm
            def bean_is_shown() -> bool:
                mouse.click(JCONSOLE_MBEANS)
                mouse.click(JCONSOLE_FIRST_FOLDER)
                mouse.go_right(6)
                return asked["getMBeanInfo()"] > described

            wait_until(bean_is_shown, "a bean is shown", SECONDS, 1.0)
            screen.save(tmp_path / "mbeans.png")


def visualvm_command(directory: Path, port: int) -> list[str]:
    """Its start script's last command, without the question for the licence; it must look for no updates in the
    network.
    """
    preferences = directory / "config" / "Preferences" / "org" / "netbeans" / "modules" / "autoupdate"
    preferences.mkdir(parents=True)
    (preferences / "org_graalvm_visualvm_core_update_center.properties").write_text("enabled=false\nloaded=true\n")
    settings = need_file("/etc/visualvm/visualvm.conf", "visualvm").read_text()
    line = next(line for line in settings.splitlines() if line.startswith("visualvm_default_options="))
    options = [
        option for option in line.partition("=")[2].strip('"').split()
        if not option.startswith(("-J-Dnetbeans.accept_license_class", "-J-Dnetbeans.importclass"))
    ]  # fmt: skip
    java = Path(need_command("javac", "default-jdk-headless")).resolve().parents[1]
    return [
        "bash", str(VISUALVM / "platform/lib/nbexec"), "--userdir", str(directory), "--cachedir",
        str(directory / "cache"), "--jdkhome", str(java), "--branding", "visualvm", "--clusters",
        str(VISUALVM / "visualvm"), *options, "--openjmx", f"127.0.0.1:{port}",
    ]  # fmt: skip


def visualvm_cross(port: int) -> tuple[int, int]:
    """The cross that closes the tab of this process: the longer its title, the farther to the right."""
    title = f"127.0.0.1:{port} (pid {os.getpid()})"
    return 540 + 7 * len(title), 178


def is_filled(screen: Screen) -> bool:
    """True when the chart of the heap is on VisualVM's monitor: the area below its line is a light blue."""
    red, _, blue = screen.colour_at((900, 400))
    return blue - red > 20


def test_the_tabs_of_visualvm_are_alive(asked: Counter[str], tmp_path: Path) -> None:
    plain = {f"{PREFIX}.ssl": "false"}
    with (
        remote(tmp_path, **plain) as port,
        screen_and_mouse(tmp_path) as (screen, mouse),
        shown(screen, visualvm_command(tmp_path / "visualvm", port)),
    ):
        wait_until(lambda: asked["Name"], "VisualVM is connected", SECONDS)

        def monitor_is_chosen() -> bool:
            for place in (VISUALVM_RELOAD, VISUALVM_MONITOR):
                mouse.click(place)
            return comes_true(lambda: is_filled(screen), 2, 0.2)

        # Its first view is made before it is connected, and has no charts: it is opened again, or offers to be loaded
        # anew.
        def charts_begin() -> bool:
            mouse.click(visualvm_cross(port))
            mouse.click(VISUALVM_NODE, 2)
            return comes_true(monitor_is_chosen, 20)

        wait_until(charts_begin, "the charts are shown", SECONDS)
        wait_until(lambda: drawn(asked), "VisualVM draws its charts", SECONDS)
        screen.save(tmp_path / "monitor.png")
        mouse.click_until(VISUALVM_THREADS, lambda: not is_filled(screen), "the threads are shown")
        seen = asked["getThreadInfo"]
        wait_until(lambda: asked["getThreadInfo"] > seen, "VisualVM follows the threads", SECONDS)
        screen.save(tmp_path / "threads.png")
        mouse.click_until(VISUALVM_OVERVIEW, lambda: asked["SystemProperties"] > 0, "the overview is shown")
