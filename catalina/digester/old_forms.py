"""Turns elements of old server.xml files into today's, before components are made.

Tomcat 5.5 put ``<Membership>``, ``<Receiver>`` and ``<Sender>`` directly into ``<Cluster>``, named the manager in an
attribute, and Tomcat 5.0 gave a resource its settings in ``<ResourceParams>``. Today's Tomcat ignores these with a
warning. An operator who kept such a file meant something by it, so they are honoured here. A part without a successor
is left out, with a remark.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from catalina.digester.findings import Finding
from catalina.digester.xml_tree import XmlAttribute, XmlElement

__all__ = ["modernise"]

_CHANNEL = "org.apache.catalina.tribes.group.GroupChannel"
_CHANNEL_PARTS = ("Membership", "Receiver", "Sender")
_MANAGER_ATTRIBUTES = (
    "expireSessionsOnShutdown",
    "notifyListenersOnReplication",
    "notifySessionListenersOnReplication",
)

_MCAST_NAMES: dict[str, str | None] = {
    "mcastAddr": "address",
    "mcastPort": "port",
    "mcastFrequency": "frequency",
    "mcastDropTime": "dropTime",
    "mcastBindAddress": "bind",
    "mcastTTL": "ttl",
    "mcastSoTimeout": "soTimeout",
}
_RECEIVER_NAMES: dict[str, str | None] = {
    "tcpListenAddress": "address",
    "tcpListenPort": "port",
    "tcpSelectorTimeout": "selectorTimeout",
    "tcpThreadCount": "maxThreads",
    "sendAck": None,
}
#: className -> attribute of 5.5 -> today's attribute; None for one without a meaning. Tomcat 6 still accepted the old
#: names.
_RENAMED = {
    "org.apache.catalina.cluster.mcast.McastService": _MCAST_NAMES,
    "org.apache.catalina.tribes.membership.McastService": _MCAST_NAMES,
    "org.apache.catalina.cluster.tcp.ReplicationListener": _RECEIVER_NAMES,
    "org.apache.catalina.tribes.transport.nio.NioReceiver": _RECEIVER_NAMES,
    "org.apache.catalina.tribes.transport.bio.BioReceiver": _RECEIVER_NAMES,
}

_5_5 = "org.apache.catalina.cluster."
#: Tomcat 5.0: attributes of the Cluster element that belong to elements of their own since 5.5.
_PARTS_OF_5_0 = (
    ("Membership", f"{_5_5}mcast.McastService", ("mcastAddr", "mcastPort", "mcastFrequency", "mcastDropTime")),
    (
        "Receiver",
        f"{_5_5}tcp.ReplicationListener",
        ("tcpListenAddress", "tcpListenPort", "tcpSelectorTimeout", "tcpThreadCount"),
    ),
    ("Sender", f"{_5_5}tcp.ReplicationTransmitter", ("replicationMode", "ackTimeout", "waitForAck")),
)

#: replicationMode of 5.5 -> channelSendOptions (Tomcat: Channel.SEND_OPTIONS_*).
_SEND_OPTIONS = {"pooled": "6", "synchronous": "6", "asynchronous": "8", "fastasyncqueue": "8"}

#: Tag -> parents -> the reason why it is gone.
_REMOVED = {
    "Logger": (("Engine", "Host", "Context"), "logging is configured in conf/logging.properties since Tomcat 5.5"),
    "InstanceListener": (("Context",), "Tomcat 7 was the last to know instance listeners"),
}


def modernise(root: XmlElement) -> list[Finding]:
    """Change the tree in place; returns a remark for each change."""
    findings: list[Finding] = []
    for element in list(root.walk()):
        _rename_attributes(element, findings)
        _drop_removed(element, findings)
        for tag, change in _CHANGES.items():
            if element.tag == tag:
                change(element, findings)
    return findings


def _remark(element: XmlElement, text: str) -> Finding:
    return Finding(logging.INFO, element.place, element.tag, text)


def _join_filter(valve: XmlElement, findings: list[Finding]) -> None:
    """The filter of 5.5 was a list with ``;`` between the patterns; since 7.0 it is one expression with ``|``."""
    patterns = valve.attributes.get("filter")
    if valve.get("className") == "org.apache.catalina.cluster.tcp.ReplicationValve" and patterns is not None:
        parts = [part for part in patterns.value.split(";") if part]
        valve.attributes["filter"] = XmlAttribute("|".join(parts), patterns.place)
        findings.append(
            _remark(valve, "filter is a list of Tomcat 5.5; read as one expression with | between the parts")
        )


def _rename_attributes(element: XmlElement, findings: list[Finding]) -> None:
    renames = _RENAMED.get(element.get("className") or "")
    if renames is None:
        return
    found = [old for old in renames if old in element.attributes]
    for old in found:
        attribute, new = element.attributes.pop(old), renames[old]
        if new is not None:
            element.attributes.setdefault(new, attribute)
    if found:
        findings.append(_remark(element, f"read by today's names: {', '.join(found)}"))


def _drop_removed(element: XmlElement, findings: list[Finding]) -> None:
    for child in list(element.children):
        parents, why = _REMOVED.get(child.tag, ((), ""))
        if element.tag in parents:
            element.children.remove(child)
            findings.append(_remark(child, f"left out: {why}"))


def _modernise_cluster(cluster: XmlElement, findings: list[Finding]) -> None:
    _unfold_parts(cluster, findings)
    _wrap_channel(cluster, findings)
    _nest_manager(cluster, findings)


def _unfold_parts(cluster: XmlElement, findings: list[Finding]) -> None:
    """Tomcat 5.0 had the settings of membership, receiver and sender on the Cluster element itself."""
    found = False
    for tag, class_name, names in _PARTS_OF_5_0:
        attributes = {name: cluster.attributes.pop(name) for name in names if name in cluster.attributes}
        if attributes:
            place = next(iter(attributes.values())).place
            part = XmlElement(tag, place, {"className": XmlAttribute(class_name, place), **attributes})
            _rename_attributes(part, [])
            cluster.children.append(part)
            found = True
    if found:
        for name in ("name", "serviceclass", "printToScreen", "protocol", "debug"):
            cluster.attributes.pop(name, None)
        findings.append(
            _remark(cluster, "settings of Tomcat 5.0 are read as Membership, Receiver and Sender of a Channel")
        )


def _wrap_channel(cluster: XmlElement, findings: list[Finding]) -> None:
    parts = [child for child in cluster.children if child.tag in _CHANNEL_PARTS]
    if not parts:
        return
    cluster.children = [child for child in cluster.children if child not in parts]
    channel = next((child for child in cluster.children if child.tag == "Channel"), None)
    if channel is None:
        place = parts[0].place
        channel = XmlElement("Channel", place, {"className": XmlAttribute(_CHANNEL, place)})
        cluster.children.insert(0, channel)
    channel.children.extend(parts)
    for part in parts:
        if part.tag == "Sender":
            _modernise_sender(cluster, part, findings)
    findings.append(
        _remark(cluster, "Membership, Receiver and Sender belong into a Channel since Tomcat 6; read as such")
    )


def _modernise_sender(cluster: XmlElement, sender: XmlElement, findings: list[Finding]) -> None:
    mode = sender.attributes.pop("replicationMode", None)
    wait = sender.attributes.pop("waitForAck", None)
    timeout = sender.attributes.pop("ackTimeout", None)
    sender.attributes.pop("autoConnect", None)
    if mode is not None and "channelSendOptions" not in cluster.attributes:
        options = _SEND_OPTIONS.get(mode.value.strip().lower(), "8")
        if options == "8" and wait is not None and wait.value.strip().lower() == "true":
            options = "10"  # asynchronous, the sending thread still waits for its ack
        cluster.attributes["channelSendOptions"] = XmlAttribute(options, mode.place)
        findings.append(_remark(sender, f"replicationMode={mode.value!r} is channelSendOptions={options} today"))
    if timeout is not None:
        attributes = {
            "className": XmlAttribute("org.apache.catalina.tribes.transport.nio.PooledParallelSender", timeout.place),
            "timeout": timeout,
        }
        sender.children.append(XmlElement("Transport", timeout.place, attributes))


def _nest_manager(cluster: XmlElement, findings: list[Finding]) -> None:
    named = cluster.attributes.pop("managerClassName", None)
    if named is not None:
        cluster.attributes.pop("useDirtyFlag", None)  # every later version does that always
    moved = {name: cluster.attributes.pop(name) for name in _MANAGER_ATTRIBUTES if name in cluster.attributes}
    for name in [name for name in cluster.attributes if name.startswith("manager.")]:
        moved[name.removeprefix("manager.")] = cluster.attributes.pop(name)
    if named is None and not moved:
        return
    class_name = named or XmlAttribute("org.apache.catalina.ha.session.DeltaManager", cluster.place)
    if any(child.tag == "Manager" for child in cluster.children):
        findings.append(
            _remark(cluster, "manager settings of the Cluster element are left out, a Manager stands below")
        )
        return
    if "notifyListenersOnReplication" in moved:
        moved["notifySessionListenersOnReplication"] = moved.pop("notifyListenersOnReplication")
    cluster.children.insert(0, XmlElement("Manager", class_name.place, {"className": class_name, **moved}))
    findings.append(_remark(cluster, "manager settings of the Cluster element are read as a Manager below it"))


def _inline_resource_params(resources: XmlElement, findings: list[Finding]) -> None:
    """``<ResourceParams name="x"><parameter><name>a</name><value>b</value>`` -> attribute a of the resource x."""
    for params in [child for child in resources.children if child.tag == "ResourceParams"]:
        resources.children.remove(params)
        resource = next(
            (c for c in resources.children if c.tag == "Resource" and c.get("name") == params.get("name")), None
        )
        if resource is None:
            text = f"left out: no Resource is called {params.get('name')!r}"
            findings.append(Finding(logging.WARNING, params.place, params.tag, text))
            continue
        for parameter in params.children:
            texts = {child.tag: child for child in parameter.children}
            if "name" in texts and "value" in texts:
                value = XmlAttribute(texts["value"].text.strip(), texts["value"].place)
                resource.attributes.setdefault(texts["name"].text.strip(), value)
        findings.append(_remark(params, "read as attributes of the Resource of that name, as Tomcat does since 5.5"))


_CHANGES: dict[str, Callable[[XmlElement, list[Finding]], None]] = {
    "Cluster": _modernise_cluster,
    "Valve": _join_filter,
    "GlobalNamingResources": _inline_resource_params,
    "Context": _inline_resource_params,
}
