"""The HOW-TO's default, channelSendOptions 8, in one group with a Java Tomcat: nobody waits, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.support.ports import free_udp_port
from tests.support.waiting import let_pass, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

SESSIONS = 40
REQUESTS = 10


def counted(node: Node) -> list[str | None]:
    """Sessions that were used ten times on the node, one request right behind the other."""
    ids: list[str | None] = [node.get("/count").session_id for _ in range(SESSIONS)]
    for session_id in ids:
        node.get_many([("/count", session_id)] * (REQUESTS - 1))
    return ids


def counted_apart(node: Node) -> list[str | None]:
    """The same with requests some milliseconds apart.

    A Java node sends two changes at a time, and only its clock, in whole milliseconds, says which was the later one.
    """
    ids: list[str | None] = [node.get("/count").session_id for _ in range(SESSIONS)]
    for session_id in ids:
        for _ in range(REQUESTS - 1):
            let_pass(0.002, "Java's clock tells the two changes apart by whole milliseconds")
            node.get("/count", session_id)
    return ids


def settle(sender: Node, receiver: Node) -> None:
    """Until a session that was made last has arrived. To look at the others would move them before their time."""
    sentinel = sender.get("/count").session_id
    wait_until(lambda: receiver.get("/show", sentinel).values == {"count": 1}, "the last one arrives", 10)
    let_pass(0.5, "a Java receiver works on several messages at a time")


def test_after_a_pause_every_session_is_complete_on_the_other_side_also_when_its_node_is_killed(tmp_path: Path) -> None:
    classes = tmp_path / "classes"
    classes.mkdir()
    compile_probe(classes)
    cluster = full(free_udp_port(), send_options=8)
    java = JavaTomcat("java8", tmp_path / "java8", classes, cluster=cluster)
    ours = Node("py8", tmp_path / "py8", cluster=cluster)
    try:
        java.start()
        ours.start()
        wait_until(lambda: "Replication member added" in java.log, "Java sees our node")
        ids = counted_apart(java)
        settle(java, ours)
        assert [ours.get("/show", session_id).values for session_id in ids] == [{"count": REQUESTS}] * SESSIONS
        ids = counted(ours)
        settle(ours, java)
        assert [java.get("/show", session_id).values for session_id in ids] == [{"count": REQUESTS}] * SESSIONS
        ids = counted(ours)
        settle(ours, java)
        ours.kill()
        assert [java.get("/count", session_id).values for session_id in ids] == [{"count": REQUESTS + 1}] * SESSIONS
    finally:
        java.close()
        ours.close()
