"""The JDK's own JMX client: compiles and runs JmxDriver.java."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.needs import need_command

__all__ = ["JVM", "SECONDS", "driver_classes", "run_driver", "run_reference"]

SOURCE = Path(__file__).with_name("JmxDriver.java")
JVM = ["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
#: A JVM on a busy machine of two cores.
SECONDS = 120


@functools.cache
def driver_classes() -> Path:
    """The compiled driver; made once."""
    need_command("javac", "default-jdk-headless")
    target = Path(tempfile.mkdtemp(prefix="jmx-driver-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    subprocess.run(["javac", "-nowarn", "-d", str(target), str(SOURCE)], check=True, timeout=SECONDS)
    return target


def run_driver(port: int, *arguments: str, options: tuple[str, ...] = ()) -> dict[str, str]:
    """Run the driver against a port: what it prints, by key.

    Args:
        arguments: user and password, and a word for it to listen to registrations.
        options: of the JVM; ``-Dbean=``, ``-Dattribute=``, ``-Dtruth=`` and ``-Doperation=`` ask for one thing only,
            ``-Dqueries=true`` for queries only.
    """
    url = f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi"
    return _run([*JVM, *options, "-cp", str(driver_classes()), "JmxDriver", url, *arguments])


def run_reference() -> dict[str, str]:
    """Run the driver's queries against beans in its own JVM: what it prints, by key."""
    return _run([*JVM, "-cp", str(driver_classes()), "JmxDriver"])


def _run(command: list[str]) -> dict[str, str]:
    made = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    lines = [line.split("=", 1) for line in made.stdout.splitlines()]
    assert all(len(line) == 2 for line in lines), made.stdout + made.stderr
    found = {line[0]: line[1] for line in lines}
    assert found, made.stderr
    return found
