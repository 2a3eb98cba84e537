"""``catalina doctor`` in a real group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, started
from tests.cluster.test_drain import catalina
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes that differ in their send options."""
    port = free_udp_port()
    made = [Node(f"n{options}", tmp_path / f"n{options}", full(port, send_options=options)) for options in (8, 6)]
    with started(made):
        yield made


def test_the_group_is_examined_from_one_node(nodes: list[Node]) -> None:
    one, two = nodes
    wait_until(lambda: "MEMBER" in catalina(one, "status").stdout, "the nodes see each other")
    done = catalina(one, "doctor", "--json")
    report = json.loads(done.stdout)
    found = {(each["check"], each["verdict"]): each["text"] for each in report["findings"]}
    assert (done.returncode, report["verdict"]) == (1, "warning")
    assert found["multicast", "ok"].endswith("comes back")
    assert "takes connections" in found["members", "ok"]
    assert "fits into a packet" in found["fragments", "ok"]
    assert found["settings", "warning"].startswith("channelSendOptions: 8 here, 6 on tcp://127.0.0.1:")
    assert "only nodes on this machine reach it" in found["addresses", "warning"]
    assert ("clock", "ok") in found
    assert not any(verdict == "error" for _, verdict in found)
    two.kill()
    wait_until(lambda: "MEMBER" not in catalina(one, "status").stdout, "the other node is found dead")
    alone = catalina(one, "doctor")
    assert alone.returncode == 1
    assert "WARNING  multicast: nobody else is heard on 228.0.0.4:" in alone.stdout


ENCRYPT = (
    '<Interceptor className="org.apache.catalina.tribes.group.interceptors.EncryptInterceptor" encryptionKey="{}"/>'
)

#: Does not wait long for sessions that never come.
IMPATIENT = '<Manager className="org.apache.catalina.ha.session.DeltaManager" stateTransferTimeout="2"/>'


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes whose EncryptInterceptors have different keys."""
    port = free_udp_port()
    made = [
        Node(f"n{key}", tmp_path / key, full(port, interceptors=ENCRYPT.format(key * 32), manager=IMPATIENT))
        for key in "ab"
    ]
    with started(made):
        yield made


def test_a_member_with_another_key_is_named(strangers: list[Node]) -> None:
    one, two = strangers
    wait_until(lambda: "MEMBER" in catalina(one, "status").stdout, "the nodes see each other")
    two.get("/count")  # its news of the session cannot be opened here
    wait_until(lambda: "Failed to decrypt message" in one.log, "a message has come that does not open")
    done = catalina(one, "doctor", "--json")
    found = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "keys"]
    assert [each["verdict"] for each in found] == ["error"], done.stdout
    assert found[0]["text"].startswith("this node's key does not open the messages of tcp://127.0.0.1:")
    assert "encryptionKey" in found[0]["advice"]
    assert done.returncode == 2
