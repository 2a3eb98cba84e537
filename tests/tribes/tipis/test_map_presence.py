from __future__ import annotations

from catalina.tribes.tipis.map_entry import Role
from catalina.tribes.tipis.map_message import MapState
from tests.tribes.tipis.maps import Box, Group


def test_a_node_that_missed_a_claim_hears_of_it_when_it_catches_up() -> None:
    group = Group(3)
    group.maps[0].put("k", Box(n=1))
    group.settle()
    frozen = group.channels[0].local_member
    group.network.hold = {frozen}
    group.maps[1].get("k").set("n", 2)
    group.maps[1].replicate("k")
    group.settle()
    assert group.maps[0].entry("k").is_primary
    group.network.hold = set()
    is_through = group.maps[0].catch_up()
    assert is_through is not None
    group.settle()
    assert is_through()
    assert group.maps[0].entry("k").primary == group.channels[1].local_member
    assert group.maps[0].entry("k").role is not Role.PRIMARY


def test_a_member_that_is_gone_is_probed_no_more() -> None:
    group = Group(2)
    group.network.hold = {group.channels[1].local_member}
    group.maps[0].put("k", Box(n=1))
    group.settle()
    assert group.maps[0].link.silent
    group.maps[0].member_disappeared(group.channels[1].local_member)
    assert not group.maps[0].link.silent
    group.network.sent.clear()
    group.network.pass_all_time()
    assert group.network.sent == []


def test_a_stopped_map_pings_nobody_and_has_nobody_to_catch_up_with() -> None:
    group = Group(2)
    group.maps[0].stop()
    group.settle()
    group.network.sent.clear()
    group.maps[0].heartbeat()
    group.maps[0].presence.probe(group.channels[1].local_member)
    assert group.maps[0].catch_up() is None
    assert group.network.sent == []
    assert group.maps[0].state == MapState.DESTROYED
