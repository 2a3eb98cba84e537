"""One group of a Java Tomcat 10.1 and a node of ours: DeltaManager sessions both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.cluster.test_drain import catalina
from tests.interop.java_tomcat import JavaTomcat, compile_probe, described
from tests.support.ports import free_udp_port
from tests.support.waiting import let_pass, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]


class Group:
    """A Java node and one of ours, which have each other as members."""

    def __init__(self, java: JavaTomcat, ours: Node) -> None:
        self.java = java
        self.ours = ours

    def both(self) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        return (self.java, self.ours), (self.ours, self.java)


@pytest.fixture(scope="module", params=[1, 3], ids=["one process", "three workers"])
def group(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    base: Path = tmp_path_factory.mktemp("java")
    classes = base / "classes"
    classes.mkdir()
    compile_probe(classes)
    cluster = full(free_udp_port(), send_options=6)
    java = JavaTomcat("java1", base / "java1", classes, cluster=cluster)
    ours = Node("py1", base / "py1", cluster=cluster, workers=request.param)
    java.start()
    ours.start()
    wait_until(lambda: "Replication member added" in java.log, "Java sees our node")
    try:
        yield Group(java, ours)
    finally:
        java.close()
        ours.close()


def eventually(node: Node, session_id: str | None, values: object) -> None:
    """The same values on the other node; both send with 6, so it takes no time but that of a late ACK."""
    wait_until(lambda: node.get("/show", session_id).values == values, f"{node.name} has {values}", 5)


@pytest.mark.parametrize("first", ["java", "ours"])
def test_a_session_counts_on_across_the_nodes(group: Group, first: str) -> None:
    nodes = [group.java, group.ours] if first == "java" else [group.ours, group.java]
    session_id = None
    for number in range(1, 7):
        answer = nodes[(number + 1) % 2].get("/count", session_id)
        assert answer.values == {"count": number}
        session_id = answer.session_id
        let_pass(0.05, "the other node has the change a moment after the answer")
    assert answer.json["original_id"]


def test_java_reads_every_portable_value_of_ours(group: Group) -> None:
    session_id = group.ours.get("/types").session_id
    seen = described(group.java, session_id).values
    assert {name: seen[name] for name in sorted(seen) if name not in ("tuple", "cart")} == {
        "text": "String(Grüße \x00 \U0001f600)",
        "yes": "Boolean(true)",
        "small": "Integer(1)",
        "long": "Long(1099511627776)",
        "huge": "BigInteger(-1267650600228229401496703205376)",
        "float": "Double(1.5)",
        "bytes": "byte[ff/2]",
        "list": "ArrayList[Integer(1), String(a), null, ArrayList[Double(2.0)]]",
        "dict": "LinkedHashMap[String(a)=Integer(1), String(b)=ArrayList[Integer(1), Integer(2)]]",
        "set": "HashSet[Integer(1), Integer(2), Integer(3)]",
        "decimal": "BigDecimal(1.10)",
        "uuid": "UUID(00000000-0000-0000-0000-000000000005)",
        "instant": "Instant(2026-01-02T03:04:05Z)",
    }
    assert seen["tuple"].startswith("byte[")
    assert seen["cart"].startswith("byte[")


def test_what_only_python_knows_survives_java_and_comes_back(group: Group) -> None:
    answer = group.ours.get("/types")
    through_java = group.java.get("/count", answer.session_id)
    back = group.ours.get("/show", through_java.session_id)
    assert back.values["count"] == 1
    assert back.values["cart"] == {"items": ["apple"], "owner": "joe"}
    assert back.values["tuple"] == "(1, (2, 3))"


def test_we_read_every_portable_value_of_java(group: Group) -> None:
    session_id = group.java.get("/types").session_id
    answer = group.ours.get("/check_types", session_id)
    assert answer.values["wrong"] == {}
    assert answer.values["tree"] == {"k": "v"}


def test_a_class_that_only_java_has_survives_our_node(group: Group) -> None:
    answer = group.java.get("/types")
    through_us = group.ours.get("/count", answer.session_id)
    assert "opaque" in through_us.values["foreign"]
    back = described(group.java, through_us.session_id)
    assert back.values["foreign"] == "Foreign(Foreign[text=only here, number=7])"
    assert back.values["tree"] == "TreeMap[String(k)=String(v)]"
    assert back.values["count"] == "Integer(1)"


def test_a_removed_attribute_is_gone_on_the_other_side(group: Group) -> None:
    for here, there in group.both():
        session_id = here.get("/put?x=1&y=2").session_id
        here.get("/remove?name=x", session_id)
        eventually(there, session_id, {"y": "2"})


def test_an_invalidated_session_is_gone_on_the_other_side(group: Group) -> None:
    for here, there in group.both():
        session_id = here.get("/put?x=1").session_id
        here.get("/invalidate", session_id)
        wait_until(lambda: there.get("/show", session_id).json["id"] is None, "gone", 5)  # noqa: B023 -- at once


def test_a_changed_id_is_known_on_the_other_side(group: Group) -> None:
    for here, there in group.both():
        old = here.get("/put?x=1")
        new = here.get("/change_id", old.session_id)
        assert new.session_id != old.session_id
        eventually(there, new.session_id, {"x": "1"})
        assert there.get("/show", old.session_id).json["id"] is None


def test_a_session_that_expires_on_one_side_is_gone_on_the_other(group: Group) -> None:
    for here, there in group.both():
        session_id = here.get("/put?x=1").session_id
        eventually(there, session_id, {"x": "1"})
        last = there.get("/interval?seconds=1", session_id).session_id
        let_pass(1.0, "the interval itself")
        wait_until(lambda: there.get("/show", last).json["id"] is None, "expired", 5)  # noqa: B023 -- at once
        assert here.get("/show", last).json["id"] is None


def test_the_state_goes_to_a_node_of_ours_that_joins_java(group: Group) -> None:
    answer = group.java.get("/types")
    group.java.get("/count", answer.session_id)
    mark = len(group.ours.log)
    group.ours.stop()
    group.ours.start()
    log = group.ours.log[mark:]
    assert log.index("session state sent at [") < log.index("Starting ProtocolHandler")
    seen = group.ours.get("/check_types", answer.session_id)
    assert seen.values["wrong"] == {}
    assert seen.values["count"] == 1


def test_the_state_goes_to_a_java_node_that_joins_us_and_a_kill_loses_nothing(group: Group) -> None:
    wait_until(lambda: group.java.log.count("Replication member added") >= 2, "Java sees our node again")
    answer = group.ours.get("/types")
    group.java.kill()
    moved = group.ours.get("/count", answer.session_id)
    assert moved.values["count"] == 1
    group.java.start()
    seen = described(group.java, moved.session_id)
    assert seen.values["count"] == "Integer(1)"
    assert seen.values["dict"] == "LinkedHashMap[String(a)=Integer(1), String(b)=ArrayList[Integer(1), Integer(2)]]"
    assert re.search(r"session state sent at \[.*\] received in \[[\d,]+\] ms", group.java.log)


def test_after_a_kill_of_our_node_java_has_every_session(group: Group) -> None:
    wait_until(lambda: "Replication member added" in group.java.log.split("Server startup")[-1]
               or group.ours.get("/show").status == 200, "both run")  # fmt: skip
    answers = [group.ours.get("/count") for _ in range(20)]
    group.ours.kill()
    assert [group.java.get("/count", answer.session_id).values for answer in answers] == [{"count": 2}] * 20
    group.ours.start()


def test_no_log_has_an_error_of_the_protocol(group: Group) -> None:
    assert not re.search(r"Unable to receive message through TCP channel|InvalidClassException|invalid header|"
                         r"StreamCorrupted|OptionalData|Unable to deserialize", group.java.log)  # fmt: skip
    # A message that meets the death of its receiver fails, and the log says so.
    ours = [line for line in group.ours.log.splitlines() if "Unable to send message through cluster sender" not in line]
    assert not [line for line in ours if " SEVERE " in line or "Traceback" in line], group.ours.log


def test_a_java_node_that_is_examined_says_that_it_answers_no_questions_and_logs_nothing_bad(group: Group) -> None:
    before = len(group.java.log)
    report = json.loads(catalina(group.ours, "doctor", "--json").stdout)
    found = [each["text"] for each in report["findings"] if each["check"] == "questions"]
    assert len(found) == 1
    assert "is a Java node: it answers no questions" in found[0]
    assert not re.search("SEVERE|WARNING|Exception", group.java.log[before:])
