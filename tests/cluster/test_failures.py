"""Nodes when processes, cables and datagrams go wrong."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.namespaces import MulticastRelay, Switch
from tests.cluster.node import Node, worker_counts
from tests.cluster.own_clock import OwnClock
from tests.cluster.watched_webapp import end_of, watched_webapp
from tests.support.needs import need_command, need_network_namespaces
from tests.support.ports import free_udp_port
from tests.support.waiting import assert_stays, wait_until

pytestmark = pytest.mark.cluster

GROUP_PORT = 45564


@pytest.fixture
def switch() -> Iterator[Switch]:
    need_network_namespaces()
    need_command("nft", "nftables")
    found = Switch()
    yield found
    found.close()


def pair_in_namespaces(switch: Switch, make_node: Callable[..., Node], options: int = 6) -> tuple[Node, Node]:
    """Two nodes with the HOW-TO's own addresses: the group 228.0.0.4:45564 and a receiver with address="auto"."""
    cluster = full(GROUP_PORT, send_options=options, receiver='address="auto"', bind="")
    nodes = [make_node(name, cluster=cluster, namespace=switch.add(name), http_port=8080) for name in ("ns1", "ns2")]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    return nodes[0], nodes[1]


def members_seen(node: Node) -> tuple[int, int]:
    """How often the log says that a member came and went."""
    return node.log.count("Replication member added"), node.log.count("Received member disappeared")


@pytest.mark.parametrize("workers", worker_counts())
def test_kill_9_of_the_node_that_made_the_sessions_loses_none(
    make_pair: Callable[..., tuple[Node, Node]], workers: int
) -> None:
    a, b = make_pair(workers=workers, send_options=6)
    sessions = [a.get("/count").session_id for _ in range(50)]
    a.kill()
    assert [b.get("/count", session_id).values for session_id in sessions] == [{"count": 2}] * 50


def test_a_worker_that_is_killed_comes_back_with_the_sessions(make_pair: Callable[..., tuple[Node, Node]]) -> None:
    a, _ = make_pair(workers=1, send_options=6)
    session_id = a.get("/count").session_id
    mark = len(a.log)
    killed = a.kill_worker()
    wait_until(lambda: "Server startup in [" in a.log[mark:], "the arbiter starts a new worker", 30)
    log = a.log[mark:]
    assert log.index("session state sent at [") < log.index("Server startup in [")
    assert a.processes()[-1] != killed
    assert a.get("/count", session_id).values == {"count": 2}


def test_an_orderly_stop_is_noticed_at_once_and_exits_143(make_pair: Callable[..., tuple[Node, Node]]) -> None:
    a, b = make_pair(send_options=6)
    session_id = a.get("/count").session_id
    began = time.monotonic()
    assert a.stop() == 143
    wait_until(lambda: "Received member disappeared" in b.log, "B hears the farewell", 2)
    assert time.monotonic() - began < 6
    assert "Manager [/app] expiring sessions upon shutdown" in a.log
    assert b.get("/count", session_id).values == {"count": 2}


def test_a_node_that_was_frozen_has_every_change_when_it_has_thawed(
    make_pair: Callable[..., tuple[Node, Node]],
) -> None:
    a, b = make_pair(send_options=6)
    session_id = a.get("/count").session_id
    worker = b.processes()[-1]
    os.kill(worker, signal.SIGSTOP)
    try:
        began = time.monotonic()
        changed = [a.get("/count", session_id, timeout=20).values for _ in range(2)]
        assert changed == [{"count": 2}, {"count": 3}]
        assert time.monotonic() - began < 20
    finally:
        os.kill(worker, signal.SIGCONT)
    wait_until(lambda: b.get("/show", session_id, timeout=20).values == {"count": 3}, "B has what it missed", 20)


