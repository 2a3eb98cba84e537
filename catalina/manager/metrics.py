"""Metrics in the text format of Prometheus, from the beans.

The names are those that Prometheus' exporter for JMX gives with the rules for Tomcat that are in use everywhere
(``tomcat_requestcount_total``, ``tomcat_threadpool_currentthreadsbusy`` ...), so that existing dashboards work, and
``jvm_`` names if Python has such a value. Metrics without a counterpart in Tomcat begin with ``catalina_``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from catalina.manager.cluster_metrics import cluster_samples
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName, unquote
from catalina.mbeans.registry import Registry

__all__ = ["CONTENT_TYPE", "exposition"]

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
