"""The replacement of a cluster in a worker."""

from typing import Any

from catalina.core.standard_engine import StandardEngine
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.workers.keeper_channel import KeeperChannel
from catalina.workers.worker_cluster import WorkerCluster
from tests.session.support import FakeContext
from tests.support.stand_in import stand_in


def cluster_of(element: SimpleTcpCluster, *, binds_routes: bool = True) -> WorkerCluster:
    channel: Any = stand_in(KeeperChannel, reactor=None, managers={})
    queries: Any = None
    return WorkerCluster(element, channel, queries, binds_routes=binds_routes)


def in_engine() -> SimpleTcpCluster:
    cluster = SimpleTcpCluster()
    cluster.container = StandardEngine(name="Catalina")
    return cluster


def context() -> Any:
    return FakeContext("/shop")


def valves_of(element: SimpleTcpCluster) -> list[type]:
    return [type(valve) for valve in element.container.pipeline.valves][:-1]


def test_its_valves_are_those_that_the_cluster_would_have() -> None:
    element = in_engine()
    cluster_of(element).start()
    assert valves_of(element) == [JvmRouteBinderValve, ReplicationValve]


def test_without_a_cluster_changes_go_to_the_keeper_and_no_route_is_bound() -> None:
    element = in_engine()
    cluster_of(element, binds_routes=False).start()
    assert valves_of(element) == [ReplicationValve]


def test_a_manager_is_named_as_the_keepers_and_configured_as_the_template() -> None:
    template = DeltaManager(max_active_sessions=7)
    manager = cluster_of(in_engine()).manager_for(b"key", context(), template)
    assert manager.name == "localhost#/shop"
    assert manager.max_active_sessions == 7


def test_a_template_of_another_class_counts_as_far_as_it_can() -> None:
    template = BackupManager(max_active_sessions=7, map_send_options=8)
    manager = cluster_of(in_engine()).manager_for(b"key", context(), template)
    assert manager.max_active_sessions == 7
