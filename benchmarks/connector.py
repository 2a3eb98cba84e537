"""The cost of a request: the whole node beside gunicorn's own workers, and the connector's stages in microseconds.

::

    python -m benchmarks.connector [seconds]

Needs ``wrk``. Each server answers the same 13 bytes; load and server share the machine, so compare the ratios.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 16
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, World!"]
"""
SERVER_XML = """
<Server port="-1"><Service name="Catalina">
  <Connector port="{port}" address="127.0.0.1" maxKeepAliveRequests="-1"/>
  <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
</Service></Server>
"""
BROWSER = (
    b"GET /app/hello?a=1 HTTP/1.1\r\nHost: shop.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, br\r\n"
    b"Connection: keep-alive\r\nCookie: JSESSIONID=0123456789ABCDEF0123456789ABCDEF.n1\r\n\r\n"
)


@contextmanager
def running(command: list[str], port: int, directory: Path) -> Iterator[int]:
    """A server process, until it answers; yields its process id."""
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 30
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError((directory / "output").read_text())
                time.sleep(0.05)
            time.sleep(0.5)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children so far."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in (pid, *map(int, children)):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / 100


def load(url: str, seconds: float, pid: int) -> tuple[float, str, float]:
    """Requests per second, p99, microseconds of CPU per request."""
    before = cpu_seconds(pid)
    out = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}", "--latency", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = cpu_seconds(pid) - before
    found = (
        re.search(r"(\d+) requests in", out),
        re.search(r"Requests/sec:\s*([\d.]+)", out),
        re.search(r"99%\s+(\S+)", out),
    )
    total, rate, p99 = (match[1] for match in found if match)
    return float(rate), p99, used / int(total) * 1e6


def servers(directory: Path) -> Iterator[tuple[str, list[str], str, int]]:
    """(name, command, path, port) of what is compared."""
    port = free_port()
    for name in ("conf", "logs", "temp", "work", "webapps/app"):
        (directory / name).mkdir(parents=True)
    (directory / "conf/server.xml").write_text(SERVER_XML.format(port=port))
    (directory / "webapps/app/app.py").write_text(APPLICATION)
    start = [
        sys.executable,
        "-m",
        "catalina.startup.bootstrap",
        f"-Dcatalina.home={ROOT}",
        f"-Dcatalina.base={directory}",
    ]
    yield "catalina", [*start, "start"], "/app/", port
    (directory / "hello.py").write_text(APPLICATION)
    for worker in (["sync"], ["gthread", "--threads", "8"]):
        port = free_port()
        bind = ["-b", f"127.0.0.1:{port}", "-w", "1", "-k", *worker, "--keep-alive", "60"]
        yield f"gunicorn {' '.join(worker)}", [sys.executable, "-m", "gunicorn", *bind, "hello:application"], "/", port


def compare(seconds: float) -> None:
    """The same requests against each server, in one run."""
    with tempfile.TemporaryDirectory() as directory:
        base = None
        print(f"{'server':<32}{'req/s':>10}{'p99':>12}{'us CPU':>10}{'ratio':>8}")
        for name, command, path, port in servers(Path(directory)):
            with running(command, port, Path(directory)) as pid:
                rate, p99, cost = load(f"http://127.0.0.1:{port}{path}", seconds, pid)
            base = base or rate
            print(f"{name:<32}{rate:>10.0f}{p99:>12}{cost:>10.1f}{rate / base:>8.2f}")


def microseconds(call: Callable[[], Any], number: int = 5000) -> float:
    """The best of several runs: the others were disturbed."""
    return min(timeit.repeat(call, number=number, repeat=7)) / number * 1e6


def stages() -> None:
    """The cost of the parts of a browser's request, without the kernel."""
    from catalina.connector.connection_facts import ConnectionFacts
    from catalina.connector.connector import Connector
    from catalina.connector.headers import Headers
    from catalina.connector.request import Request
    from catalina.connector.uri import UriRules
    from catalina.coyote.http11.request_head import RequestHeadParser
    from catalina.coyote.http11.response_head import encode_head

    parser, rules = RequestHeadParser(), UriRules()
    head = parser.parse(BROWSER)
    if head is None:
        raise RuntimeError("the request is incomplete")
    facts = ConnectionFacts(Connector(), remote_addr="10.0.0.1", local_addr="10.0.0.2")

    def make() -> Request:
        return Request(facts, head.method, head.path, head.query, "HTTP/1.1", Headers(head.fields))

    request = make()
    fields = [("Content-Type", "text/plain"), ("Content-Length", "13")]
    lines = {
        "parse the head (7 fields)": lambda: parser.parse(BROWSER),
        "make the request": make,
        "decode the URI (seen before)": lambda: rules.decode(head.path),
        "parse the cookies": lambda: (setattr(request, "_cookies", None), request.cookies),
        "build the environ": request.build_environ,
        "encode the response head": lambda: encode_head(200, fields, "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n"),
    }
    for name, call in lines.items():
        print(f"{name:<40}{microseconds(call):>8.2f} us")


def main() -> None:
    """Stages, then servers."""
    stages()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    compare(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)


if __name__ == "__main__":
    main()
