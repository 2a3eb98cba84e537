"""Twenty small applications on one machine: memory and start in the kinds of isolation, and beside other servers.

    python -m benchmarks.pools [--rounds 3] [--seconds 5] [--only memory,counter]

- ``memory``: 20 applications that count in a session; every fifth brings a package of its own in WEB-INF/lib. A node of
  ours with ``isolation`` shared, auto and process (a keeper and one worker, beside the pools), and one process with
  all of them; one gunicorn (gthread) for each application; the Java Tomcat with 20 wars. Printed are the seconds from
  the start of the first process until all applications have answered, the processes, and what they use together after
  one request each: PSS, in which a page that several processes share counts once.
- ``counter``: requests per second, and processor time per request, of the counter in a pool of one beside a shared
  worker, in turns.

Needs wrk and Java with Tomcat 10.1's jars; see benchmarks/replication.py.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.replication import Contender, load, print_table
from tests.cluster.node import PROJECT, Node, free_port
from tests.interop.java_tomcat import JavaTomcat, compile_probe

APPLICATIONS = 20
#: Every so manieth application has a package of its own.
WITH_PACKAGE = 5
TIMEOUT = 300.0

OURS = """
distributable = True

def application(environ, start_response):
    session = environ["catalina.session"]
    count = session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(count).encode()]
"""
#: gunicorn has no sessions: the counter is in memory, and so cheaper than any that counts for a user.
THEIRS = """
import itertools
counts = itertools.count(1)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(next(counts)).encode()]
"""
WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>counter</servlet-name><servlet-class>CounterServlet</servlet-class></servlet>
  <servlet-mapping><servlet-name>counter</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
</web-app>
"""


@dataclass
class Site:
    """Twenty applications that run.

    Args:
        urls: of the applications.
        processes: the ids of all processes.
    """

    urls: Sequence[str]
    processes: Callable[[], list[int]]
    close: Callable[[], None]


@dataclass
class Row:
    """The measurements of one contender, one of each round."""

    name: str
    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)
    processes: int = 0


def pss_bytes(pid: int) -> int:
    """The proportional set size of a process (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024


def write_ours(webapps: Path) -> list[str]:
    """The applications as directories; returns their paths."""
    for number in range(APPLICATIONS):
        root = webapps / f"shop{number}"
        root.mkdir(parents=True)
        (root / "wsgi.py").write_text(OURS)
        (root / "WEB-INF").mkdir()
        if number % WITH_PACKAGE == 0:
            package = root / "WEB-INF" / "lib" / f"stock{number}"
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("")
    return [f"/shop{number}/" for number in range(APPLICATIONS)]


def our_site(directory: Path, isolation: str, *, has_keeper: bool = True) -> Site:
    """A node of ours."""
    node = Node("n1", directory, workers=1)
    shutil.rmtree(node.base / "webapps" / "app")
    paths = write_ours(node.base / "webapps")
    (node.base / "conf" / "context.xml").write_text(f'<Context isolation="{isolation}"/>')
    node.options = "-Dcatalina.keeper=true" if has_keeper else ""
    node.start(wait=False)
    return Site([f"http://127.0.0.1:{node.http_port}{path}" for path in paths], node.processes, node.close)


def gunicorn_site(directory: Path) -> Site:
    """A gunicorn for each application."""
    directory.mkdir()
    (directory / "wsgi.py").write_text(THEIRS)
    ports = [free_port() for _ in range(APPLICATIONS)]
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "8", "-w", "1", "-b", f"127.0.0.1:{port}",
             "--no-control-socket", "--log-level", "error", "wsgi:application"],
            cwd=directory,
        )
        for port in ports
    ]  # fmt: skip

    def processes() -> list[int]:
        return [pid for server in servers for pid in (server.pid, *children_of(server.pid))]

    def close() -> None:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(20)

    return Site([f"http://127.0.0.1:{port}/" for port in ports], processes, close)


def java_site(directory: Path, classes: Path) -> Site:
    """The Java Tomcat with a war for each application, its JVM unrestrained."""
    node = JavaTomcat("j1", directory, classes, jvm="-Xmx512m")
    shutil.rmtree(node.base / "webapps" / "app")
    for number in range(APPLICATIONS):
        with zipfile.ZipFile(node.base / "webapps" / f"shop{number}.war", "w") as war:
            war.writestr("WEB-INF/web.xml", WEB_XML)
            for file in classes.glob("*.class"):
                war.write(file, f"WEB-INF/classes/{file.name}")
    node.start(wait=False)
    urls = [f"http://127.0.0.1:{node.http_port}/shop{number}/" for number in range(APPLICATIONS)]
    return Site(urls, node.processes, node.close)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def answers(url: str) -> bool:
    """True when the application has counted."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bool(answer.read().strip().isdigit())
    except (urllib.error.URLError, OSError):
        return False


