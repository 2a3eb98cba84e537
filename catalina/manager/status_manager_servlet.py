"""The status pages: HTML for people, XML and JSON for monitoring (Tomcat: manager/StatusManagerServlet.java)."""

from __future__ import annotations

import itertools
import os
import platform
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.charts import Line, charts, line_chart
from catalina.manager.page import Html, Links, html_answer, liveness, manager_pages, page, table
from catalina.manager.status import STAGES, WORKER, ConnectorStatus, ContextStatus, Status, java_date, read_status
from catalina.manager.status import to_json as json_of
from catalina.manager.status import to_xml as xml_of
from catalina.manager.words import number, size
from catalina.util.server_info import SERVER_INFO
from catalina.webapp import send_error

__all__ = ["StatusHistory", "StatusManagerServlet"]
#: Seconds that the charts show, and the least number of seconds between two samples, which bounds their number.
WINDOW_SECONDS, STEP_SECONDS = 600.0, 1.0
#: Seconds between two samples from which on no line is drawn between them, because nobody has looked.
GAP_SECONDS = 90.0
#: Lines of one chart.
MAX_LINES = 8

Numbers = dict[str, float]


class _Sample(NamedTuple):
    at: float
    connectors: dict[str, Numbers]
    memory: Numbers


class StatusHistory:
    """The numbers of the status page over the last minutes, with a sample for each request of the page in any form. Any
    thread.

    Args:
        clock: seconds that pass evenly.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[_Sample] = deque(maxlen=int(WINDOW_SECONDS / STEP_SECONDS))

    def note(self, status: Status) -> None:
        """Keep the numbers of a status that was just read."""
        now = self._clock()
        with self._lock:
            while self._samples and now - self._samples[0].at > WINDOW_SECONDS:
                self._samples.popleft()
            if self._samples and now - self._samples[-1].at < STEP_SECONDS:
                return
            connectors = {each.name: _numbers(each.threads, each.requests) for each in status.connectors[:MAX_LINES]}
            memory = {name: float(usage["used"]) for name, _, usage in status.pools[:MAX_LINES]}
            self._samples.append(_Sample(now, connectors, memory))

    def charts(self) -> Html:
        """The charts as of now."""
        with self._lock:
            samples = tuple(self._samples)
        drawn = [
            line_chart(title, self._lines(samples, value), told, "ten minutes") for title, value, told in _CHARTS
        ]  # fmt: skip
        return charts(drawn)

    def _lines(self, samples: Sequence[_Sample], value: _Value) -> list[Line]:
        now = self._clock()
        names = dict.fromkeys(name for sample in samples for name in value.names(sample))
        lines = []
        for colour, name in enumerate(names):
            points: list[tuple[float, float] | None] = []
            for before, sample in itertools.pairwise(samples):
                found = value.of(before, sample, name) if sample.at - before.at <= GAP_SECONDS else None
                points.append(None if found is None else (1 - (now - sample.at) / WINDOW_SECONDS, found))
            newest = points[-1] if points else None
            lines.append(Line(name, colour, points, newest[1] if newest is not None else None))
        return lines


def _numbers(threads: Mapping[str, Any], requests: Mapping[str, Any]) -> Numbers:
    found = {"busy": threads.get("currentThreadsBusy")}
    found |= {name: requests.get(name) for name in ("requestCount", "errorCount", "processingTime", "bytesSent")}
    return {name: float(value) for name, value in found.items() if value is not None}


class _Value(NamedTuple):
    """A number of a chart: the names that have one in a sample, and its value from two samples; None: it has none."""

    names: Callable[[_Sample], Sequence[str]]
    of: Callable[[_Sample, _Sample, str], float | None]


def _names(sample: _Sample) -> Sequence[str]:
    return list(sample.connectors)


def _step(before: _Sample, sample: _Sample, name: str, key: str) -> float | None:
    """The growth of a counter; None when it is not in both samples, or began anew."""
    old, new = before.connectors.get(name, {}).get(key), sample.connectors.get(name, {}).get(key)
    return new - old if old is not None and new is not None and new >= old else None


def _rate(key: str) -> _Value:
    def of(before: _Sample, sample: _Sample, name: str) -> float | None:
        grown = _step(before, sample, name, key)
        return None if grown is None else grown / (sample.at - before.at)

    return _Value(_names, of)


def _mean(before: _Sample, sample: _Sample, name: str) -> float | None:
    took, requests = (_step(before, sample, name, key) for key in ("processingTime", "requestCount"))
    return took / requests if took is not None and requests else None


_CHARTS: tuple[tuple[str, _Value, Callable[[float], str]], ...] = (
    ("Requests per second", _rate("requestCount"), number),
    ("Errors per second", _rate("errorCount"), number),
    ("Mean time of a request", _Value(_names, _mean), lambda value: f"{value:,.1f} ms"),
    ("Busy threads", _Value(_names, lambda _, sample, name: sample.connectors.get(name, {}).get("busy")),
     lambda value: number(int(value))),
    ("Sent per second", _rate("bytesSent"), size),
    ("Memory used", _Value(lambda sample: list(sample.memory), lambda _, sample, name: sample.memory.get(name)), size),
)  # fmt: skip


class StatusManagerServlet(ContainerServlet):
    """``/status``, and ``/status/all`` with applications and servlets; ``?XML=true`` and ``?JSON=true``."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._history = StatusHistory(time.monotonic)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            asked = Asked(environ, "manager/status")
        except Refused as refused:
            return send_error(environ, start_response, 400, str(refused))
        complete = asked.command == "/all"
        server = self.wrapper.context.server
        if server is None:
            return send_error(environ, start_response, 503)
        status = read_status(server.mbeans, complete)
        self._history.note(status)
        if asked.flag("JSON"):
            return _answer(start_response, "application/json", json_of(status, complete))
        if asked.flag("XML"):
            return _answer(start_response, "text/xml", xml_of(status, environ["catalina.context"].context_path))
        return html_answer(start_response, _page(status, self._history.charts(), Links(environ), complete))


