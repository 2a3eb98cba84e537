"""The state of many sessions: how long a node takes to get it, at what cost to the node that gives it, and what a
comparison after a cut costs.

    python -m benchmarks.state [SESSIONS]        300,000 sessions of 1 KiB by default

Two real nodes on loopback, DeltaManager. One makes the sessions, then the other starts, while the first is asked for
sessions one after the other over one connection. Printed are the seconds from the start of the second process to its
first answer, the sessions that are absent then, the first node's answer times meanwhile, and the memory of both: the
peak, less what the node had without sessions, as a multiple of what the sessions took where they were made.

The cut is in one process, two managers on a network that counts bytes: a third of the sessions, 1 % of which change
while nothing arrives, against the bytes of the whole state.
"""

from __future__ import annotations

import http.client
import re
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.ha.cut import bytes_after_a_cut
from tests.support.ports import free_udp_port

TIMEOUT = 300.0
#: Seconds between two requests to the node that gives the state.
PAUSE = 0.005
VALUE_BYTES = 1024


def memory(node: Node, kind: str) -> int:
    """Bytes of a node's worker: ``VmRSS`` now, ``VmHWM`` at its peak."""
    found = re.search(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{node.processes()[-1]}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def forget_peak(node: Node) -> None:
    """From now on ``VmHWM`` counts anew."""
    Path(f"/proc/{node.processes()[-1]}/clear_refs").write_text("5")


class Client(threading.Thread):
    """Asks a node for sessions, one after the other, until it is told to stop."""

    def __init__(self, node: Node, ids: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection(node.address, node.http_port, timeout=30)
        self._ids = ids
        self._enough = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        number = 0
        while not self._enough.wait(PAUSE):
            number += 1
            began = time.monotonic()
            self._connection.request(
                "GET", "/app/show", headers={"Cookie": f"JSESSIONID={self._ids[number % len(self._ids)]}"}
            )
            self._connection.getresponse().read()
            self.seconds.append(time.monotonic() - began)

    def stop(self) -> list[float]:
        """The answer times, the shortest first."""
        self._enough.set()
        self.join()
        self._connection.close()
        return sorted(self.seconds)


def first_answer(node: Node, began: float) -> float:
    """Seconds from ``began`` to the first answer of the application, asked for all the time."""
    while True:
        try:
            if node.get("/show", timeout=TIMEOUT).status == 200:
                return time.monotonic() - began
        except OSError:
            if time.monotonic() - began > TIMEOUT:
                raise
        time.sleep(0.02)


def start_with_state(directory: Path, count: int) -> None:
    cluster = full(free_udp_port())
    giver, taker = Node("a", directory / "a", cluster=cluster), Node("b", directory / "b", cluster=cluster)
    try:
        giver.start()
        empty = memory(giver, "VmRSS")
        ids = [str(each.session_id) for each in giver.get_many([(f"/fill?bytes={VALUE_BYTES}", None)] * count)]
        forget_peak(giver)
        sessions = memory(giver, "VmRSS") - empty
        client = Client(giver, ids)
        client.start()
        began = time.monotonic()
        taker.start(wait=False)
        seconds = first_answer(taker, began)
        times = client.stop()
        peaks = [(memory(node, "VmHWM") - empty) / sessions for node in (giver, taker)]
        absent = sum(answer.json["new"] for answer in taker.get_many([("/show", each) for each in ids]))
    finally:
        giver.close()
        taker.close()
    print(f"{count:,} sessions of {VALUE_BYTES} bytes, {sessions / count:,.0f} bytes each where they were made")
    print(f"  first answer of the node that starts   {seconds:7.1f} s, {absent} sessions absent")
    print(f"  answers of the node that gives         p99 {times[int(len(times) * 0.99)] * 1000:.1f} ms, "
          f"longest {times[-1] * 1000:.1f} ms of {len(times)}")  # fmt: skip
    print(f"  peak memory, sessions alone are 1      {peaks[0]:.2f} where they were, {peaks[1]:.2f} where they came")


def main(words: Sequence[str]) -> None:
    count = int(words[0]) if words else 300_000
    with tempfile.TemporaryDirectory(prefix="bench-state-") as name:
        start_with_state(Path(name), count)
    part = count // 3
    compared, whole = bytes_after_a_cut([f"S{number}" for number in range(part)], VALUE_BYTES, part // 100)
    print(f"{part:,} sessions, 1 % changed during a cut: {compared:,} bytes, {compared / whole:.2%} of the whole state")


if __name__ == "__main__":
    main(sys.argv[1:])
