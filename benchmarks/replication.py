"""Requests per second of a replicated counter: ours, the Java Tomcat pair, and Flask with sessions in Redis.

    python benchmarks/replication.py [--seconds 6] [--rounds 3] [--only ours,java,flask] [--json FILE]

One session attribute is changed by every request; 16 keep-alive connections, 64 sessions, all requests to the first of
two nodes on loopback. DeltaManager with options 8 (asynchronous) and 6 (the answer waits until the other node has
applied the change), BackupManager with options 6 (``backup``), and no cluster. The contenders take turns in every
round, so that a busy machine is busy for all of them; the medians are
printed, with ratios, CPU time per request on both nodes, and what each stage of our request costs.

Needs: wrk, redis-server, Java with Tomcat 10.1's jars (Debian: wrk redis-server tomcat10-common default-jdk-headless).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks import stages  # noqa: E402 -- the project is on the path now
from tests.cluster.clusters import full  # noqa: E402
from tests.cluster.node import Node  # noqa: E402
from tests.interop.java_tomcat import JavaTomcat, compile_probe  # noqa: E402
from tests.support.ports import free_port, free_udp_port  # noqa: E402

CONNECTIONS = 16
SESSIONS = 64
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

#: Each thread of wrk takes every ``step``-th cookie. With one thread each session comes on any connection; with a
#: thread for each connection, a connection has sessions of its own.
_LUA = """
local cookies = {{{cookies}}}
local threads = 0
local number = nil
setup = function(thread)
  thread:set("first", threads)
  threads = threads + 1
end
request = function()
  number = number and number + {step} or first
  if number >= #cookies then number = first % #cookies end
  return wrk.format("GET", "{path}", {{["Cookie"] = cookies[number + 1]}})
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""

_FLASK = """
import os, redis
from flask import Flask, session
from flask_session import Session
app = Flask(__name__)
app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis(port=int(os.environ["REDIS_PORT"])))
Session(app)

@app.get("/app/count")
def count():
    count = session["count"] = session.get("count", 0) + 1
    return str(count), 200, {"Content-Type": "text/plain"}
"""