def _answer(start_response: StartResponse, kind: str, text: str) -> list[bytes]:
    body = text.encode()
    start_response("200 OK", [("Content-Type", f"{kind};charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


def _page(status: Status, charts: Html, links: Links, complete: bool) -> bytes:
    system = os.uname()
    parts = [
        charts,
        table(
            "Server",
            ["Version", "Python", "Operating system", "Architecture", "Host name", "Address"],
            [(SERVER_INFO, f"{platform.python_implementation()} {platform.python_version()}",
              f"{system.sysname} {system.release}", system.machine, system.nodename, _address())],
        ),
        table(
            "Memory",
            ["Pool", "Type", "Total", "Maximum", "Used"],
            [(name, kind, _size(usage["committed"]), _size(usage["max"]), _size(usage["used"]))
             for name, kind, usage in status.pools],
        ),
        *map(_connector, status.connectors),
        *map(_context, status.contexts),
    ]  # fmt: skip
    title, path = ("Complete Server Status", "/all") if complete else ("Server Status", "")
    address = f"{links.base}/status{path}"
    content = liveness("poll", address, address, time.time()) + Html('<div id="live">{}</div>').format(
        Html("").join(parts)
    )
    return page(links, title, manager_pages(links), content, "live.js")


def _address() -> str:
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "-"


def _connector(connector: ConnectorStatus) -> Html:
    threads, requests = connector.threads, connector.requests
    facts = [
        ("Threads at most", threads.get("maxThreads", "")),
        ("Threads", threads.get("currentThreadCount", "")),
        ("Busy", threads.get("currentThreadsBusy", "")),
        ("Requests", requests.get("requestCount", "")),
        ("Errors", requests.get("errorCount", "")),
        ("Longest", _ms(requests.get("maxTime"))),
        ("In all", _ms(requests.get("processingTime"))),
        ("Received", _size(requests.get("bytesReceived"))),
        ("Sent", _size(requests.get("bytesSent"))),
    ]
    content = table(connector.name, [name for name, _ in facts], [[value for _, value in facts]])
    if connector.workers:
        rows = [[STAGES.get(worker.get("stage", -1), ("?", False))[0], *(worker.get(name, "") for name in WORKER)]
                for worker in connector.workers]  # fmt: skip
        heads = ["Stage", "Time", "Sent", "Received", "Client", "Host", "Method", "URI", "Query", "Protocol"]
        content += table("Requests under way", heads, rows)
    return content


def _context(context: ContextStatus) -> Html:
    facts = [context.facts.get("stateName", "")]
    if "startTime" in context.facts:
        facts.append(f"since {java_date(context.facts['startTime'])}")
    if context.manager is not None:
        manager: Any = context.manager
        facts.append(
            f"sessions: {manager.get('activeSessions', 0)} now, {manager.get('maxActive', 0)} at most, "
            f"{manager.get('sessionCounter', 0)} made, {manager.get('expiredSessions', 0)} ended, "
            f"{manager.get('rejectedSessions', 0)} refused"
        )
    rows = [
        (name, " ".join(context.mappings.get(name, ())), numbers.get("requestCount", ""), numbers.get("errorCount", ""),
         _ms(numbers.get("processingTime")), _ms(numbers.get("maxTime")), _ms(numbers.get("loadTime")))
        for name, numbers in context.servlets.items()
    ]  # fmt: skip
    heads = ["Servlet", "Mapped to", "Requests", "Errors", "In all", "Longest", "Loaded in"]
    return Html('<h2 id="{0}">{0}</h2><p>{1}</p>{2}').format(
        context.name, "; ".join(map(str, facts)), table(f"Servlets of {context.name}", heads, rows)
    )


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value:,} ms"


def _size(value: int | None) -> str:
    return "" if value is None or value < 0 else f"{value / 2**20:.2f} MiB"
