"""Metrics in the text format of Prometheus, from the beans.

The names are those that Prometheus' exporter for JMX gives with the rules for Tomcat that are in use everywhere
(``tomcat_requestcount_total``, ``tomcat_threadpool_currentthreadsbusy`` ...), so that existing dashboards work, and
``jvm_`` names if Python has such a value. Metrics without a counterpart in Tomcat begin with ``catalina_``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.session import session_message
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName, unquote
from catalina.mbeans.registry import Registry

__all__ = ["CONTENT_TYPE", "cluster_samples", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Name, kind (counter or gauge), help, labels, value.
Sample = tuple[str, str, str, Mapping[str, str], float]

#: Attributes of GlobalRequestProcessor and Servlet.
REQUEST_ATTRIBUTES = {
    "requestCount": ("counter", "Requests that were answered"),
    "errorCount": ("counter", "Answers that were errors"),
    "processingTime": ("counter", "Milliseconds that requests took, all together"),
    "maxTime": ("gauge", "Milliseconds of the longest request"),
    "bytesReceived": ("counter", "Bytes of the bodies of requests"),
    "bytesSent": ("counter", "Bytes of the bodies of answers"),
}
POOL_ATTRIBUTES = {
    "currentThreadCount": "Threads of the loop, which all connectors share",
    "currentThreadsBusy": "Requests that hold a thread",
    "maxThreads": "Requests that may hold a thread",
    "keepAliveCount": "Connections on which no request runs",
    "connectionCount": "Connections that are open",
    "queueSize": "Requests that wait for a thread",
}
SESSION_ATTRIBUTES = {
    "sessionCounter": ("_total", "counter", "Sessions that were made"),
    "expiredSessions": ("_total", "counter", "Sessions that ended for idleness or by the application"),
    "rejectedSessions": ("_total", "counter", "Sessions that were not made because there are too many"),
    "processingTime": ("_total", "counter", "Milliseconds that looking for sessions to end has taken"),
    "activeSessions": ("", "gauge", "Sessions that there are now"),
    "maxActive": ("", "gauge", "Most sessions that there were at once"),
}
DATA_SOURCE_ATTRIBUTES = {
    "numActive": "Connections in use",
    "numIdle": "Connections that wait for use",
    "maxTotal": "Connections that there may be",
}
_CONNECTOR = re.compile(
    r'"?(?P<protocol>https-[a-z]+-nio|[a-z]+-nio)-(?:(?P<address>.+?)-)??(?:auto-1-)?(?P<port>\d+)"?'
)
#: A metric that must not occur twice with one name and labels.
Key = tuple[str, tuple[tuple[str, str], ...]]
#: Label of a message's kind, as Tomcat's counters are called -> its number.
EVENTS = {name.removeprefix("EVT_").lower(): getattr(session_message, name)
          for name in dir(session_message) if name.startswith("EVT_")}  # fmt: skip


def exposition(registry: Registry) -> str:
    """All metrics, each family once, in the order of its first sample."""
    families: dict[str, _Family] = {}
    seen: set[Key] = set()
    for name, kind, text, labels, value in _samples(registry):
        key = (name, tuple(sorted(labels.items())))
        if key not in seen:
            seen.add(key)
            families.setdefault(name, _Family(name, kind, text)).samples.append((labels, value))
    return "".join(family.text() for family in families.values())


@dataclass(slots=True)
class _Family:
    name: str
    kind: str
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def text(self) -> str:
        lines = [f"# HELP {self.name} {_escaped(self.help)}", f"# TYPE {self.name} {self.kind}"]
        for labels, value in self.samples:
            inside = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
            lines.append(f"{self.name}{'{' + inside + '}' if inside else ''} {_number(value)}")
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _label(text: str) -> str:
    """A label's value; surrogates, which a path may have, are not UTF-8."""
    return _escaped(text).replace('"', '\\"').encode("utf-8", "backslashreplace").decode()


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**63 else repr(float(value))


