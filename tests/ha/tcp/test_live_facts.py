"""The facts that a node sends to the watchers of its group."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.ha.deploy.farm_inbox import FarmInbox
from catalina.ha.deploy.farm_sender import FarmSender, FarmTransfer
from catalina.ha.deploy.farm_state import FarmState
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp import live_facts
from catalina.ha.tcp.live_facts import LiveApplication, LiveFacts, LiveNode, LiveTransfer, read_live
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.standard_manager import StandardManager
from catalina.tribes.member import Member
from tests.support.stand_in import stand_in

NODE = LiveNode(
    1.0, "server", "CPython 3.11", "n1", 60.0, False, "on", False, 100, 1, 2, 5000, 4000, silent=("tcp://10.0.0.2:4000",),
    applications=(LiveApplication("localhost/shop", True, False, "", "DeltaManager", 3, 4, 0, 0, -1, -1),),
    archives=("shop.war",), transfers=(LiveTransfer("shop.war", 5, 10, 2),), receiving=("shop.war 50%",),
)  # fmt: skip


class Clock:
    """Seconds that a test lets pass; a look takes ``cost`` of them."""

    def __init__(self, cost: float = 0.0) -> None:
        self.now, self.cost = 0.0, cost

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


def facts(steady: Clock, **values: Any) -> LiveFacts:
    host = StandardHost(name="localhost")
    context = StandardContext(path="/shop")
    context.manager = StandardManager()
    host.add_child(context)
    given: dict[str, Any] = {
        "container": host,
        "deployer": None,
        "valves": [],
        "traffic": dict,
        "missed": MissedMessages(),
    }
    cluster: Any = stand_in(SimpleTcpCluster, **{"missed": MissedMessages()} | given | values)
    return LiveFacts(cluster, lambda: 1000.0 + steady.now, steady)


def test_what_is_told_is_read_as_it_was() -> None:
    assert read_live(NODE.encode()) == NODE
    assert (NODE.backlog, NODE.sessions) == (1000, 3)


def test_a_node_tells_its_applications_traffic_silent_members_and_turnover() -> None:
    member = Member(bytes((10, 0, 0, 2)), 4000)
    missed = MissedMessages()
    missed.silent[member] = None
    told = facts(Clock(), traffic=lambda: {member: (10, 7)}, missed=missed, valves=[JvmRouteBinderValve(enabled=False)])
    own = told.own()
    assert [(each.name, each.runs, each.manager) for each in own.applications] == [("localhost/shop", False, "")]
    assert (own.given, own.done, own.backlog, own.turnover) == (10, 7, 3, "off")
    assert own.silent == ("tcp://10.0.0.2:4000",)
    assert read_live(own.encode()) == own


def test_a_farm_tells_what_it_has_and_what_is_on_its_way() -> None:
    file = stand_in(FarmFile, name="shop.war", size=10)
    deployer = stand_in(FarmWarDeployer,
        is_started=True, state=stand_in(FarmState, files=[file]),
        inbox=stand_in(FarmInbox, progress=lambda: ["x.war 5%"]),
        sender=stand_in(FarmSender, transfers=[stand_in(FarmTransfer, file=file, sent_bytes=4, members=(1, 2))]),
    )  # fmt: skip
    own = facts(Clock(), deployer=deployer).own()
    assert own.archives == ("shop.war",)
    assert own.transfers == (LiveTransfer("shop.war", 4, 10, 2),)
    assert own.receiving == ("x.war 5%",)


def test_a_node_looks_at_itself_no_more_often_than_it_can_afford() -> None:
    steady, looks = Clock(cost=1.0), []
    told = facts(steady, traffic=lambda: looks.append(1) or {})
    told.own()
    steady.cost = 0.0
    first = told.own()
    assert len(looks) == 1
    steady.now += 1.0 / live_facts.MAX_SHARE - 1
    assert told.own().now > first.now  # its clock is told as it is, however old the rest
    assert len(looks) == 1
    steady.now += 2
    told.own()
    assert len(looks) == 2
    told.look_anew()
    told.own()
    assert len(looks) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"now": "late"}, {"now": True}, {"requests": 2**70}, {"requests": 1.5}, {"draining": 1}, {"route": "x" * 5000},
        {"applications": {}}, {"applications": [1]}, {"applications": [{"name": "x"}]}, {"archives": ["x"] * 5000},
        {"archives": [1]}, {"transfers": [["x"]]}, {"more": 1}, {"uptime": float("nan")}, {"uptime": float("inf")},
    ],
)  # fmt: skip
def test_what_is_not_of_this_form_is_not_believed(change: dict[str, Any]) -> None:
    assert read_live(json.dumps(json.loads(NODE.encode()) | change).encode()) is None


@pytest.mark.parametrize("said", [None, 7, b"", b"[" * 5000, b"[]", b"{}", b"null", "text"])
def test_what_is_no_object_is_not_believed(said: object) -> None:
    assert read_live(said) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_node_or_nothing(data: bytes) -> None:
    assert read_live(data) is None


def test_long_texts_and_lists_are_cut_before_they_are_told() -> None:
    told = facts(Clock())
    context = next(live_facts.contexts_under(told._cluster.container))
    context.failure = "x" * 5000
    own = told.own()
    assert len(own.applications[0].failure) == live_facts.MAX_TEXT
    assert read_live(replace(own, now=1.0).encode()) is not None
