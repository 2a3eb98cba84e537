"""Metrics of the cluster; tests/cluster/test_metrics.py looks at those of a real one."""

from __future__ import annotations

from catalina.manager.cluster_metrics import EVENTS, cluster_samples
from catalina.mbeans.registry import Registry


def test_without_a_cluster_there_are_none():
    assert list(cluster_samples(Registry())) == []


def test_kinds_of_messages_are_called_as_tomcats_counters():
    assert EVENTS["session_delta"] == 13
    assert EVENTS["get_all_sessions"] == 4
    assert all(isinstance(event, int) for event in EVENTS.values())
