"""The node's side of ``catalina drain``, ``undrain``, ``status``, ``sessions``, ``top`` and ``doctor``."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalina.core.standard_context import StandardContext
from catalina.errors import CatalinaError
from catalina.startup.doctor import examine, told
from catalina.startup.node_status import node_status
from catalina.startup.session_safety import session_safety, unsent

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost
    from catalina.core.standard_server import StandardServer

__all__ = ["NodeCommands", "Outcome", "columns"]

Report = Callable[[str, int, int], None]
Arguments = dict[str, Any]

#: Seconds between two checks if a node is drained.
LOOK_SECONDS = 0.1
#: Characters of a session's id that are shown, because anybody with all of them could use the session.
SHOWN_ID = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lines to print, and the exit code of the command."""

    lines: list[str]
    code: int = 0


@dataclass(frozen=True, slots=True)
class NodeCommands:
    """The verbs about the node as a whole, each a method ``do_<verb>``.

    Args:
        server: the running server.
    """

    server: StandardServer

    # -- drain -----------------------------------------------------------------------------------------------------

    def do_drain(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """Answer DOWN to health checks, end connections with their next answer, and bring the sessions to safety.

        With ``wait`` (seconds), wait until no request runs and the other nodes have all changes. The exit code is 1
        when that did not happen, or sessions exist on no other node.
        """
        self.server.drain(True)
        seconds = float(arguments.get("wait") or 0)
        done = self._await_drained(seconds, report) if seconds > 0 else None
        lines = ["draining: health checks say DOWN, connections end with their next answer"]
        if done is not None:
            running = self.server.node_requests
            left = f"{running} requests still run, {unsent(self.server)} bytes are on their way to other nodes"
            lines.append("no request runs, and other nodes know all that they are to know" if done else left)
        rows, lost = [], 0
        for each in session_safety(self.server):
            if each.sessions:
                rows.append((each.name, str(each.sessions), str(each.safe), each.where))
                lost += each.sessions - each.safe
        if rows:
            lines += columns([("APPLICATION", "SESSIONS", "SAFE", "WHERE"), *rows])
        if lost:
            lines.append(f"{lost} sessions are nowhere else: a stop ends them")
        return Outcome(lines, 1 if lost or done is False else 0)

    def _await_drained(self, seconds: float, report: Report) -> bool:
        end, most = time.monotonic() + seconds, 0
        while True:
            running, waiting = self.server.node_requests, unsent(self.server)
            if not running and not waiting:
                return True
            if time.monotonic() >= end:
                return False
            most = max(most, running + waiting)
            report("draining", most - running - waiting, most)
            time.sleep(LOOK_SECONDS)

    def do_undrain(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """Serve as before."""
        self.server.drain(False)
        return Outcome(["health checks say UP again"])

    # -- status ----------------------------------------------------------------------------------------------------

    def do_status(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """How the node is; with ``json`` as JSON. The exit code is 1 when something does not serve."""
        status = node_status(self.server)
        bad = [each for each in status["applications"] if each["state"] == "failed"]
        bad += [each for each in status["connectors"] if each["state"] not in ("started", "draining")]
        lines = [json.dumps(status, indent=1)] if arguments.get("json") else status_lines(status)
        return Outcome(lines, 1 if bad else 0)

    def do_top(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """The data of one frame; the client draws it."""
        return Outcome([json.dumps(node_status(self.server))])

    # -- doctor ----------------------------------------------------------------------------------------------------

    def do_doctor(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """Problems of the node, and a remedy for each; with ``json`` as JSON. Exit code 1 for warnings, 2 for
        errors.
        """
        return Outcome(*told(examine(self.server, report), bool(arguments.get("json"))))

    # -- sessions --------------------------------------------------------------------------------------------------

    def do_sessions(self, host: StandardHost, arguments: Arguments, file: object, report: Report) -> Outcome:
        """Counts for each application, or the sessions of one."""
        name = arguments.get("name")
        if not name:
            rows = [(each.name, str(each.sessions), str(each.safe), each.where) for each in session_safety(self.server)]
            return Outcome(columns([("APPLICATION", "SESSIONS", "SAFE", "WHERE"), *rows]))
        path = str(name) if str(name).startswith("/") else f"/{name}"
        context = host.find_child("" if path == "/" else path)
        if not isinstance(context, StandardContext) or context.manager is None:
            raise CatalinaError(f"no application [{path}] with sessions on host {host.name}")
        sessions = sorted(context.manager.find_sessions(), key=lambda each: each.idle_ms())
        whole = bool(arguments.get("ids"))
        shown = [
            (
                each.id if whole else f"{each.id[:SHOWN_ID]}...",
                _when(each.creation_time_ms),
                _lasting(each.idle_ms() / 1000),
                each.principal.name if each.principal is not None else "",
                " ".join(each.attribute_names()),
            )
            for each in sessions
        ]
        return Outcome(columns([("SESSION", "MADE", "IDLE", "USER", "ATTRIBUTES"), *shown]))


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def status_lines(status: dict[str, Any]) -> list[str]:
    """The status for people."""
    process = status["process"]
    lines = [
        f"{status['version']} on {status['python']}, process {process['pid']}, {status['base']}",
        f"{'DRAINING' if status['draining'] else status['state']} for {_lasting(process['uptime'])}, "
        f"{process['memory'] / 2**20:.0f} MiB, {process['threads']} threads, "
        f"{process['files']} of {process['files_limit']} files",
        "",
        *columns([
            ("CONNECTOR", "STATE", "CONNECTIONS", "RUNNING", "BUSY", "REQUESTS", "ERRORS"),
            *((each["name"], each["state"], str(each["connections"]), str(each["running"]),
               f"{each['busy']}/{each['threads']}", str(each["requests"]), str(each["errors"]))
              for each in status["connectors"]),
        ]),
    ]  # fmt: skip
    if status["applications"]:
        lines += ["", *columns([
            ("HOST", "APPLICATION", "STATE", "SESSIONS", "REQUESTS", "ERRORS", "REASON"),
            *((each["host"], each["path"], each["state"], "-" if each["sessions"] is None else str(each["sessions"]),
               str(each["requests"]), str(each["errors"]), each["reason"]) for each in status["applications"]),
        ])]  # fmt: skip
    for cluster in status["clusters"]:
        rows = [(each["name"], _lasting(each["alive"]), str(each["backlog"])) for each in cluster["members"]]
        head = f"cluster {cluster['name']}, this node is {cluster['self']}"
        lines += ["", f"{head}; no other member is there" if not rows else head]
        if rows:
            lines += columns([("MEMBER", "ALIVE", "BACKLOG"), *rows])
    return lines


def _when(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


def _lasting(seconds: float) -> str:
    return str(datetime.timedelta(seconds=int(max(0.0, seconds))))
