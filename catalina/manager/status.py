"""The state of the server, read from the beans, in the XML and JSON of Tomcat's status page.

Check scripts, Telegraf and Zabbix read these two (Tomcat: manager/StatusTransformer.java). An attribute that a bean
does not have, because it means nothing here, is left out of the JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from catalina.core.standard_wrapper import StandardWrapper
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName, unquote
from catalina.mbeans.registry import Registry

__all__ = ["ConnectorStatus", "ContextStatus", "Status", "read_status", "to_json", "to_xml"]

THREADS = ("maxThreads", "currentThreadCount", "currentThreadsBusy")
REQUESTS = ("maxTime", "processingTime", "requestCount", "errorCount", "bytesReceived", "bytesSent")
MANAGER = ("activeSessions", "sessionCounter", "maxActive", "rejectedSessions", "expiredSessions",
           "sessionMaxAliveTime", "sessionAverageAliveTime", "processingTime")  # fmt: skip
SERVLET = ("processingTime", "maxTime", "requestCount", "errorCount", "loadTime", "classLoadTime")
WORKER = ("requestProcessingTime", "requestBytesSent", "requestBytesReceived", "remoteAddr", "virtualHost", "method",
          "currentUri", "currentQueryString", "protocol")  # fmt: skip

#: Stages of a request processor -> letter, and True if its request is known (org.apache.coyote.Constants).
STAGES = {0: ("R", False), 1: ("P", False), 2: ("P", False), 3: ("S", True), 4: ("F", True), 5: ("F", True),
          6: ("K", True), 7: ("R", False)}  # fmt: skip
_UNKNOWN = "&#63;"

Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector: its name as in its beans, without quotes, its threads, requests and workers."""

    name: str
    threads: Numbers
    requests: Numbers
    workers: Sequence[Numbers] = ()


@dataclass(frozen=True, slots=True)
class ContextStatus:
    """An application: ``localhost/shop``, facts, sessions (None without a manager) and servlets by name."""

    name: str
    facts: Numbers
    manager: Numbers | None
    servlets: Mapping[str, Numbers]
    mappings: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """The server at one moment. ``pools``: name, type, init, committed, max, used in bytes."""

    memory: Numbers
    pools: Sequence[tuple[str, str, Numbers]]
    connectors: Sequence[ConnectorStatus]
    contexts: Sequence[ContextStatus]


def read_status(registry: Registry, complete: bool) -> Status:
    """Look at the beans.

    Args:
        complete: applications and servlets, too.
    """
    pools = list(_pools(registry))
    heap = pools[0][2] if pools else {"committed": 0, "used": 0, "max": -1}
    memory = {"free": heap["committed"] - heap["used"], "total": heap["committed"], "max": heap["max"]}
    return Status(memory, pools, list(_connectors(registry)), list(_contexts(registry)) if complete else [])


def _pools(registry: Registry) -> Iterator[tuple[str, str, Numbers]]:
    for _, bean in registry.query(ObjectName("java.lang", {"type": "Memory"})):
        for attribute, label, kind in (
            ("HeapMemoryUsage", "Objects", "Heap memory"),
            ("NonHeapMemoryUsage", "Interpreter and libraries", "Non-heap memory"),
        ):
            usage = bean.value_of(attribute)
            if usage is not None:
                yield label, kind, {key: usage.values[key] for key in ("init", "committed", "max", "used")}


def _connectors(registry: Registry) -> Iterator[ConnectorStatus]:
    groups = {name.keys.get("name"): bean for name, bean in _beans(registry, "GlobalRequestProcessor")
              if "Upgrade" not in name.keys}  # fmt: skip
    workers = list(_beans(registry, "RequestProcessor"))
    for name, bean in _beans(registry, "ThreadPool"):
        quoted = name.keys.get("name", "")
        group = groups.get(quoted)
        own = [_numbers(worker, ("stage", *WORKER)) for key, worker in workers if key.keys.get("worker") == quoted]
        requests = _numbers(group, REQUESTS) if group is not None else {}
        yield ConnectorStatus(quoted.strip('"'), _numbers(bean, THREADS), requests, own)


def _beans(registry: Registry, kind: str) -> list[tuple[ObjectName, ManagedBean]]:
    return registry.query(ObjectName("*", {"type": kind}, open_ended=True))


def _contexts(registry: Registry) -> Iterator[ContextStatus]:
    managers = {(name.keys.get("host"), name.keys.get("context")): bean for name, bean in _beans(registry, "Manager")}
    servlets: dict[str, list[tuple[ObjectName, ManagedBean]]] = {}
    for name, bean in registry.query(ObjectName("*", {"j2eeType": "Servlet"}, open_ended=True)):
        servlets.setdefault(name.keys.get("WebModule", ""), []).append((name, bean))
    for name, bean in registry.query(ObjectName("*", {"j2eeType": "WebModule"}, open_ended=True)):
        module = name.keys["name"]
        host, _, path = module.removeprefix("//").partition("/")
        manager = managers.get((host, "/" + path))
        own = servlets.get(module, [])
        yield ContextStatus(
            f"{host}/{path}",
            _numbers(bean, ("stateName", "startTime", "startupTime")),
            _numbers(manager, MANAGER) if manager is not None else None,
            {unquote(key.keys["name"]): _numbers(servlet, SERVLET) for key, servlet in own},
            {
                unquote(key.keys["name"]): servlet.component.mappings
                for key, servlet in own
                if isinstance(servlet.component, StandardWrapper)
            },
        )


