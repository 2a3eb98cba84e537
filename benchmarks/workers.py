"""A node on all cores: what workers bring, beside others with as many processes.

    python benchmarks/workers.py [--seconds 5] [--rounds 3] [--only busy,sessions,counter,browsers,java,flat]

- ``busy``: 2 ms of processor time per request; 1 and 2 workers, gunicorn (gthread) and granian with 2.
- ``sessions``: a Django and a Flask page that read and write a session; 2 workers beside gunicorn with 2 and Redis.
- ``counter``: processor time per request of the replicated counter with options 8, in one process and in several.
- ``browsers``: each of 16 connections uses a session that another one has made: how many requests are served where the
  session is not.
- ``java``: the counter without a cluster, 2 workers beside the Java Tomcat on both cores.
- ``flat``: processor time per request of all processes with 1, 2, 4 and 8 workers; flat means that it scales.

Each connection has sessions of its own, as a browser has. With ``pool`` all sessions come on all connections, as from a
balancer: then all workers have a copy of each session, and each change is shown to all of them.

The contenders of a part take turns in every round. Needs what benchmarks/replication.py and frameworks.py need.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.frameworks import SOURCES, gunicorn, other_python, redis_server, served  # noqa: E402 -- the project is on the path now
from benchmarks.replication import Contender, java_pair, load, print_table  # noqa: E402
from tests.cluster.clusters import full  # noqa: E402
from tests.cluster.node import Node  # noqa: E402
from tests.interop.java_tomcat import compile_probe  # noqa: E402
from tests.support.frameworks import need_frameworks  # noqa: E402
from tests.support.ports import free_port, free_udp_port  # noqa: E402

WORKERS = 2

#: A page that computes for 2 ms, one that says hello, and the counter; the session is there only in our server.
PAGES = """
import time

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"].rpartition("/")[2]
    if path == "busy":
        ends = time.thread_time() + 0.002
        while time.thread_time() < ends:
            pass
    elif path == "count":
        session = environ["catalina.session"]
        session["count"] = session.get("count", 0) + 1
        return [str(session["count"]).encode()]
    elif path == "where":
        import os
        return [str(os.getpid()).encode()]
    return [b"hello"]