# -- samples -------------------------------------------------------------------------------------------------------


def _samples(registry: Registry) -> Iterator[Sample]:
    yield from _requests(registry)
    yield from _pools(registry)
    yield from _servlets(registry)
    yield from _sessions(registry)
    yield from _data_sources(registry)
    yield from _process(registry)
    yield from cluster_samples(registry)


def _query(registry: Registry, **keys: str) -> Iterable[tuple[ObjectName, ManagedBean]]:
    domain = keys.pop("domain", "*")
    return registry.query(ObjectName(domain, keys, open_ended=True))


def _values(bean: ManagedBean, names: Iterable[str]) -> Iterator[tuple[str, float]]:
    there = set(bean.names())
    for name in names:
        value = bean.value_of(name) if name in there else None
        if isinstance(value, int | float):
            yield name, float(value)


def _requests(registry: Registry) -> Iterator[Sample]:
    for name, bean in _query(registry, type="GlobalRequestProcessor"):
        labels = connector_labels(name.keys.get("name", ""))
        if "Upgrade" not in name.keys:
            for attribute, value in _values(bean, REQUEST_ATTRIBUTES):
                kind, text = REQUEST_ATTRIBUTES[attribute]
                yield f"tomcat_{attribute.lower()}_total", kind, text, labels, value


def connector_labels(name: str) -> dict[str, str]:
    """``"http-nio-127.0.0.1-8080"`` -> port and protocol, as in the exporter's rules, and the address if there is
    one.
    """
    found = _CONNECTOR.fullmatch(name)
    if found is None:
        return {"port": "", "protocol": name.strip('"')}
    labels = {"port": found["port"], "protocol": found["protocol"]}
    return labels | ({"address": found["address"]} if found["address"] else {})


def _pools(registry: Registry) -> Iterator[Sample]:
    for name, bean in _query(registry, type="ThreadPool"):
        labels = connector_labels(name.keys.get("name", ""))
        for attribute, value in _values(bean, POOL_ATTRIBUTES):
            yield f"tomcat_threadpool_{attribute.lower()}", "gauge", POOL_ATTRIBUTES[attribute], labels, value


def _servlets(registry: Registry) -> Iterator[Sample]:
    for name, bean in _query(registry, j2eeType="Servlet"):
        labels = {"module": name.keys.get("WebModule", "").removeprefix("//"), "servlet": unquote(name.keys["name"])}
        for attribute, value in _values(bean, ("requestCount", "errorCount", "processingTime", "maxTime")):
            kind, text = REQUEST_ATTRIBUTES[attribute]
            yield f"tomcat_servlet_{attribute.lower()}_total", kind, text, labels, value
    for name, bean in _query(registry, j2eeType="WebModule"):
        labels = {"module": name.keys.get("name", "").removeprefix("//")}
        started = 1.0 if bean.value_of("stateName") == "STARTED" else 0.0
        yield "catalina_application_up", "gauge", "1 while the application serves", labels, started


def _sessions(registry: Registry) -> Iterator[Sample]:
    for name, bean in _query(registry, type="Manager"):
        labels = {"context": name.keys.get("context", ""), "host": name.keys.get("host", "")}
        for attribute, value in _values(bean, SESSION_ATTRIBUTES):
            suffix, kind, text = SESSION_ATTRIBUTES[attribute]
            yield f"tomcat_session_{attribute.lower()}{suffix}", kind, text, labels, value


def _data_sources(registry: Registry) -> Iterator[Sample]:
    for name, bean in _query(registry, type="DataSource"):
        labels = {"name": unquote(name.keys.get("name", "")), "context": name.keys.get("context", "")}
        for attribute, value in _values(bean, DATA_SOURCE_ATTRIBUTES):
            yield f"tomcat_datasource_{attribute.lower()}", "gauge", DATA_SOURCE_ATTRIBUTES[attribute], labels, value


