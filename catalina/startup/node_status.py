"""The state of a running node as plain data, for ``catalina status`` and ``catalina top``."""

from __future__ import annotations

import gc
import os
import platform
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.startup.session_safety import clusters_of, contexts_of
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer

__all__ = ["STATUS", "node_status"]

#: The service of a worker that tells its status to the keeper.
STATUS = "status"
#: Counts of a connector that are the sums of its counts in the workers.
CONNECTOR_SUMS = (
    "connections", "running", "busy", "threads", "waiting", "requests", "errors", "sent", "received", "time_ms",
)  # fmt: skip
#: Number of requests that the report names; it starts with the longest.
MAX_SLOW = 10
_TICKS = os.sysconf("SC_CLK_TCK")


def node_status(server: StandardServer) -> dict[str, Any]:
    """The whole report, in JSON's types. Counters count from the start; times are seconds, unless the name ends in
    ``_ms``.
    """
    connectors = [connector for service in server.services for connector in service.connectors]
    status: dict[str, Any] = {
        "version": SERVER_INFO,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "base": str(server.catalina_base),
        "state": server.state.label,
        "draining": server.draining,
        "now": time.time(),
        "process": _process(),
        "connectors": [_connector(connector) for connector in connectors],
        "applications": [_application(context) for context in contexts_of(server)],
        "slow": _slow(server),
        "clusters": [_cluster(cluster) for cluster in clusters_of(server)],
    }
    elsewhere = None if server.role is None else server.role.elsewhere
    if elsewhere is not None:
        _add_workers(status, elsewhere.ask_all(STATUS))
    return status


def _add_workers(status: dict[str, Any], workers: Mapping[int, dict[str, Any]]) -> None:
    """Add to the keeper's status what requests do in the workers."""
    parts = list(workers.values())
    status["workers"] = [{"worker": number, **part["process"]} for number, part in workers.items()]
    for mine in status["connectors"]:
        same = [each for part in parts for each in part["connectors"] if each["name"] == mine["name"]]
        if same:
            _sum(mine, same, CONNECTOR_SUMS)
            times = Counter[str]()
            for each in same:
                times.update(each["times"])
            mine["times"] = dict(sorted(times.items(), key=lambda each: int(each[0])))
            mine["state"] = next((each["state"] for each in same if each["state"] != "started"), "started")
    for mine in status["applications"]:
        place = mine["host"], mine["path"]
        same = [each for part in parts for each in part["applications"] if (each["host"], each["path"]) == place]
        _sum(mine, same, ("requests", "errors", "running"))
    slow = (each for part in parts for each in part["slow"])
    status["slow"] = sorted(slow, key=lambda each: each["seconds"], reverse=True)[:MAX_SLOW]


def _sum(target: dict[str, Any], sources: Sequence[Mapping[str, Any]], names: Iterable[str]) -> None:
    for name in names:
        target[name] = sum(each[name] for each in sources)


def _process() -> dict[str, Any]:
    with open("/proc/self/statm", "rb") as source:
        resident = int(source.read().split()[1]) * resource.getpagesize()
    with open("/proc/self/stat", "rb") as source:
        began = int(source.read().rpartition(b")")[2].split()[19]) / _TICKS
    return {
        "pid": os.getpid(),
        "uptime": time.clock_gettime(time.CLOCK_BOOTTIME) - began,
        "memory": resident,
        "cpu": time.process_time(),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "files_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "collections": sum(generation["collections"] for generation in gc.get_stats()),
    }


def _connector(connector: Connector) -> dict[str, Any]:
    info = connector.request_info
    running = connector.endpoint if connector.state.available else None
    return {
        "name": connector.name,
        "state": "draining" if connector.draining else connector.state.label.lower(),
        "connections": len(running.connections) if running is not None else 0,
        "running": running.running if running is not None else 0,
        "busy": running.executor.busy if running is not None else 0,
        "threads": running.executor.max_threads if running is not None else 0,
        "waiting": running.executor.waiting if running is not None else 0,
        "requests": info.request_count,
        "errors": info.error_count,
        "sent": info.bytes_sent,
        "received": info.bytes_received,
        "time_ms": info.processing_time,
        "times": {str(bucket): count for bucket, count in sorted(info.times().items())},
    }


def _application(context: StandardContext) -> dict[str, Any]:
    manager = context.manager
    requests = [wrapper.requests for wrapper in context.wrappers.values()]
    return {
        "host": context.host.name,
        "path": context.name or "/",
        "state": "running" if context.state.available else "failed" if context.failure else "stopped",
        "reason": context.failure,
        "sessions": manager.active_sessions if manager is not None and context.state.available else None,
        "requests": sum(each.request_count for each in requests),
        "errors": sum(each.error_count for each in requests),
        "running": context.in_progress.count,
    }


def _slow(server: StandardServer) -> list[dict[str, Any]]:
    """The requests in progress, the longest first."""
    now = time.monotonic_ns()
    found: list[dict[str, Any]] = []
    for context in contexts_of(server):
        for request in list(context.in_progress.inside):
            seconds = (now - request.start_time_ns) / 1e9
            what = f"{request.method} {request.request_uri}"
            found.append({"seconds": seconds, "request": what, "client": request.remote_addr})
    found.sort(key=lambda each: each["seconds"], reverse=True)
    return found[:MAX_SLOW]


def _cluster(cluster: SimpleTcpCluster) -> dict[str, Any]:
    traffic = cluster.traffic()
    local = cluster.local_member
    members = []
    for member in cluster.members:
        given, done = traffic.get(member, (0, 0))
        members.append(
            {"name": member.name, "alive": member.alive_ms / 1000, "given": given, "backlog": max(0, given - done)}
        )
    return {"name": cluster.name, "self": local.name if local is not None else "", "members": members}
