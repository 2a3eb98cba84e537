"""Members for the examples."""

from __future__ import annotations

import pytest

from catalina.tribes.examples.nodes import make_node, started, wait_until
from tests.support.ports import free_udp_port


def test_nodes_see_each_other_and_are_stopped():
    port = free_udp_port()
    one, two = make_node(port), make_node(port)
    with started(one, two):
        assert one.members == (two.local_member,)
    assert one.reactor is None


def test_waiting_has_an_end():
    with pytest.raises(TimeoutError, match=r"not within 0\.01 s"):
        wait_until(lambda: False, 0.01)
