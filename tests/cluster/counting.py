"""Clients that count in their sessions, and tell what was lost."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Callable

from tests.support.waiting import take_time

__all__ = ["CountingClients"]


class CountingClients:
    """Clients, each with a session of its own, that count up in it over connections that come and go.

    A request that is broken off may have counted or not; every answer must be the number after the last one, or after
    those that may have counted.

    Args:
        port: of each node; a client whose request fails goes to the next one.
        path: counts, and answers the count as text in front of a space.
    """

    def __init__(self, ports: list[int], path: str, clients: int = 8) -> None:
        self.answers = 0
        self.broken_off = 0
        #: Faults, in words.
        self.faults: list[str] = []
        self._ports = ports
        self._path = path
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def run_while(self, work: Callable[[], object]) -> None:
        """Count until ``work`` is done."""
        for thread in self._threads:
            thread.start()
        try:
            work()
        finally:
            self._ends.set()
            for thread in self._threads:
                thread.join()

    def _run(self, number: int) -> None:
        client = _Client(self._path)
        chance = random.Random(number)
        port = number
        while not self._ends.is_set():
            try:
                fault = client.request(self._ports[port % len(self._ports)], new_connection=chance.random() < 0.1)
            except (OSError, http.client.HTTPException):
                self.broken_off += 1
                client.unsure += 1
                client.disconnect()
                port += 1
                take_time(0.01)  # a refused connection would come back at once
                continue
            self.answers += 1
            if fault:
                self.faults.append(f"client {number}: {fault}")
        client.disconnect()


class _Client:
    def __init__(self, path: str) -> None:
        self.unsure = 0
        self._path = path
        self._cookie = ""
        self._count = 0
        self._connection: http.client.HTTPConnection | None = None
        self._port = 0

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, port: int, *, new_connection: bool) -> str:
        """One request; what is wrong with its answer, empty for nothing."""
        if new_connection or port != self._port:
            self.disconnect()
        if self._connection is None:
            self._connection, self._port = http.client.HTTPConnection("127.0.0.1", port, timeout=30), port
        self._connection.request("GET", self._path, headers={"Cookie": self._cookie} if self._cookie else {})
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            return f"status {response.status}: {body[:200]!r}"
        count = int(body.split()[0])
        cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
        expected, unsure = self._count + 1, self.unsure
        is_lost = bool(self._cookie) and not expected <= count <= expected + unsure
        self._count, self.unsure = count, 0
        self._cookie = cookie or self._cookie
        return f"expected {expected}, or up to {unsure} more, got {count}" if is_lost else ""