#: Bean of java.lang, attribute, metric, kind, help, and how many of its unit are one of the metric's.
PLATFORM: Sequence[tuple[str, str, str, str, str, float]] = (
    ("OperatingSystem", "TotalPhysicalMemorySize", "jvm_physical_memory_bytes", "gauge", "Memory of the machine", 1),
    (
        "OperatingSystem",
        "ProcessCpuLoad",
        "jvm_process_cpu_load",
        "gauge",
        "Processor use of this process, 1 is all",
        1,
    ),
    ("OperatingSystem", "ProcessCpuTime", "process_cpu_seconds_total", "counter", "Processor time", 1e-9),
    ("OperatingSystem", "OpenFileDescriptorCount", "process_open_fds", "gauge", "Open file descriptors", 1),
    ("OperatingSystem", "MaxFileDescriptorCount", "process_max_fds", "gauge", "File descriptors there may be", 1),
    ("OperatingSystem", "SystemLoadAverage", "jvm_system_load_average", "gauge", "Load of the machine", 1),
    ("Threading", "ThreadCount", "jvm_threads_current", "gauge", "Threads", 1),
    ("Threading", "DaemonThreadCount", "jvm_threads_daemon", "gauge", "Daemon threads", 1),
    ("Threading", "PeakThreadCount", "jvm_threads_peak", "gauge", "Most threads that there were at once", 1),
    ("Runtime", "StartTime", "process_start_time_seconds", "gauge", "When the process began, since 1970", 1e-3),
)


def _process(registry: Registry) -> Iterator[Sample]:
    beans = {name.keys.get("type", ""): bean for name, bean in _query(registry, domain="java.lang")
             if "name" not in name.keys}  # fmt: skip
    for kind, attribute, metric, metric_kind, text, scale in PLATFORM:
        bean = beans.get(kind)
        for _, value in _values(bean, (attribute,)) if bean is not None else ():
            yield metric, metric_kind, text, {}, value * scale
    yield from _memory(beans.get("Memory"))


def _memory(bean: ManagedBean | None) -> Iterator[Sample]:
    for area, attribute in (("heap", "HeapMemoryUsage"), ("nonheap", "NonHeapMemoryUsage")):
        usage = bean.value_of(attribute) if bean is not None else None
        for item in ("used", "committed", "max"):
            value = -1.0 if usage is None else float(usage.values[item])
            if value >= 0:
                yield f"jvm_memory_usage_{item}_bytes", "gauge", f"Memory, {item}", {"area": area}, value


def cluster_samples(registry: Registry) -> Iterator[Sample]:
    """The metrics; none when there is no cluster."""
    for name, bean in registry.query(ObjectName("*", {"type": "Cluster"}, open_ended=True)):
        component: Any = bean.component
        if isinstance(component, SimpleTcpCluster):
            yield from _cluster(component)
        elif isinstance(component, FarmWarDeployer):
            yield from _farm(component, name.keys.get("host", ""))
    for name, bean in registry.query(ObjectName("*", {"type": "Manager"}, open_ended=True)):
        labels = {"context": name.keys.get("context", ""), "host": name.keys.get("host", "")}
        component = bean.component
        if isinstance(component, DeltaManager):
            yield from _delta(component, labels)
        elif isinstance(component, BackupManager):
            yield from _backup(component, labels)
    for name, bean in registry.query(ObjectName("*", {"type": "Valve"}, open_ended=True)):
        if isinstance(bean.component, ReplicationValve):
            labels = {"host": name.keys.get("host", ""), "context": name.keys.get("context", "")}
            yield from _valve(bean.component, labels)


