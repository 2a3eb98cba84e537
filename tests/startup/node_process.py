"""One real node in a base of its own, for tests of its life and death."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.startup.instance import HANGS_UP
from tests.support.ports import free_port
from tests.support.waiting import comes_true

HOME = Path(__file__).resolve().parents[2]
PATIENCE = 20.0

APPLICATION = """
import os
import time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        print("the slow request runs", flush=True)
        time.sleep(1)
    if path == "/exit":
        os._exit(int(environ["QUERY_STRING"]))
    body = path.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


class NodeProcess:
    """``bootstrap start`` with one application ``app``; stopped at the end of the with block."""

    def __init__(
        self,
        base: Path,
        shutdown_port: int = -1,
        host_content: str = "",
        connector_port: int = 0,
        options: tuple[str, ...] = (),
        application: str = APPLICATION,
        ignores_hup: bool = False,
    ) -> None:
        self.base = base
        self.port = connector_port or free_port()
        for name in ("conf", "logs", "temp", "work", "webapps/app"):
            (base / name).mkdir(parents=True, exist_ok=True)
        (base / "webapps/app/app.py").write_text(application)
        (base / "conf/server.xml").write_text(
            f'<Server port="{shutdown_port}" shutdown="STOP NOW"><Service name="Catalina">'
            f'<Connector port="{self.port}" address="127.0.0.1"/>'
            f'<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps">{host_content}'
            "</Host></Engine></Service></Server>"
        )
        self.output = (base / "logs/out").open("wb")
        self.process = subprocess.Popen(
            [
                *(() if ignores_hup else HANGS_UP), sys.executable, "-m", "catalina.startup.bootstrap",
                f"-Dcatalina.home={HOME}", f"-Dcatalina.base={base}", *options, "start",
            ],
            cwd=HOME, stdout=self.output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.output.close()

    @property
    def text(self) -> str:
        """Its output so far."""
        return (self.base / "logs/out").read_text(errors="replace")

    def wait_for_text(self, text: str, times: int = 1) -> None:
        def is_there() -> bool:
            ended = self.process.poll() is not None  # asked first: what it wrote in the end counts
            is_there = self.text.count(text) >= times
            assert is_there or not ended, f"ended without {text!r}:\n{self.text}"
            return is_there

        assert comes_true(is_there, PATIENCE, 0.02), f"no {text!r} in:\n{self.text}"

    def wait_until_started(self, times: int = 1) -> None:
        self.wait_for_text("Server startup in", times)

    def worker(self) -> int:
        """Process id of the node under the arbiter."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    def get(self, path: str, timeout: float = PATIENCE) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/app{path}", timeout=timeout) as answer:
            return bytes(answer.read())

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(PATIENCE)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"
