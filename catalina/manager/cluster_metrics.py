"""Metrics of the cluster: members, bytes sent and done, messages by kind, sessions by role, owed changes, state
transfers, the farm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.session import session_message
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import Registry

__all__ = ["cluster_samples"]

Sample = tuple[str, str, str, Mapping[str, str], float]

#: Label of a message's kind, as Tomcat's counters are called -> its number.
EVENTS = {name.removeprefix("EVT_").lower(): getattr(session_message, name)
          for name in dir(session_message) if name.startswith("EVT_")}  # fmt: skip


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
    yield _sessions(labels, "all", manager.active_sessions)
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
        yield _sessions(labels, role, count)
    if manager.map is not None:
        yield (
            "catalina_cluster_owed_changes", "gauge", "Changes that members have not been told yet", labels,
            manager.owed_changes,
        )  # fmt: skip


def _sessions(labels: Mapping[str, str], role: str, count: int) -> Sample:
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