def _numbers(bean: ManagedBean, names: Sequence[str]) -> dict[str, Any]:
    there = set(bean.names())
    found = ((name, bean.value_of(name)) for name in names if name in there)
    return {name: value for name, value in found if value is not None}


# -- XML -----------------------------------------------------------------------------------------------------------


def to_xml(status: Status, base: str) -> str:
    """Tomcat's XML, which has no applications.

    Args:
        base: path of the application, for the style sheet.
    """
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<?xml-stylesheet type="text/xsl" href="{base}/xform.xsl" ?>\n<status><jvm><memory',
        *(f" {name}='{value}'" for name, value in status.memory.items()),
        "/>",
    ]
    for name, kind, usage in status.pools:
        facts = "".join(f" usage{key.capitalize()}='{usage[key]}'" for key in ("init", "committed", "max", "used"))
        parts.append(f"<memorypool name='{_escaped(name)}' type='{kind}'{facts}/>")
    parts.append("</jvm>")
    for connector in status.connectors:
        parts.append(f"<connector name='\"{_escaped(connector.name)}\"'>")
        parts.append(f"<threadInfo {_attributes(connector.threads)} />")
        if connector.requests:
            workers = "".join(map(_worker, connector.workers))
            parts.append(f"<requestInfo {_attributes(connector.requests)} /><workers>{workers}</workers>")
        parts.append("</connector>")
    parts.append("</status>")
    return "".join(parts)


def _attributes(values: Numbers) -> str:
    return "".join(f' {name}="{value}"' for name, value in values.items())


def _escaped(value: object) -> str:
    return escape(str(value), {'"': "&quot;", "'": "&apos;"})


def _worker(worker: Numbers) -> str:
    letter, known = STAGES.get(worker.get("stage", -1), ("?", False))
    shows = known and letter != "K"
    parts = [f'<worker  stage="{letter}"']
    for name in WORKER:
        is_number = name.startswith("request")
        always = name in ("requestProcessingTime", "remoteAddr", "virtualHost")
        value = worker.get(name) if known and (shows or always) else None
        text = _UNKNOWN if value in (None, "") else _escaped(value)
        parts.append(f'{name}="{value or 0 if is_number else text}"')
    return " ".join(parts) + " />"


# -- JSON ----------------------------------------------------------------------------------------------------------


def to_json(status: Status, complete: bool) -> str:
    """Tomcat's JSON, in its lines."""
    memory = _object(status.memory)
    pools = [
        _object({"name": name, "type": kind} | {f"usage{key.capitalize()}": usage[key] for key in usage})
        for name, kind, usage in status.pools
    ]
    text = '{"tomcat":{\n  "jvm":{\n'
    text += f'    "memory":{memory},\n    "memorypool":[\n      ' + ",\n      ".join(pools) + "\n    ]\n  },\n"
    text += '  "connector":[\n' + ",\n".join(map(_connector_json, status.connectors)) + "]"
    if complete:
        text += ',\n  "context":[\n' + ",\n".join(map(_context_json, status.contexts)) + "\n  ]\n"
    return text + "}}"


def _object(values: Numbers) -> str:
    return json.dumps(dict(values), separators=(",", ":"))


def _connector_json(connector: ConnectorStatus) -> str:
    lines = [f'      "name":{json.dumps(connector.name)}', f'      "threadInfo":{_object(connector.threads)}']
    if connector.requests:
        lines.append(f'      "requestInfo":{_object(connector.requests)}')
    return "    {\n" + ",\n".join(lines) + "\n    }"


def _context_json(context: ContextStatus) -> str:
    facts: dict[str, Any] = {"name": context.name, "state": context.facts.get("stateName", "")}
    if "startTime" in context.facts:
        facts["startTime"] = java_date(context.facts["startTime"])
    if "startupTime" in context.facts:
        facts["startupTime"] = context.facts["startupTime"]
    lines = ["      " + _object(facts)[1:-1]]
    if context.manager is not None:
        lines.append(f'      "manager":{_object(context.manager)}')
    servlets = ["        " + _object({"servletName": name, **numbers}) for name, numbers in context.servlets.items()]
    lines.append('      "wrapper":[\n' + ",\n".join(servlets) + "\n      ]")
    return "    {\n" + ",\n".join(lines) + "\n    }"


def java_date(ms: int) -> str:
    """``Mon Nov 23 01:16:14 UTC 2026``: java.util.Date's text."""
    return time.strftime("%a %b %d %H:%M:%S %Z %Y", time.localtime(ms / 1000))
