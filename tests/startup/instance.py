"""A CATALINA_BASE in a temporary directory, run by the scripts of ``bin`` as an operator does."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import comes_true, wait_until

ROOT = Path(__file__).parents[2]
#: Seconds for a start or a stop on a busy machine.
PATIENCE = 60.0
#: Before a command: it hears SIGHUP although the tests run under nohup.
HANGS_UP = ("env", "--default-signal=HUP")

SERVER_XML = """\
<Server port="{port}" address="127.0.0.1" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector port="0" address="127.0.0.1"/>
    <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
  </Service>
</Server>
"""


def shutdown_connection(port: int) -> socket.socket:
    """To the shutdown port, which is bound after the server says that it has started, as in Tomcat."""

    def connect() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE)
        except ConnectionRefusedError:
            return None

    return wait_until(connect, f"somebody listens on {port}", PATIENCE)


class Instance:
    """The base, the environment of its scripts, and the processes that it started."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for name in ("conf", "logs", "temp", "webapps", "work", "bin"):
            (base / name).mkdir()
        self.port = free_port()
        self.write(SERVER_XML.format(port=self.port))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CATALINA_", "JAVA_"))}
        self.environment = {**kept, "CATALINA_BASE": str(base), "CATALINA_PYTHON": sys.executable}
        self._processes: list[subprocess.Popen[str]] = []

    def write(self, server_xml: str) -> None:
        (self.base / "conf" / "server.xml").write_text(server_xml)

    @property
    def pid_file(self) -> Path:
        return self.base / "catalina.pid"

    def use_pid_file(self) -> None:
        self.environment["CATALINA_PID"] = str(self.pid_file)

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def script(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end; standard output and error are one text."""
        return subprocess.run(
            [str(ROOT / "bin" / name), *words],
            env=self.environment,
            cwd=self.base,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE,
        )

    def catalina(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.script("catalina.sh", *words)

    def run(self, *words: str) -> subprocess.Popen[str]:
        """``catalina.sh run``, its output in run.txt."""
        with (self.base / "run.txt").open("w") as output:
            process = subprocess.Popen(
                [*HANGS_UP, str(ROOT / "bin" / "catalina.sh"), "run", *words],
                env=self.environment,
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._processes.append(process)
        return process

    @property
    def run_output(self) -> str:
        return (self.base / "run.txt").read_text()

    @property
    def catalina_out(self) -> str:
        path = self.base / "logs" / "catalina.out"
        return path.read_text() if path.is_file() else ""  # not a pipe, which would wait for a writer

    def running(self) -> subprocess.Popen[str]:
        """``run``, waited for until the server is up."""
        process = self.run()
        self.wait_for(lambda: "Server startup in [" in self.run_output or process.poll() is not None)
        assert process.poll() is None, self.run_output
        return process

    def started(self) -> None:
        """``start`` with a pid file, waited for until the server is up."""
        self.use_pid_file()
        done = self.catalina("start")
        assert done.returncode == 0, done.stdout
        self.wait_for(lambda: "Server startup in [" in self.catalina_out)

    @property
    def takes_the_word(self) -> bool:
        """True when the shutdown port is open, which happens a moment after the server is up; asking leaves no
        trace.
        """
        tables = [Path("/proc/net") / name for name in ("tcp", "tcp6")]
        rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
        return any(row[1].endswith(f":{self.port:04X}") and row[3] == "0A" for row in rows)  # 0A is LISTEN

    def wait_for(self, condition: object) -> None:
        assert callable(condition)
        assert comes_true(condition, PATIENCE, 0.02), f"not in time:\n{self.catalina_out}"

    def say(self, word: str) -> bytes:
        """Send a word to the shutdown port; what comes back."""
        with shutdown_connection(self.port) as connection:
            connection.sendall(word.encode())
            try:
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(100)
            except ConnectionResetError:
                return b""  # it closed with bytes of ours unread: those behind the word

    def clean_up(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE)
        if self.pid_file.exists() and self.pid_file.read_text().strip():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGCONT)
                os.kill(self.pid, signal.SIGKILL)


def instance(base: Path) -> Iterator[Instance]:
    """For a fixture: an instance that is gone afterwards."""
    base.mkdir()
    made = Instance(base)
    yield made
    made.clean_up()


def is_alive(pid: int) -> bool:
    """True when a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has forked."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
