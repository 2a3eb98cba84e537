"""Runs TribesDriver.java: a Tribes channel of the real Tomcat in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.needs import need_java_tomcat
from tests.support.ports import free_port

_SOURCE = Path(__file__).with_name("TribesDriver.java")


def compile_driver(target: Path) -> str:
    """Compile the driver into ``target``; return the class path to run it."""
    jars = need_java_tomcat()
    class_path = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")) if "i18n" not in jar.name)
    class_path += ":/usr/share/tomcat10/bin/tomcat-juli.jar"
    subprocess.run(["javac", "-nowarn", "-cp", class_path, "-d", str(target), str(_SOURCE)], check=True)
    return f"{target}:{class_path}"


class TribesDriver:
    """One Java member. Its output is kept in ``lines``; its log on standard error in ``log``."""

    def __init__(self, class_path: str, prefix: Sequence[str] = (), **options: Any) -> None:
        self.port = int(str(options.setdefault("port", free_port())))
        self.lines: list[str] = []
        self.log: list[str] = []
        self._cond = threading.Condition()
        command = [
            *prefix,
            "java",
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.net.preferIPv4Stack=true",
        ]
        command += ["-cp", class_path, "TribesDriver", *(f"{name}={value}" for name, value in options.items())]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self._threads = [
            threading.Thread(target=self._collect, args=(self.process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._collect, args=(self.process.stderr, self.log), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: Any, kept: list[str]) -> None:
        for line in stream:
            with self._cond:
                kept.append(line.rstrip("\n"))
                self._cond.notify_all()

    def wait_for(self, start: str, timeout: float = 30.0, count: int = 1) -> str:
        """Wait until ``count`` lines begin with ``start``; return the last of these."""
        deadline = time.monotonic() + timeout
        with self._cond:
            while len(found := [line for line in self.lines if line.startswith(start)]) < count:
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    shown = "\n".join([*self.lines[-30:], "--- log", *self.log[-30:]])
                    raise AssertionError(f"no {count} lines {start!r} within {timeout} s:\n{shown}")
                self._cond.wait(min(left, 0.5))
            return found[count - 1]

    def ask(self, command: str, answer: str, timeout: float = 30.0) -> str:
        """Give a command and wait for the line that answers it."""
        before = sum(line.startswith((answer, "failed")) for line in self.lines)
        self.tell(command)
        deadline = time.monotonic() + timeout
        with self._cond:
            while True:
                found = [line for line in self.lines if line.startswith((answer, "failed"))]
                if len(found) > before:
                    return found[before]
                left = deadline - time.monotonic()
                assert left > 0, f"no answer to {command!r} within {timeout} s: {self.lines[-10:]} {self.log[-20:]}"
                self._cond.wait(min(left, 0.5))

    def tell(self, command: str) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.tell("stop")
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        for thread in self._threads:
            thread.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


@contextlib.contextmanager
def java_member(class_path: str, **options: Any) -> Iterator[TribesDriver]:
    """A Java member that has joined; ended at the end of the block."""
    driver = TribesDriver(class_path, **options)
    try:
        driver.wait_for("started")
        yield driver
    finally:
        driver.close()
