"""A real node: ``bin/catalina.sh run`` with a CATALINA_BASE of its own, perhaps in a network namespace."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tests.cluster.namespaces import Namespace
from tests.support.ports import free_port
from tests.support.waiting import comes_true

__all__ = ["HERE", "PROJECT", "Answer", "Node", "worker_counts"]

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

#: A start waits 2 x 2 x frequency for the membership, and may share two cores with other tests.
START_SECONDS = 40.0
#: Runs the nodes of all tests that do not say how many workers they want with so many.
WORKERS = "CATALINA_TEST_WORKERS"
#: The last line of a start; the connector answers a moment before.
STARTED = "Server startup in ["


def worker_counts() -> list[int]:
    """The numbers of workers that a test of the standard run is made with: as the variable says, and with three."""
    return sorted({int(os.environ.get(WORKERS, "1")), 3})


#: Requests on their way at a time over one connection.
_PIPELINED = 50


def _request(path: str, session_id: str | None) -> bytes:
    cookie = f"Cookie: JSESSIONID={session_id}\r\n" if session_id else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n".encode()


def _read_answer(stream: BinaryIO, session_id: str | None) -> Answer:
    status = int(stream.readline().split()[1])
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name] = value
    body = stream.read(int(headers["Content-Length"]))
    new_id = headers.get("Set-Cookie", "").partition("JSESSIONID=")[2].partition(";")[0] or session_id
    return Answer(status, headers, body, new_id)


class Answer(NamedTuple):
    """The answer of a node; ``json`` is None when the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    session_id: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def values(self) -> Any:
        """The session's attributes as the probe application shows them."""
        return self.json["values"]