@pytest.mark.parametrize("send_options", [6, 8])
def test_the_first_answer_of_a_node_that_was_frozen_has_the_newest_values(
    make_pair: Callable[..., tuple[Node, Node]], send_options: int
) -> None:
    a, b = make_pair(send_options=send_options)
    ids = [a.get("/count").session_id for _ in range(20)]
    wait_until(lambda: b.get("/show", ids[-1]).values == {"count": 1}, "B has the sessions")
    worker = b.processes()[-1]
    os.kill(worker, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for session_id in ids:  # with options 6 the first waits in vain for B, and the others pass it over
            assert a.get("/count", session_id, timeout=20).values == {"count": 2}
        assert time.monotonic() - began < 6  # one time-out of 3 s, not one for each request
        with ThreadPoolExecutor(1) as pool:  # a request is there already when B is run again
            first = pool.submit(b.get, "/count", ids[-1], timeout=20)
            wait_until(lambda: time.monotonic() - began > 3, "B was frozen for 3 s")
            os.kill(worker, signal.SIGCONT)
            assert first.result().values == {"count": 3}
        assert [b.get("/show", session_id, timeout=20).values for session_id in ids[:-1]] == [{"count": 2}] * 19
        assert a.get("/show", ids[-1], timeout=20).values == {"count": 3}
    finally:
        os.kill(worker, signal.SIGCONT)
    assert "the event loop stood still for" in b.log


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_step_of_one_node_s_clock_ends_no_session_and_loses_no_change(
    make_node: Callable[..., Node], tmp_path: Path, seconds: int
) -> None:
    cluster, webapp = full(free_udp_port(), send_options=6), watched_webapp(tmp_path / "webapp")
    a, b = (make_node(name, cluster=cluster, webapp=webapp) for name in ("tomcatA", "tomcatB"))
    clock = OwnClock(a)
    for node in (a, b):
        node.start(wait=False)
    for node in (a, b):
        node.wait_started()
    wait_until(lambda: members_seen(a)[0] and members_seen(b)[0], "they see each other")
    sessions = [a.get("/count").session_id, b.get("/count").session_id]
    clock.step(seconds)
    wait_until(lambda: abs(clock_of(a) - time.time() - seconds) < 60, "the clock of a has been set")
    # A session whose time is really up shows that the nodes have looked for such since.
    short = a.get("/interval?seconds=1", a.get("/count").session_id).session_id
    wait_until(lambda: all(end_of(short) in node.log for node in (a, b)), "a short session ends on both")
    for number, node in enumerate((b, a, b, a, a, b), 2):
        for session_id in sessions:
            assert node.get("/count", session_id).values == {"count": number}
    clock.step(0)
    wait_until(lambda: abs(clock_of(a) - time.time()) < 60, "the clock of a is right again")
    for number, node in enumerate((b, a), 8):
        for session_id in sessions:
            assert node.get("/count", session_id).values == {"count": number}
    assert members_seen(a) == members_seen(b) == (1, 0)


def clock_of(node: Node) -> float:
    """The time that a node's answers have, in seconds since the epoch."""
    return parsedate_to_datetime(node.get("/show").headers["Date"]).timestamp()


@pytest.mark.netns
def test_the_address_announced_is_that_of_the_route_to_the_group(
    switch: Switch, make_node: Callable[..., Node]
) -> None:
    a, b = pair_in_namespaces(switch, make_node)
    assert "Replication member added:[tcp://10.99.0.2:4000]" in a.log
    assert "Replication member added:[tcp://10.99.0.1:4000]" in b.log
    session_id = a.get("/count").session_id
    assert b.get("/count", session_id).values == {"count": 2}


@pytest.mark.netns
def test_a_cut_link_blocks_no_request_and_after_it_is_mended_the_nodes_share_again(
    switch: Switch, make_node: Callable[..., Node]
) -> None:
    a, b = pair_in_namespaces(switch, make_node)
    before = a.get("/count").session_id
    assert a.namespace is not None
    a.namespace.cut()
    began = time.monotonic()
    during = a.get("/count", timeout=20).session_id
    assert time.monotonic() - began < 15
    wait_until(lambda: members_seen(a)[1] >= 1 and members_seen(b)[1] >= 1, "each finds the other gone", 30)
    assert b.get("/count", before).values == {"count": 2}
    a.namespace.mend()
    wait_until(lambda: members_seen(a)[0] >= 2 and members_seen(b)[0] >= 2, "they find each other again", 30)
    after = a.get("/count").session_id
    assert b.get("/count", after).values == {"count": 2}
    wait_until(lambda: b.get("/show", during).values == {"count": 1}, "what was made meanwhile comes too", 15)


@pytest.mark.netns
def test_after_an_outage_with_the_route_gone_the_nodes_meet_again(
    switch: Switch, make_node: Callable[..., Node]
) -> None:
    """Ten heartbeats could not be sent, so the membership makes a new socket while there is no route to the group."""
    a, b = pair_in_namespaces(switch, make_node)
    assert a.namespace is not None
    a.namespace.cut()
    wait_until(lambda: "Recovery attempt number [1] failed" in a.log, "the socket is made anew", 30)
    a.namespace.mend()
    wait_until(lambda: "Membership recovery was successful" in a.log, "recovery", 30)
    wait_until(lambda: members_seen(a)[0] >= 2 and members_seen(b)[0] >= 2, "they find each other again", 30)
    session_id = a.get("/count").session_id
    assert b.get("/count", session_id).values == {"count": 2}
    assert "only members on this machine" not in a.log


@pytest.mark.netns
def test_a_node_that_starts_before_its_cable_is_in_joins_when_it_is(
    switch: Switch, make_node: Callable[..., Node]
) -> None:
    cluster = full(GROUP_PORT, send_options=6, receiver='address="auto"', bind="")
    first, second = switch.add("ns1"), switch.add("ns2")
    a = make_node("ns1", cluster=cluster, namespace=first, http_port=8080)
    b = make_node("ns2", cluster=cluster, namespace=second, http_port=8080)
    first.cut()
    a.start(wait=False)
    b.start(wait=False)
    b.wait_started()
    wait_until(lambda: "Looking for a route every" in a.log, "a has no route", 30)
    first.mend()
    wait_until(lambda: members_seen(a)[0] and members_seen(b)[0], "they find each other", 40)
    assert "Replication member added:[tcp://10.99.0.1:4000]" in b.log
    a.wait_started()
    session_id = a.get("/count").session_id
    assert b.get("/count", session_id).values == {"count": 2}


@pytest.mark.netns
def test_lost_heartbeats_do_not_end_a_member_that_still_answers(switch: Switch, make_node: Callable[..., Node]) -> None:
    a, b = pair_in_namespaces(switch, make_node)
    switch.drop_multicast(True)
    assert_stays(lambda: members_seen(a) == members_seen(b) == (1, 0), "each keeps the other beyond dropTime", 4.5)
    session_id = a.get("/count").session_id
    assert b.get("/count", session_id).values == {"count": 2}
    switch.drop_multicast(False)
    assert_stays(lambda: members_seen(a) == members_seen(b) == (1, 0), "each keeps the other", 1.5)


@pytest.mark.netns
def test_a_node_that_joins_unheard_gets_the_sessions_when_it_is_heard(
    switch: Switch, make_node: Callable[..., Node]
) -> None:
    cluster = full(GROUP_PORT, send_options=6, receiver='address="auto"', bind="")
    a, b = (make_node(name, cluster=cluster, namespace=switch.add(name), http_port=8080) for name in ("ns1", "ns2"))
    a.start()
    session_id = a.get("/count").session_id
    switch.drop_multicast(True)
    b.start()
    assert "skipping state transfer" in b.log
    switch.drop_multicast(False)
    wait_until(lambda: "Replication member added" in b.log, "B hears A", 10)
    wait_until(lambda: b.get("/show", session_id).values == {"count": 1}, "B asks for the sessions it missed", 15)


@pytest.mark.netns
def test_heartbeats_that_come_late_are_heartbeats(switch: Switch, make_node: Callable[..., Node]) -> None:
    a, b = pair_in_namespaces(switch, make_node)
    assert a.namespace is not None
    assert b.namespace is not None
    switch.drop_multicast(True)
    relays = [
        MulticastRelay(a.namespace, b.namespace, GROUP_PORT, 2.0),
        MulticastRelay(b.namespace, a.namespace, GROUP_PORT, 2.0),
    ]
    try:
        assert_stays(lambda: members_seen(a) == members_seen(b) == (1, 0), "each keeps the other", 6)
        session_id = a.get("/count").session_id
        assert b.get("/count", session_id).values == {"count": 2}
        assert all(relay.relayed >= 4 for relay in relays)
        assert members_seen(a) == (1, 0)
        assert members_seen(b) == (1, 0)
    finally:
        for relay in relays:
            relay.close()


def test_twenty_thousand_sessions_are_there_at_the_first_answer(make_node: Callable[..., Node]) -> None:
    cluster = full(free_udp_port(), send_options=8)
    a, b = (make_node(name, cluster=cluster) for name in ("big1", "big2"))
    a.start()
    ids = [answer.session_id for answer in a.get_many([("/fill?bytes=1024", None)] * 20_000)]
    assert len(set(ids)) == 20_000
    b.start()
    found = re.search(r"session state sent at \[.*?\] received in \[([\d,]+)\] ms", b.log)
    assert found, b.log
    assert int(found[1].replace(",", "")) < 5000
    for answer in b.get_many([("/show", session_id) for session_id in ids[::20]]):
        assert answer.json["id"] is not None
