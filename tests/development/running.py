"""``catalina run`` as a process, and its client."""

from __future__ import annotations

import contextlib
import http.client
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.node import PROJECT
from tests.support.ports import free_port
from tests.support.waiting import wait_until

__all__ = ["COUNTER", "Running", "running"]

#: An application that counts; ``/process`` tells in which process and which code, ``/boom`` fails.
COUNTER = """\
import os

import word


def application(environ, start_response):
    session = environ["catalina.session"]
    if environ["PATH_INFO"] == "/boom":
        raise RuntimeError("what nobody else may see")
    if environ["PATH_INFO"] == "/echo":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read()]
    if environ["PATH_INFO"] == "/process":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{os.getpid()} {word.word}".encode()]
    session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{word.word} {session['count']}".encode()]
"""


class Running:
    """One run; the cookie is kept.

    Args:
        words: behind ``catalina run``, without the port.
        directory: the current one of the process.
        environment: variables beyond the test's own.
        in_terminal: its standard input is a terminal, for :meth:`press`.
    """

    def __init__(
        self, *words: str, directory: Path, environment: dict[str, str] | None = None, in_terminal: bool = False
    ) -> None:
        self.port = free_port()
        self.output_file = directory.parent / f"run-{self.port}.out"
        self.cookie = ""
        command = [sys.executable, "-P", "-m", "catalina", "run", *words]
        path = os.pathsep.join(filter(None, [str(PROJECT), (environment or {}).get("PYTHONPATH")]))
        self._keyboard, terminal = pty.openpty() if in_terminal else (-1, subprocess.DEVNULL)
        with self.output_file.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=directory,
                env={**os.environ, **(environment or {}), "PYTHONPATH": path},
                stdin=terminal,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        if in_terminal:
            os.close(terminal)

    @property
    def output(self) -> str:
        return self.output_file.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = 90.0) -> None:
        """Until a text is in the output."""

        def there() -> bool:
            assert text in self.output or self.process.poll() is None, self.output
            return text in self.output

        wait_until(there, f"{text!r} in the output", seconds)

    def ready(self) -> Running:
        self.wait_for("Serving ")
        return self

    def request(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and header fields."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            own = {"Cookie": self.cookie} if self.cookie else {}
            connection.request(method, path, body, {"Host": f"localhost:{self.port}", **own, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        set_cookie = answer.getheader("Set-Cookie")
        if set_cookie:
            self.cookie = set_cookie.partition(";")[0]
        return answer.status, text, dict(answer.getheaders())

    def get(self, path: str) -> str:
        status, text, _ = self.request(path)
        assert status == 200, (status, text, self.output)
        return text

    def press(self, key: str) -> None:
        """Press a key of the terminal."""
        os.write(self._keyboard, key.encode())

    def close(self) -> None:
        """Close the terminal, if there is one."""
        if self._keyboard >= 0:
            os.close(self._keyboard)

    def end(self) -> int:
        """Control-C; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)


@contextlib.contextmanager
def running(
    *words: str, directory: Path, environment: dict[str, str] | None = None, in_terminal: bool = False
) -> Iterator[Running]:
    """A run that is ended behind the test."""
    run = Running(*words, directory=directory, environment=environment, in_terminal=in_terminal)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            try:
                run.process.wait(60)
            except subprocess.TimeoutExpired:
                run.process.kill()
                run.process.wait(10)
        run.close()