def _cluster(cluster: SimpleTcpCluster) -> Iterator[Sample]:
    labels = {"cluster": cluster.name}
    members = list(cluster.members)
    yield "catalina_cluster_members", "gauge", "Other members that are there", labels, len(members)
    for member in members:
        seconds = member.alive_ms / 1000
        yield (
            "catalina_cluster_member_alive_seconds", "gauge", "How long a member lives, as it says",
            {**labels, "member": member.name}, seconds,
        )  # fmt: skip
    for member, (given, done) in cluster.traffic().items():
        told = {**labels, "member": member.name}
        yield "catalina_cluster_queued_bytes_total", "counter", "Bytes given to be sent", told, given
        yield (
            "catalina_cluster_done_bytes_total", "counter",
            "Bytes that were written, or acknowledged where that was asked for", told, done,
        )  # fmt: skip
        yield "catalina_cluster_backlog_bytes", "gauge", "Bytes that are not done yet", told, max(0, given - done)


def _delta(manager: DeltaManager, labels: Mapping[str, str]) -> Iterator[Sample]:
    yield _sessions_by_role(labels, "all", manager.active_sessions)
    yield from _messages(manager, labels)
    progress = manager.state_progress
    yield _waiting(labels, progress is not None)
    if progress is not None:
        for what, count in zip(("received", "expected"), progress, strict=True):
            yield (
                "catalina_cluster_state_sessions", "gauge", "Sessions of a state transfer under way",
                {**labels, "what": what}, count,
            )  # fmt: skip


def _messages(manager: DeltaManager, labels: Mapping[str, str]) -> Iterator[Sample]:
    text = "Messages about sessions, by kind"
    for direction, counts in (("sent", manager.sent), ("received", manager.received)):
        for kind, event in EVENTS.items():
            yield (
                "catalina_cluster_session_messages_total", "counter", text,
                {**labels, "direction": direction, "kind": kind}, counts[event],
            )  # fmt: skip


def _backup(manager: BackupManager, labels: Mapping[str, str]) -> Iterator[Sample]:
    for role, count in zip(("primary", "backup", "proxy"), manager.session_roles(), strict=True):
        yield _sessions_by_role(labels, role, count)
    if manager.map is not None:
        yield (
            "catalina_cluster_owed_changes", "gauge", "Changes that members have not been told yet", labels,
            manager.owed_changes,
        )  # fmt: skip


def _sessions_by_role(labels: Mapping[str, str], role: str, count: int) -> Sample:
    return "catalina_sessions", "gauge", "Sessions by what this node is to them", {**labels, "role": role}, count


def _waiting(labels: Mapping[str, str], waits: bool) -> Sample:
    text = "1 while an application waits for the sessions of the group"
    return "catalina_cluster_state_waiting", "gauge", text, labels, float(waits)


def _valve(valve: ReplicationValve, labels: Mapping[str, str]) -> Iterator[Sample]:
    if not valve.statistics:  # then it counts nothing
        return
    for name, text, value in (
        ("requests", "Requests that went through the ReplicationValve", valve.nr_of_requests),
        ("sends", "Requests that were replicated", valve.nr_of_send_requests),
        ("request_seconds", "Time of requests", valve.total_request_ms / 1000),
        ("send_seconds", "Time that replication took of that", valve.total_send_ms / 1000),
    ):
        yield f"catalina_replication_{name}_total", "counter", text, labels, value


def _farm(deployer: FarmWarDeployer, host: str) -> Iterator[Sample]:
    if not deployer.is_started:
        return
    labels = {"host": host}
    yield "catalina_farm_archives", "gauge", "Archives of the farm", labels, len(deployer.state.files)
    transfers = list(deployer.sender.transfers)
    yield "catalina_farm_transfers", "gauge", "Archives on their way to members", labels, len(transfers)
    for transfer in transfers:
        told = {**labels, "file": transfer.file.name}
        yield "catalina_farm_sent_bytes", "gauge", "Bytes sent of an archive on its way", told, transfer.sent_bytes
        yield "catalina_farm_size_bytes", "gauge", "Bytes of an archive on its way", told, transfer.file.size
