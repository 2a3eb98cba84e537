"""The real Tomcat and ours, each with its site on a free port."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalina.startup.catalina import Catalina
from tests.support.waiting import comes_true

__all__ = ["PROJECT", "running_java", "running_ours"]

PROJECT = Path(__file__).parents[3]
#: A small machine that starts quickly.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


@contextmanager
def running_java(base: Path, port: int, jars: Path) -> Iterator[None]:
    """A Java Tomcat with a CATALINA_BASE that is ready."""
    home = jars.parent
    class_path = f"{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar"
    properties = [f"-Dcatalina.home={home}", f"-Dcatalina.base={base}", f"-Djava.io.tmpdir={base}/temp"]
    with (base / "logs" / "out").open("wb") as out:
        process = subprocess.Popen(
            ["java", *JVM, *properties, "-cp", class_path, "org.apache.catalina.startup.Bootstrap", "start"],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, base / "logs" / "out")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    def has_started() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"the Java Tomcat ended: {log.read_text('utf-8', 'replace')}")
        return "Server startup in" in log.read_text("utf-8", "replace")

    if not comes_true(has_started, 120, 0.1):
        text = log.read_text("utf-8", "replace")
        raise AssertionError(f"no start of the Java Tomcat within 120 s, port {port}: {text}")


@contextmanager
def running_ours(base: Path) -> Iterator[None]:
    """A node of ours with a CATALINA_BASE that is ready, in this process."""
    catalina = Catalina(PROJECT, base)
    catalina.load()
    catalina.init()
    assert catalina.server is not None
    catalina.server.reactor.start()
    catalina.start()
    try:
        yield
    finally:
        catalina.stop()
        catalina.server.reactor.stop()
