"""One group of two Java Tomcats and a node of ours: BackupManager sessions at their owner and one backup."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, worker_counts
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager" mapSendOptions="6"/>'


class Group:
    def __init__(self, base: Path, workers: int) -> None:
        classes = base / "classes"
        classes.mkdir()
        compile_probe(classes)
        cluster = full(free_udp_port(), send_options=6, manager=BACKUP)
        self.java = JavaTomcat("java1", base / "java1", classes, engine_cluster=cluster)
        self.java2 = JavaTomcat("java2", base / "java2", classes, engine_cluster=cluster)
        self.ours = Node("py1", base / "py1", engine_cluster=cluster, workers=workers)
        self.nodes: list[Node] = [self.java, self.java2, self.ours]

    def start(self) -> None:
        self.java.start(wait=False)
        self.java2.start(wait=False)
        self.java.wait_started()
        self.java2.wait_started()
        self.ours.start()
        for node in self.nodes:
            wait_until(partial(node.has_logged, "Replication member added", 2), f"{node.name} sees two", 20)

    def close(self) -> None:
        for node in self.nodes:
            node.close()


@pytest.fixture(scope="module", params=worker_counts(), ids=lambda count: f"workers={count}")
def group(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    made = Group(tmp_path_factory.mktemp("java"), request.param)
    try:
        made.start()
        yield made
    finally:
        made.close()


def count_on(node: Node, sessions: list[str | None], expected: int) -> list[str | None]:
    """One more request for each session; the ids they have now, which carry the node's route."""
    answers = [node.get("/count", session_id) for session_id in sessions]
    assert [answer.values for answer in answers] == [{"count": expected}] * len(sessions)
    return [answer.session_id for answer in answers]


def errors(node: Node) -> list[str]:
    """Lines of a Java log that tell of something it could not read."""
    return [line for line in node.log.splitlines() if "SEVERE" in line and "tribes" in line]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_session_counts_on_across_the_nodes(group: Group, first: int) -> None:
    session_id = None
    for number in range(1, 10):
        answer = group.nodes[(first + number) % 3].get("/count", session_id)
        assert answer.values == {"count": number}
        session_id = answer.session_id


def test_many_sessions_of_ours_are_served_by_java(group: Group) -> None:
    sessions = [group.ours.get("/count").session_id for _ in range(10)]
    sessions = count_on(group.java, sessions, 2)
    count_on(group.java2, sessions, 3)


def test_values_that_only_python_knows_survive_java(group: Group) -> None:
    session_id = group.ours.get("/cart?owner=ann").session_id
    session_id = group.java.get("/count", session_id).session_id
    session_id = group.java2.get("/count", session_id).session_id
    session_id = group.ours.get("/add?item=pear", session_id).session_id
    assert group.ours.get("/show", session_id).values == {"cart": {"items": ["pear"], "owner": "ann"}, "count": 2}


def test_an_invalidated_session_is_gone_everywhere(group: Group) -> None:
    for first, second in ((group.ours, group.java), (group.java, group.ours)):
        session_id = first.get("/count").session_id
        session_id = second.get("/count", session_id).session_id
        session_id = first.get("/invalidate", session_id).session_id
        assert [node.get("/show", session_id).json["id"] for node in group.nodes] == [None] * 3


def test_nothing_was_unreadable_for_java(group: Group) -> None:
    assert errors(group.java) == []
    assert errors(group.java2) == []


def test_kill_9_of_our_node_leaves_its_sessions_at_java(group: Group) -> None:
    sessions = [group.ours.get("/count").session_id for _ in range(10)]
    group.ours.kill()
    for node in (group.java, group.java2):
        wait_until(partial(node.has_logged, "Received member disappeared"), f"{node.name} notices", 30)
    sessions = count_on(group.java, sessions, 2)
    group.ours.start()
    for node in (group.java, group.java2):
        wait_until(partial(node.has_logged, "Replication member added", 3), f"{node.name} sees it again", 30)
    count_on(group.ours, sessions, 3)


def test_kill_9_of_a_java_node_leaves_its_sessions_at_the_others(group: Group) -> None:
    sessions = [group.java2.get("/count").session_id for _ in range(10)]
    group.java2.kill()
    wait_until(lambda: "Received member disappeared" in group.ours.log[-4000:], "we notice", 30)
    sessions = count_on(group.ours, sessions, 2)
    count_on(group.java, sessions, 3)
