"""The protocol is the one the real cluster fulfils."""

from __future__ import annotations

from catalina.core.cluster import Cluster
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster


def test_the_real_cluster_has_everything_the_container_asks_for() -> None:
    cluster = SimpleTcpCluster()
    asked = [name for name in vars(Cluster) if not name.startswith("_")] + list(Cluster.__annotations__)
    assert [name for name in asked if not hasattr(cluster, name)] == []
