"""The status pages: HTML for people, XML and JSON for monitoring (Tomcat: manager/StatusManagerServlet.java)."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Iterable
from typing import Any

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.page import Html, Links, html_answer, liveness, manager_pages, page, table
from catalina.manager.status import STAGES, WORKER, ConnectorStatus, ContextStatus, Status, java_date, read_status
from catalina.manager.status import to_json as json_of
from catalina.manager.status import to_xml as xml_of
from catalina.manager.status_history import StatusHistory
from catalina.util.server_info import SERVER_INFO
from catalina.webapp import send_error

__all__ = ["StatusManagerServlet"]


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
