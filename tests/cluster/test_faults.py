"""The sessions that two nodes have after they could not talk to each other for a while, and clients went on using both.

Each kind of outage happens once for each manager, with several sessions that are used in different ways meanwhile; each
test looks at one of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import full
from tests.cluster.namespaces import Switch
from tests.cluster.node import Answer, Node, wait_until
from tests.support.needs import need_command, need_network_namespaces

pytestmark = [pytest.mark.cluster, pytest.mark.netns]

GROUP_PORT = 45565
#: Seconds of an outage: members drop each other after three.
OUTAGE_SECONDS = 9.0
#: Seconds after which a session of the test is idle; it is in use on one side all the time.
INTERVAL_SECONDS = 6

BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager" mapSendOptions="6"/>'
DELTA = '<Manager className="org.apache.catalina.ha.session.DeltaManager"/>'


class Client:
    """Somebody with one session, whose cookie follows what the nodes say."""

    def __init__(self, node: Node, path: str) -> None:
        self.session_id = node.get(path).session_id

    def get(self, node: Node, path: str) -> Answer:
        answer = node.get(path, self.session_id, timeout=20)
        self.session_id = answer.session_id
        return answer


class Outage:
    """Two nodes, what their clients did, and the way in which they are kept apart."""

    def __init__(self, kind: str, base: Path, cluster: str) -> None:
        self.kind = kind
        self.switch = Switch()
        self.a, self.b = (
            Node(name, base / name, cluster=cluster, namespace=self.switch.add(name), http_port=8080)
            for name in ("fa", "fb")
        )
        self.clients: dict[str, Client] = {}
        self.counted = 0

    def begin(self) -> None:
        a, b = self.a.namespace, self.b.namespace
        assert a is not None
        assert b is not None
        match self.kind:
            case "cut":
                a.cut()
            case "black hole":
                self.switch.black_hole(a, b)
            case "one way":
                self.switch.black_hole(a, b, both_ways=False)

    def end(self) -> None:
        assert self.a.namespace is not None
        if self.kind == "cut":
            self.a.namespace.mend()
        else:
            self.switch.heal()

    def run(self) -> None:
        """Make the sessions, use them during the outage, and wait until the nodes have seen each other again."""
        for node in (self.a, self.b):
            node.start(wait=False)
        for node in (self.a, self.b):
            node.wait_started()
        wait_until(lambda: all("member added" in node.log for node in (self.a, self.b)), "they see each other")
        self._before()
        self.begin()
        self._during()
        self.end()
        self.clients["after"] = Client(self.a, "/put?where=after")
        wait_until(self._share, "what happens after the outage is on both nodes", 40)

    def _share(self) -> bool:
        client = self.clients["after"]
        client.get(self.a, "/count")
        count = client.get(self.a, "/show").values["count"]
        return bool(client.get(self.b, "/show").values.get("count") == count)

    def _before(self) -> None:
        for name in ("left", "right", "both", "same", "logout", "logout crossed", "read", "in use"):
            self.clients[name] = Client(self.a, "/put?n=0")
        self.clients["in use"].get(self.a, f"/interval?seconds={INTERVAL_SECONDS}")
        for client in self.clients.values():
            wait_until(lambda client=client: self._has(client), "b has every session")

    def _has(self, client: Client) -> bool:
        return bool(self.b.get("/show", client.session_id).values.get("n") == "0")

    def _during(self) -> None:
        """Sessions on both sides; the requests of the first seconds meet nodes that do not know of the outage yet."""
        began = time.monotonic()
        a, b, clients = self.a, self.b, self.clients
        clients["left"].get(a, "/put?n=left")
        clients["right"].get(b, "/put?n=right")
        stale = clients["both"].session_id
        a.get("/put?left=1", stale, timeout=20)
        b.get("/put?right=2", stale, timeout=20)
        a.get("/put?n=earlier", clients["same"].session_id, timeout=20)
        clients["logout"].get(a, "/invalidate")
        b.get("/put?n=crossed", clients["logout crossed"].session_id, timeout=20)
        clients["logout crossed"].get(a, "/invalidate")
        self.stale_read = clients["read"].session_id
        for number in range(3):
            clients["read"].get(b, f"/put?n={number + 1}")
        a.get("/show", self.stale_read, timeout=20)
        clients["new left"] = Client(a, "/put?n=new")
        clients["new right"] = Client(b, "/put?n=new")
        while time.monotonic() - began < OUTAGE_SECONDS:
            self.counted = clients["in use"].get(b, "/count").values["count"]
            time.sleep(0.5)
        b.get("/put?n=later", clients["same"].session_id, timeout=20)
        a.get("/show", self.stale_read, timeout=20)

    def values(self, name: str, node: Node) -> Any:
        return self.clients[name].get(node, "/show").values

    def everywhere(self, name: str, expected: dict[str, Any]) -> bool:
        """True when both nodes have these values, among others, within some seconds."""
        for node in (self.a, self.b):
            wait_until(
                lambda node=node: expected.items() <= self.values(name, node).items(),
                f"{name} is {expected} on {node.name}, and not {self.values(name, node)}",
                20,
            )
        return True

    def close(self) -> None:
        for node in (self.a, self.b):
            node.close()
        self.switch.close()


@pytest.fixture(
    scope="module",
    params=[
        ("cut", 8, DELTA),
        ("black hole", 6, DELTA),
        ("one way", 8, DELTA),
        ("cut", 6, BACKUP),
        ("black hole", 6, BACKUP),
        ("one way", 6, BACKUP),
    ],
    ids=lambda param: f"{param[0]}, options {param[1]}, {'Delta' if param[2] is DELTA else 'Backup'}",
)
def outage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    need_network_namespaces()
    need_command("nft", "nftables")
    kind, options, manager = request.param
    cluster = full(GROUP_PORT, send_options=options, receiver='address="auto"', bind="", manager=manager)
    if manager is BACKUP:  # its map is keyed by the whole id, as Java's: a new route is another entry
        cluster = cluster.replace('<Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>', "")
    found = Outage(kind, tmp_path_factory.mktemp("outage"), cluster)
    try:
        found.run()
        yield found
    finally:
        found.close()


def test_what_one_side_changed_is_on_both(outage: Outage) -> None:
    assert outage.everywhere("left", {"n": "left"})
    assert outage.everywhere("right", {"n": "right"})


def test_different_attributes_that_both_sides_changed_both_stay(outage: Outage) -> None:
    assert outage.everywhere("both", {"left": "1", "right": "2"})


def test_of_one_attribute_that_both_sides_changed_the_later_value_is_on_both(outage: Outage) -> None:
    assert outage.everywhere("same", {"n": "later"})


@pytest.mark.parametrize("name", ["logout", "logout crossed"])
def test_who_was_logged_out_on_one_side_is_logged_out(outage: Outage, name: str) -> None:
    for node in (outage.a, outage.b):
        wait_until(lambda node=node: outage.values(name, node) == {}, f"no session on {node.name}", 20)


def test_a_read_on_the_stale_side_takes_nothing_back(outage: Outage) -> None:
    assert outage.everywhere("read", {"n": "3"})


def test_sessions_that_were_made_meanwhile_are_on_both(outage: Outage) -> None:
    assert outage.everywhere("new left", {"n": "new"})
    assert outage.everywhere("new right", {"n": "new"})


def test_a_stale_copy_that_idles_out_does_not_end_the_session_that_is_in_use(outage: Outage) -> None:
    assert outage.everywhere("in use", {"count": outage.counted})
