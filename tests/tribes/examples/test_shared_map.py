"""The example of a replicated map."""

from __future__ import annotations

from catalina.tribes.examples import shared_map
from tests.support.ports import free_udp_port


def test_nothing_is_lost_when_a_member_leaves():
    assert shared_map.main(free_udp_port()) == {"France": "Paris", "Italy": "Rome"}