@dataclass
class Contender:
    """Somebody who serves ``/app/count``.

    ``pids`` are the processes whose CPU time counts, by what they are called in the table. With ``browsers`` each
    connection has sessions of its own; otherwise all sessions come on all connections, as from a balancer's pool.
    """

    name: str
    port: int
    cookie_name: str
    pids: dict[str, list[int]]
    close: Callable[[], None]
    rates: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0
    path: str = "/app/count"
    browsers: bool = False

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def cookies_of(contender: Contender) -> list[str]:
    """The cookies of :data:`SESSIONS` new sessions, made on as many connections as the load has, in turn, so that each
    worker of a node gets some; an empty one for a page without a session.
    """
    import http.client

    if not contender.cookie_name:
        return [""]
    found = []
    connections = [http.client.HTTPConnection("127.0.0.1", contender.port, timeout=10) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.connect()
    for number in range(SESSIONS):
        connection = connections[number % CONNECTIONS]
        connection.request("GET", contender.path)
        response = connection.getresponse()
        response.read()
        found.append((response.getheader("Set-Cookie") or "").partition(";")[0])
    for connection in connections:
        connection.close()
    assert all(cookie.startswith(contender.cookie_name) for cookie in found), found[:2]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


def load(contender: Contender, seconds: float, count: bool = True) -> None:
    """One run of wrk; with ``count`` it goes into the contender's numbers."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        quoted = ", ".join(json.dumps(cookie) for cookie in cookies_of(contender))
        threads = CONNECTIONS if contender.browsers else 1
        script.write(_LUA.format(cookies=quoted, path=contender.path, step=threads))
        script.flush()
        before = {name: sum(map(cpu_seconds, pids)) for name, pids in contender.pids.items()}
        command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "-s", script.name]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{contender.port}"], capture_output=True, text=True, check=True
        )
    result = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert result, done.stdout + done.stderr
    requests, micros, p50, p99, bad, failed = map(int, result.groups())
    if not count:
        return
    contender.errors += bad + failed
    contender.rates.append(requests * 1e6 / micros)
    contender.p50_ms.append(p50 / 1000)
    contender.p99_ms.append(p99 / 1000)
    for name, pids in contender.pids.items():
        used = sum(map(cpu_seconds, pids)) - before[name]
        contender.cpu_us.setdefault(name, []).append(used * 1e6 / requests)


#: Options of DeltaManager's messages, BackupManager, or no cluster.
Options = int | str | None
BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager" mapSendOptions="6"/>'


def cluster_of(options: Options, receiver_port: int | None = None) -> str:
    """The ``<Cluster>`` element, empty for none."""
    if options is None:
        return ""
    ports = {} if receiver_port is None else {"receiver_port": receiver_port}
    if isinstance(options, str):
        return full(free_udp_port(), send_options=6, manager=BACKUP, **ports)
    return full(free_udp_port(), send_options=options, **ports)


def our_pair(directory: Path, options: Options) -> Contender:
    """Two nodes of ours; one without a cluster when ``options`` is None."""
    cluster = cluster_of(options)
    names = ["n1"] if options is None else ["n1", "n2"]
    webapp = PROJECT / "benchmarks" / "counter"
    nodes = [Node(name, directory / name, cluster=cluster, webapp=webapp) for name in names]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    pids = {node.name: node.processes()[-1:] for node in nodes}

    def close() -> None:
        for node in nodes:
            node.close()

    return Contender(f"ours, {label(options)}", nodes[0].http_port, "JSESSIONID", pids, close)


def java_pair(directory: Path, classes: Path, options: Options) -> Contender:
    """The same with Java Tomcat 10.1, its JVM unrestrained."""
    cluster = cluster_of(options, receiver_port=4200)
    names = ["j1"] if options is None else ["j1", "j2"]
    web_xml = (PROJECT / "benchmarks/counter/WEB-INF/web.xml").read_text()
    web_xml = web_xml.replace("counter:application", "CounterServlet")
    nodes = [
        JavaTomcat(name, directory / name, classes, cluster=cluster, web_xml=web_xml, jvm="-Xmx512m") for name in names
    ]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    pids = {node.name: [node.process.pid] for node in nodes if node.process is not None}

    def close() -> None:
        for node in nodes:
            node.close()

    contender = Contender(f"Java Tomcat, {label(options)}", nodes[0].http_port, "JSESSIONID", pids, close)
    load(contender, 8, count=False)  # its compiler needs some thousand requests
    return contender


def label(options: Options) -> str:
    return "no cluster" if options is None else "BackupManager" if options == "backup" else f"options {options}"


def flask_redis(directory: Path) -> Contender:
    """gunicorn (gthread, one worker, 8 threads) with Flask, Flask-Session and Redis."""
    python = flask_environment()
    directory.mkdir()
    (directory / "counter.py").write_text(_FLASK)
    redis_port, port = free_port(), free_port()
    redis = subprocess.Popen(
        ["redis-server", "--port", str(redis_port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    server = subprocess.Popen(
        [python, "-m", "gunicorn", "-k", "gthread", "--threads", "8", "-w", "1", "-b", f"127.0.0.1:{port}",
         "--keep-alive", "60", "--log-level", "error", "counter:app"],
        cwd=directory, env=dict(os.environ, REDIS_PORT=str(redis_port)),
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while True:
        try:
            probe = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/app/count"],
                capture_output=True, text=True, timeout=5,
            )  # fmt: skip
            if probe.stdout == "200":
                break
        except subprocess.TimeoutExpired:
            pass  # not yet: the deadline decides
        assert time.monotonic() < deadline, "Flask did not start"
        time.sleep(0.1)
    worker = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])

    def close() -> None:
        for process in (server, redis):
            process.terminate()
            process.wait(10)

    return Contender("gunicorn + Flask + Redis", port, "session", {"app": [worker], "redis": [redis.pid]}, close)


def flask_environment() -> str:
    """The Python of a virtual environment with Flask-Session, made once and kept."""
    home = Path(tempfile.gettempdir()) / "catalina-benchmark-flask"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        packages = ["flask", "flask-session", "redis", "gunicorn", "msgspec"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return str(python)


def idle_memory(contender: Contender) -> float:
    """Resident MiB of the first process."""
    pid = next(iter(contender.pids.values()))[0]
    kib = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kib[1]) / 1024 if kib else 0.0


def print_table(contenders: list[Contender]) -> None:
    print(f"\n{'':34}{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}  CPU us per request   errors")
    for each in contenders:
        cpu = ", ".join(f"{name} {statistics.median(values):.0f}" for name, values in each.cpu_us.items())
        p50, p99 = statistics.median(each.p50_ms), statistics.median(each.p99_ms)
        print(f"{each.name:34}{each.rate:9.0f}{p50:8.2f}{p99:8.2f}  {cpu:20} {each.errors}")


def print_ratios(contenders: list[Contender]) -> None:
    rates = {each.name: each.rate for each in contenders}
    print("\nratios")
    for ours, other, target in (
        ("ours, options 8", "gunicorn + Flask + Redis", 5.0),
        ("ours, options 6", "gunicorn + Flask + Redis", 5.0),
        ("ours, options 8", "Java Tomcat, options 8", 1.0),
        ("ours, options 6", "Java Tomcat, options 6", 1.0),
        ("ours, BackupManager", "Java Tomcat, BackupManager", 1.0),
        ("ours, no cluster", "Java Tomcat, no cluster", None),
    ):
        if ours in rates and other in rates:
            goal = f"   target {target:.1f}" if target else ""
            print(f"  {ours:20} / {other:28} {rates[ours] / rates[other]:6.2f}{goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="ours,java,flask")
    parser.add_argument("--options", default="8,6,backup,none", help="of 8, 6, backup, none")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    only = set(arguments.only.split(","))
    words = {"none": None, "backup": "backup"}
    chosen: list[Options] = [words[word] if word in words else int(word) for word in arguments.options.split(",")]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    directory = Path(tempfile.mkdtemp(prefix="replication-"))
    contenders: list[Contender] = []
    try:
        makers: list[Callable[[], Contender]] = []
        if "ours" in only:
            makers += [lambda o=o: our_pair(directory / f"ours{o}", o) for o in chosen]  # type: ignore[misc]
        if "java" in only:
            classes = directory / "classes"
            classes.mkdir()
            compile_probe(classes, PROJECT / "benchmarks" / "CounterServlet.java")
            makers += [lambda o=o: java_pair(directory / f"java{o}", classes, o) for o in chosen]  # type: ignore[misc]
        if "flask" in only:
            makers.append(lambda: flask_redis(directory / "flask"))
        for make in makers:
            contenders.append(make())
            print(f"{contenders[-1].name}: {idle_memory(contenders[-1]):.0f} MiB resident", flush=True)
        for number in range(arguments.rounds):
            for contender in contenders:
                load(contender, 1, count=False)
                load(contender, arguments.seconds)
                print(f"round {number + 1}: {contender.name}: {contender.rates[-1]:.0f} req/s", flush=True)
    finally:
        for contender in contenders:
            contender.close()
        shutil.rmtree(directory, ignore_errors=True)
    print_table(contenders)
    print_ratios(contenders)
    numbers = stages.measure()
    print("\nmicroseconds per stage of our request (in one process, nothing else running in it)")
    for name, micros in numbers.items():
        print(f"  {name:60} {micros:6.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(contenders, numbers), indent=1))


def as_json(contenders: list[Contender], numbers: dict[str, float]) -> dict[str, Any]:
    return {
        "contenders": {
            each.name: {
                "requests_per_second": each.rate,
                "p50_ms": statistics.median(each.p50_ms),
                "p99_ms": statistics.median(each.p99_ms),
                "cpu_us": {name: statistics.median(values) for name, values in each.cpu_us.items()},
                "errors": each.errors,
            }
            for each in contenders
        },
        "stages_us": numbers,
    }


if __name__ == "__main__":
    main()
