"""The HOW-TO's story, "How it Works", with two real nodes: one test for each of its nine steps.

The story is told once, in the fixture; the tests look at what was seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, worker_counts
from tests.cluster.watched_webapp import end_of, watched_webapp
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=worker_counts(), ids="{}-workers".format)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Both nodes, and what was seen at each step."""
    base: Path = tmp_path_factory.mktemp("story")
    cluster = full(free_udp_port(), send_options=6)
    webapp = watched_webapp(base / "webapp")
    a = Node("tomcatA", base / "tomcatA", cluster=cluster, webapp=webapp, workers=request.param)
    # B looks for sessions whose time is up in ten minutes only: what ends there before, ends because A has said so.
    b = Node(
        "tomcatB",
        base / "tomcatB",
        cluster=cluster,
        webapp=webapp,
        context_xml='<Context backgroundProcessorDelay="600"/>',
        workers=request.param,
    )
    seen: dict[str, Any] = {"a": a, "b": b}
    try:
        a.start()
        seen["1 log"] = a.log
        b.start()
        seen["2 log"] = b.log
        s1 = seen["3"] = a.get("/count")
        a.get("/put?user=joe", s1.session_id)
        a.kill()
        killed = time.monotonic()
        wait_until(lambda: "Received member disappeared" in b.log, "B notices that A is gone")
        seen["4 seconds"] = time.monotonic() - killed
        s1_on_b = seen["5"] = b.get("/count", s1.session_id)
        mark = len(a.log)
        a.start()
        seen["6 log"] = a.log[mark:]
        seen["6"] = a.get("/show", s1_on_b.session_id)
        seen["7"] = a.get("/invalidate", seen["6"].session_id)
        seen["7 on b"] = [b.get("/show", answer.session_id) for answer in (seen["7"], seen["6"], s1_on_b)]
        s2 = seen["8"] = b.get("/count")
        seen["8 on a"] = a.get("/count", s2.session_id)
        short = a.get("/interval?seconds=1", seen["8 on a"].session_id)
        # No request about the session goes to B now: B would end it itself then, as its time is up.
        for name, node in (("9 on a", a), ("9 on b", b)):
            end = end_of(short.session_id)
            wait_until(partial(node.has_logged, end), f"S2 ends on {node.name}")
            seen[name] = node.log.count(end)
        seen["9 asked b"] = b.get("/show", short.session_id)
        yield seen
    finally:
        a.close()
        b.close()


def test_step_1_tomcat_a_starts(story: dict[str, Any]) -> None:
    lines = [
        "Cluster is about to start",
        "Receiver Server Socket bound to:[/127.0.0.1:4",
        "Attempting to bind the multicast socket to [/228.0.0.4:",
        "Sleeping for [1000] milliseconds to establish cluster membership, start level:[4]",
        "Done sleeping, membership established, start level:[4]",
        "Sleeping for [1000] milliseconds to establish cluster membership, start level:[8]",
        "Done sleeping, membership established, start level:[8]",
        "Register manager [/app] to cluster element [Host] with name [localhost]",
        "Manager [/app]: skipping state transfer. No members active in cluster group.",
        "Starting ProtocolHandler",
        "Server startup in [",
    ]
    log: str = story["1 log"]
    positions = [*map(log.find, lines[:-1]), log.rfind(lines[-1])]  # each process says that it has started
    assert -1 not in positions, lines[positions.index(-1)]
    assert positions == sorted(positions)


def test_step_2_tomcat_b_starts_and_asks_a_for_the_state_before_it_listens(story: dict[str, Any]) -> None:
    log = story["2 log"]
    assert re.search(r"Replication member added:\[tcp://127\.0\.0\.1:4\d\d\d\]", log)
    asked = log.index("Manager [/app], requesting session state from [tcp://127.0.0.1:4")
    received = log.index("Manager [/app]; session state sent at [")
    assert asked < received < log.index("Starting ProtocolHandler")


def test_step_3_tomcat_a_makes_a_session(story: dict[str, Any]) -> None:
    answer = story["3"]
    assert answer.status == 200
    assert answer.values == {"count": 1}
    assert re.fullmatch(r"[0-9A-F]{32}\.tomcatA", answer.session_id)


def test_step_4_tomcat_a_crashes_and_b_notices(story: dict[str, Any]) -> None:
    assert story["4 seconds"] < 10  # dropTime 3 s, and one heartbeat of the channel (docs/wire.md 1.2)


def test_step_5_tomcat_b_serves_the_session(story: dict[str, Any]) -> None:
    answer = story["5"]
    assert answer.values == {"count": 2, "user": "joe"}
    assert answer.session_id == story["3"].session_id.replace(".tomcatA", ".tomcatB")
    assert answer.json["original_id"] == story["3"].session_id


def test_step_6_tomcat_a_starts_again_and_has_the_session_before_it_listens(story: dict[str, Any]) -> None:
    log = story["6 log"]
    assert log.index("session state sent at [") < log.index("Starting ProtocolHandler")
    assert story["6"].values == {"count": 2, "user": "joe"}


def test_step_7_tomcat_a_invalidates_the_session_and_it_is_gone_on_b(story: dict[str, Any]) -> None:
    assert story["7"].json["id"] is None
    assert [answer.json["id"] for answer in story["7 on b"]] == [None] * 3


def test_step_8_tomcat_b_makes_another_session_and_a_has_it(story: dict[str, Any]) -> None:
    assert story["8"].values == {"count": 1}
    assert story["8 on a"].values == {"count": 2}
    assert story["8"].session_id.split(".")[0] != story["3"].session_id.split(".")[0]


def test_step_9_the_session_expires_on_a_and_is_gone_on_b(story: dict[str, Any]) -> None:
    assert (story["9 on a"], story["9 on b"]) == (1, 1)
    assert story["9 asked b"].json["id"] is None


def test_no_step_left_an_error_in_a_log(story: dict[str, Any]) -> None:
    for node in (story["a"], story["b"]):
        assert not re.search(r" (SEVERE|ERROR) |Traceback", node.log), node.log