def measure(row: Row, make: Callable[[], Site]) -> None:
    """Start a site, ask each of its applications once, and end it."""
    began = time.monotonic()
    site = make()
    try:
        waiting = list(site.urls)
        while waiting:
            waiting = [url for url in waiting if not answers(url)]
            if time.monotonic() - began > TIMEOUT:
                raise TimeoutError(f"{row.name}: no answer of {waiting}")
            time.sleep(0.02)
        row.seconds.append(time.monotonic() - began)
        pids = site.processes()
        row.processes = len(pids)
        row.mebibytes.append(sum(map(pss_bytes, pids)) / 2**20)
    finally:
        site.close()


def memory(directory: Path, rounds: int) -> None:
    """The table of memory and start."""
    classes = directory / "classes"
    classes.mkdir()
    compile_probe(classes, PROJECT / "benchmarks" / "CounterServlet.java")
    makers: dict[str, Callable[[Path], Site]] = {
        "isolation shared, one process": lambda at: our_site(at, "shared", has_keeper=False),
        "isolation shared": lambda at: our_site(at, "shared"),
        "isolation auto": lambda at: our_site(at, "auto"),
        "isolation process": lambda at: our_site(at, "process"),
        "20 gunicorns": gunicorn_site,
        "Java Tomcat, 20 wars": lambda at: java_site(at, classes),
    }
    rows = [Row(name) for name in makers]
    for number in range(rounds):
        for row in rows:
            place = directory / f"{number}-{row.name.replace(' ', '-').replace(',', '')}"
            measure(row, lambda make=makers[row.name], at=place: make(at))  # type: ignore[misc]
    print(f"{'':30} {'processes':>9} {'PSS, MiB':>9} {'per application':>16} {'start, s':>9}")
    for row in rows:
        used, took = statistics.median(row.mebibytes), statistics.median(row.seconds)
        print(f"{row.name:30} {row.processes:9} {used:9.0f} {used / APPLICATIONS:16.1f} {took:9.1f}")


def counter(directory: Path, seconds: float, rounds: int) -> None:
    """A pool of one beside a shared worker, in two nodes that take turns."""
    contenders: list[Contender] = []
    try:
        for isolation in ("shared", "process"):
            webapp = directory / f"counter-{isolation}"
            webapp.mkdir()
            (webapp / "wsgi.py").write_text(OURS)
            (webapp / "META-INF").mkdir()
            (webapp / "WEB-INF").mkdir()
            (webapp / "META-INF" / "context.xml").write_text(f'<Context isolation="{isolation}"/>')
            node = Node("n1", directory / isolation, webapp=webapp, workers=1)
            node.options = "-Dcatalina.keeper=true"
            node.start(wait=False)
            name = f"counter, {isolation}"
            made = Contender(name, node.http_port, "JSESSIONID", {}, node.close, path="/app/", browsers=True)
            contenders.append(made)
            while not answers(f"http://127.0.0.1:{node.http_port}/app/"):
                time.sleep(0.05)
            made.pids = {"all": node.processes()}
        for number in range(rounds):
            for contender in contenders if number % 2 else reversed(contenders):
                load(contender, 1, count=False)
                load(contender, seconds)
        print_table(contenders)
        shared, pool = contenders
        pairs = [one / other for one, other in zip(pool.rates, shared.rates, strict=True)]
        print(f"  requests per second, pool / shared: {statistics.median(pairs):.3f}   target at least 0.97")
        times = [statistics.median(each.cpu_us["all"]) for each in (shared, pool)]
        print(f"  processor time per request, pool / shared: {times[1] / times[0]:.3f}   target at most 1.03")
    finally:
        for contender in contenders:
            contender.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="memory,counter")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    os.environ["PYTHONPATH"] = str(PROJECT)
    directory = Path(tempfile.mkdtemp(prefix="pools-"))
    try:
        if "memory" in arguments.only:
            memory(directory, arguments.rounds)
        if "counter" in arguments.only:
            counter(directory, arguments.seconds, 2 * arguments.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