distributable = True
"""

Maker = Callable[[], Contender]


def ours(
    directory: Path, page: str, workers: int, *, cluster: str = "", source: str = PAGES, browsers: bool = True
) -> Contender:
    """A node of ours, all of its processes in one number; with a cluster a second node in one process."""
    webapp = directory.with_name(f"{directory.name}-app")
    webapp.mkdir()
    (webapp / "wsgi.py").write_text(source)
    nodes = [Node("n1", directory / "n1", cluster=cluster, webapp=webapp, workers=workers)]
    if cluster:
        nodes.append(Node("n2", directory / "n2", cluster=cluster, webapp=webapp))
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    first = nodes[0]
    pids = {"node": first.processes()[1:]}
    if workers > 1:
        pids = {"workers": first.named_processes("catalina-w"), "keeper": first.named_processes("catalina-keeper")}

    def close() -> None:
        for node in nodes:
            node.close()

    cookie = "JSESSIONID" if page == "count" else ""
    name = f"{page}, ours, {workers} workers" + ("" if browsers else ", pool")
    return Contender(name, first.http_port, cookie, pids, close, path=f"/app/{page}", browsers=browsers)


def run(makers: Sequence[Maker], seconds: float, rounds: int) -> dict[str, Contender]:
    """Let the contenders take turns, and print them."""
    contenders: list[Contender] = []
    try:
        contenders += [make() for make in makers]
        for _ in range(rounds):
            for contender in contenders:
                load(contender, 1, count=False)
                load(contender, seconds)
    finally:
        for contender in contenders:
            contender.close()
    print_table(contenders)
    return {contender.name: contender for contender in contenders}


def ratio(found: dict[str, Contender], one: str, other: str, target: float) -> None:
    """Print requests per second of one beside the other."""
    if one in found and other in found:
        print(f"  {one} / {other}: {found[one].rate / found[other].rate:.2f}   target {target}")


def processor_time(contender: Contender) -> float:
    """Microseconds per request, of all processes."""
    return sum(statistics.median(values) for values in contender.cpu_us.values())


class Parts:
    """The parts of this benchmark.

    Args:
        directory: for what the contenders write.
    """

    def __init__(self, directory: Path, seconds: float, rounds: int) -> None:
        self._directory = directory
        self._seconds = seconds
        self._rounds = rounds

    def _run(self, *makers: Maker) -> dict[str, Contender]:
        return run(makers, self._seconds, self._rounds)

    def busy(self) -> None:
        at = self._directory

        def other(name: str, command: list[str]) -> Maker:
            def make() -> Contender:
                contender = served(at / name, name, "pages", command, "")
                contender.path = "/app/busy"
                return contender

            return make

        SOURCES["pages"] = PAGES
        found = self._run(
            lambda: ours(at / "busy1", "busy", 1),
            lambda: ours(at / "busy2", "busy", WORKERS),
            other("gunicorn", gunicorn(WORKERS)),
            other("granian", ["granian", "--interface", "wsgi", "--port", "PORT", "--workers", str(WORKERS),
                              "--blocking-threads", "8", "--log-level", "error", "wsgi:app"]),
        )  # fmt: skip
        ratio(found, "busy, ours, 2 workers", "busy, ours, 1 workers", 1.85)
        ratio(found, "busy, ours, 2 workers", "gunicorn", 1.1)
        ratio(found, "busy, ours, 2 workers", "granian", 1.1)

    def sessions(self) -> None:
        at, port = self._directory, free_port()
        redis = redis_server(port)
        try:
            for framework in ("flask", "django"):
                environment = {"REDIS_PORT": str(port), "DJANGO_ENGINE": "cache"}
                cookie = "session" if framework == "flask" else "sessionid"
                name = f"{framework}, gunicorn, Redis"
                found = self._run(
                    lambda f=framework: ours(at / f"{f}-ours", "count", WORKERS, source=SOURCES[f]),  # type: ignore[misc]
                    lambda f=framework, n=name, c=cookie, e=environment: served(  # type: ignore[misc]
                        at / f"{f}-redis", n, f, gunicorn(WORKERS), c, **e
                    ),
                )
                ratio(found, "count, ours, 2 workers", name, 2.0)
        finally:
            redis.close()

    def counter(self) -> None:
        at = self._directory
        found = self._run(
            lambda: ours(at / "one", "count", 1, cluster=full(free_udp_port(), send_options=8)),
            lambda: ours(at / "two", "count", WORKERS, cluster=full(free_udp_port(), send_options=8)),
        )
        one, two = found["count, ours, 1 workers"], found["count, ours, 2 workers"]
        print(
            f"  processor time per request: {processor_time(two) / processor_time(one):.2f} times   target at most 1.5"
        )

    def browsers(self) -> None:
        contender = ours(self._directory / "browsers", "count", WORKERS)
        try:
            print(f"\nmisplaced behind the first request of 16 connections: {_misplaced(contender)} of 160   target 0")
        finally:
            contender.close()

    def java(self) -> None:
        at = self._directory
        classes = at / "classes"
        classes.mkdir()
        compile_probe(classes, PROJECT / "benchmarks" / "CounterServlet.java")
        found = self._run(
            lambda: ours(at / "java-ours1", "count", 1),
            lambda: ours(at / "java-ours", "count", WORKERS),
            lambda: ours(at / "java-pool", "count", WORKERS, browsers=False),
            lambda: replace(java_pair(at / "java", classes, None), browsers=True),
        )
        ratio(found, "count, ours, 2 workers", "Java Tomcat, no cluster", 0.9)

    def flat(self) -> None:
        at = self._directory
        numbers = (1, 2, 4, 8)
        for browsers in (True, False):
            found = self._run(
                *[lambda n=n, b=browsers: ours(at / f"flat{n}-{b}", "count", n, browsers=b) for n in numbers]
            )  # type: ignore[misc]
            times = {contender.name: processor_time(contender) for contender in found.values()}
            text = ", ".join(f"{name}: {micros:.0f} us" for name, micros in times.items())
            print(f"  {text}   target: flat within 10 % from 2 on, for browsers")


def _misplaced(contender: Contender) -> int:
    """How many of 10 requests on each of 16 connections, behind the first, another process answers than that one."""
    connections = [http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30) for _ in range(16)]

    def get(connection: http.client.HTTPConnection, page: str, cookie: str = "") -> tuple[str, str]:
        connection.request("GET", f"/app/{page}", headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        body = response.read().decode()
        return body, (response.getheader("Set-Cookie") or "").partition(";")[0]

    cookies = [get(connection, "count")[1] for connection in connections]
    misplaced = 0
    for number, connection in enumerate(connections):
        cookie = cookies[(number + 1) % len(cookies)]  # a session that another connection has made
        get(connection, "count", cookie)
        home, _ = get(connection, "where", cookie)
        misplaced += sum(get(connection, "where", cookie)[0] != home for _ in range(10))
    for connection in connections:
        connection.close()
    return misplaced


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="busy,sessions,counter,browsers,java,flat")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    other_python()
    os.environ["PYTHONPATH"] = f"{PROJECT}:{need_frameworks()}"
    directory = Path(tempfile.mkdtemp(prefix="workers-"))
    try:
        for part in arguments.only.split(","):
            getattr(Parts(directory, arguments.seconds, arguments.rounds), part)()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
