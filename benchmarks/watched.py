"""The cost of being watched: the replicated counter with a scrape of /metrics every second and an open cluster page.

    python -m benchmarks.watched [--seconds 5] [--rounds 8]

Two nodes with options 8. In each round the same nodes serve the same load unwatched and watched, in turns. The
processor time that a request costs more while the node is watched is what watching takes: so many percent of one core,
all of which a busy node needs for its requests (target: less than 2). This does not depend on the share of the machine
that the node has got. An idle node's share is printed, too. Needs wrk.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.replication import Contender, cpu_seconds, load
from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, Node, started
from tests.support.ports import free_udp_port

LOGIN = "Basic " + base64.b64encode(b"gui:secret").decode()
REALM = '<Realm className="org.apache.catalina.realm.MemoryRealm"/>'
USERS = '<tomcat-users><user username="gui" password="secret" roles="manager-gui"/></tomcat-users>'
#: Percent of a core that watching may take.
TARGET = 2.0


def prepare(first: Node, second: Node) -> None:
    """The first node has the manager and the metrics."""
    descriptors = first.base / "conf" / "Catalina" / "localhost"
    descriptors.mkdir(parents=True)
    for name in ("manager", "metrics"):
        redirect = ' mapperContextRootRedirectEnabled="false"' if name == "metrics" else ""
        text = f'<Context privileged="true" docBase="{PROJECT}/webapps/{name}"{redirect}/>'
        (descriptors / f"{name}.xml").write_text(text)
    for node in (first, second):
        (node.base / "conf" / "tomcat-users.xml").write_text(USERS)


@contextmanager
def watching(port: int) -> Iterator[list[int]]:
    """A scrape every second, and an open page; yields the bytes that both have read."""
    ended = threading.Event()
    read = [0, 0]

    def scrape() -> None:
        while not ended.wait(1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                read[0] += len(answer.read())

    def look() -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/manager/cluster/events")
        request.add_header("Authorization", LOGIN)
        with urllib.request.urlopen(request, timeout=10) as answer:
            while not ended.is_set():
                read[1] += len(answer.read1(65536))

    threads = [threading.Thread(target=each) for each in (scrape, look)]
    for thread in threads:
        thread.start()
    try:
        yield read
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        assert all(read), f"nothing was watched: {read} bytes of metrics and of the page"


def idle_share(pid: int, seconds: float) -> float:
    """Processor time that a process takes, in percent of one core."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)


def compare(first: Node, seconds: float, rounds: int) -> None:
    pid = first.processes()[-1]

    def close() -> None:
        pass  # main ends the nodes

    unwatched, watched = (
        Contender(name, first.http_port, "JSESSIONID", {"n1": [pid]}, close) for name in ("unwatched", "watched")
    )
    load(unwatched, 3, count=False)
    alone = idle_share(pid, 4 * seconds)
    with watching(first.http_port):
        seen = idle_share(pid, 4 * seconds)
    for number in range(rounds):
        turns: list[Callable[[], None]] = [lambda: load(unwatched, seconds), lambda: _watched(watched, seconds)]
        for turn in turns if number % 2 else turns[::-1]:
            turn()
    pairs = zip(watched.cpu_us["n1"], unwatched.cpu_us["n1"], watched.rates, strict=True)
    taken = [(more - less) * rate / 1e4 for more, less, rate in pairs]
    for each in (unwatched, watched):
        micros = statistics.median(each.cpu_us["n1"])
        print(f"{each.name:12}{each.rate:9.0f} req/s{micros:8.2f} us of processor time per request")
    quartiles = statistics.quantiles(taken, n=4)
    print(f"watching takes {quartiles[1]:.2f} % of a core ({quartiles[0]:.2f} to {quartiles[2]:.2f}, {rounds} rounds)"
          f"   target below {TARGET}")  # fmt: skip
    print(f"idle node: {alone:.2f} % of a core unwatched, {seen:.2f} % watched")


def _watched(contender: Contender, seconds: float) -> None:
    with watching(contender.port):
        load(contender, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    directory = Path(tempfile.mkdtemp(prefix="watched-"))
    cluster, webapp = full(free_udp_port(), send_options=8), PROJECT / "benchmarks" / "counter"
    first, second = (
        Node(name, directory / name, cluster=cluster, webapp=webapp, engine_cluster=REALM) for name in ("n1", "n2")
    )
    prepare(first, second)
    try:
        with started([first, second]):
            compare(first, arguments.seconds, arguments.rounds)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