class Node:
    """One process, started and ended by the test.

    Args:
        name: the jvmRoute.
        base: an empty directory for its CATALINA_BASE.
        cluster: XML for the Host.
        engine_cluster: XML for the Engine.
        namespace: the network namespace it runs in; requests to it are made inside too.
        address: what the connector binds to and the test connects to.
        webapp: the directory that becomes the application ``/app``.
        workers: with more than one the node is a keeper and so many workers; without a word what the variable
            CATALINA_TEST_WORKERS says, else one.
    """

    def __init__(
        self,
        name: str,
        base: Path,
        cluster: str = "",
        engine_cluster: str = "",
        namespace: Namespace | None = None,
        address: str = "127.0.0.1",
        http_port: int | None = None,
        context_xml: str | None = None,
        webapp: Path = HERE / "webapp",
        workers: int | None = None,
    ) -> None:
        self.workers = workers or int(os.environ.get(WORKERS, "1"))
        #: More properties, as ``-Dname=value``.
        self.options = ""
        self.name = name
        self.base = base
        self.namespace = namespace
        self.address = address
        self.http_port = http_port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._write_base(cluster, engine_cluster, context_xml, webapp)

    def _write_base(self, cluster: str, engine_cluster: str, context_xml: str | None, webapp: Path) -> None:
        conf = self.base / "conf"
        conf.mkdir(parents=True)
        for directory in ("logs", "temp", "webapps", "work"):
            (self.base / directory).mkdir()
        xml = (HERE / "server.xml").read_text()
        (conf / "server.xml").write_text(
            xml.replace("<!-- HOST -->", cluster).replace("<!-- ENGINE -->", engine_cluster)
        )
        for name in ("web.xml", "logging.properties", "catalina.properties"):
            if (PROJECT / "conf" / name).exists():
                shutil.copy(PROJECT / "conf" / name, conf / name)
        app = self.base / "webapps" / "app"
        shutil.copytree(webapp, app)
        if context_xml is not None:
            (app / "META-INF").mkdir()
            (app / "META-INF" / "context.xml").write_text(context_xml)

    @property
    def log_file(self) -> Path:
        return self.base / "logs" / "run.out"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def has_logged(self, text: str, times: int = 1) -> bool:
        return self.log.count(text) >= times

    def start(self, wait: bool = True) -> Node:
        """Start the process; with ``wait`` return when it accepts requests."""
        options = f"-Dtest.http.port={self.http_port} -Dtest.http.address={self.address} -Dtest.node={self.name}"
        options += f" {self.options}"
        if self.workers > 1:
            options += f" -Dcatalina.workers={self.workers}"
        environment = dict(os.environ, CATALINA_BASE=str(self.base), CATALINA_OPTS=options)
        for name in ("CATALINA_HOME", "CATALINA_PID", "CATALINA_OUT"):
            environment.pop(name, None)
        self._starts = self.log.count(STARTED)
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(
                [*(self.namespace.command if self.namespace else ()), str(PROJECT / "bin" / "catalina.sh"), "run"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        if wait:
            self.wait_started()
        return self

    def wait_started(self, seconds: float = START_SECONDS) -> None:
        """Until ``Server startup`` is in the log of this run and the connector answers."""
        if not comes_true(self._has_started, seconds, 0.05):
            raise AssertionError(f"{self.name} did not start in {seconds} s:\n{self.log}")

    def _has_started(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log}"
        processes = 1 if self.workers == 1 else 1 + self.workers
        return self._answers() and self.log.count(STARTED) >= self._starts + processes

    def _answers(self) -> bool:
        try:
            return self.get("/", timeout=2).status < 500
        except OSError:
            return False

    def get(
        self,
        path: str,
        session_id: str | None = None,
        timeout: float = 10.0,
        app: str = "/app",
        port: int | None = None,
        **headers: str,
    ) -> Answer:
        """One request with or without the session's cookie, and more header fields; at another port if one is given."""

        def ask() -> Answer:
            return self._get(path, session_id, timeout, app, port or self.http_port, headers)

        return self.namespace.inside(ask) if self.namespace is not None else ask()

    def _get(
        self, path: str, session_id: str | None, timeout: float, app: str, port: int, more: Mapping[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
        try:
            headers = {**more, **({"Cookie": f"JSESSIONID={session_id}"} if session_id else {})}
            connection.request("GET", app + path, headers=headers)
            response = connection.getresponse()
            body = response.read()
            cookie = response.getheader("Set-Cookie") or ""
        finally:
            connection.close()
        new_id = cookie.partition("JSESSIONID=")[2].partition(";")[0] or session_id
        return Answer(response.status, dict(response.getheaders()), body, new_id)

    def get_many(self, requests: list[tuple[str, str | None]], app: str = "/app") -> list[Answer]:
        """Many requests, pipelined over one connection."""
        answers: list[Answer] = []
        with (
            socket.create_connection((self.address, self.http_port), timeout=30) as sock,
            sock.makefile("rb") as stream,
        ):
            for start in range(0, len(requests), _PIPELINED):
                batch = requests[start : start + _PIPELINED]
                sock.sendall(b"".join(_request(app + path, session_id) for path, session_id in batch))
                for _, session_id in batch:
                    answers.append(_read_answer(stream, session_id))
                if answers[-1].headers.get("Connection") == "close":
                    raise AssertionError(f"{self.name} closed the connection: {answers[-1]}")
        return answers

    def catalina(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of the ``catalina`` command against this node."""
        command = [sys.executable, "-P", "-m", "catalina", *arguments]
        environment = dict(os.environ, CATALINA_BASE=str(self.base))
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def processes(self) -> list[int]:
        """The ids of the process and its children, the worker last."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
                found += [int(child) for child in children.split()]
        return found

    def kill(self) -> None:
        """``kill -9`` of the node and of the arbiter that would start it again."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert self.process is not None
        self.process.wait(10)

    @property
    def arbiter(self) -> int:
        """The id of the process that the operator knows: what ``bin/catalina.sh run`` becomes."""
        assert self.process is not None
        return self.process.pid

    def named_processes(self, name: str) -> list[int]:
        """The ids of processes of a node with workers: ``catalina-keeper``, ``catalina-w0``, or ``catalina-w`` for
        all workers."""
        found = []
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().startswith(name):
                    found.append(pid)
        return found

    def kill_worker(self) -> int:
        """``kill -9`` of the worker alone; returns its id."""
        worker = self.processes()[-1]
        os.kill(worker, signal.SIGKILL)
        return worker

    def stop(self, seconds: float = 20.0) -> int:
        """An orderly stop by SIGTERM; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def close(self) -> None:
        """End what still runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


@contextlib.contextmanager
def started(nodes: Sequence[Node]) -> Iterator[None]:
    """Start the nodes side by side, wait for all, and close them at the end."""
    try:
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_started()
        yield
    finally:
        for node in nodes:
            node.close()
