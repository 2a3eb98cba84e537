"""Sessions that are used on both sides of an outage, and what has become of them when it is over.

Used by ``test_faults.py`` and by ``benchmarks/faults.py``, which does the same to Java nodes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.cluster.namespaces import Switch
from tests.cluster.node import Answer, Node
from tests.support.waiting import comes_true, take_time, wait_until

__all__ = ["CHECKS", "CONFIGURATIONS", "KINDS", "OUTAGE_SECONDS", "Outage", "manager_of"]

#: Seconds of an outage: members drop each other after three.
OUTAGE_SECONDS = 9.0
#: Seconds after which a session of the test is idle; it is in use on one side all the time.
INTERVAL_SECONDS = 6
#: Rounds in which both nodes change one session at once.
ROUNDS = 10

KINDS = ("cut", "black hole", "one way", "freeze")
#: Manager and how its messages are sent.
CONFIGURATIONS = (("Delta", 8), ("Delta", 6), ("Backup", 6), ("Backup", 8))


def manager_of(kind: str, options: int) -> str:
    """The <Manager> of a configuration."""
    if kind == "Backup":
        return f'<Manager className="org.apache.catalina.ha.session.BackupManager" mapSendOptions="{options}"/>'
    return '<Manager className="org.apache.catalina.ha.session.DeltaManager"/>'


class Client:
    """Somebody with one session, whose cookie follows what the nodes say."""

    def __init__(self, node: Node, path: str) -> None:
        self.session_id = node.get(path, timeout=20).session_id

    def get(self, node: Node, path: str) -> Answer:
        answer = node.get(path, self.session_id, timeout=20)
        self.session_id = answer.session_id
        return answer


class Outage:
    """Nodes, what their clients did, and the way in which the first is kept apart from the others.

    Args:
        kind: of :data:`KINDS`.
        nodes: in namespaces of the switch, not started.
        joined: what a node's log says of each other one.
        patience: seconds that the sessions have to become right.
    """

    def __init__(
        self, kind: str, switch: Switch, nodes: Sequence[Node], joined: str = "member added", patience: float = 20
    ) -> None:
        self.kind = kind
        self.switch = switch
        self.nodes = list(nodes)
        self.a, self.b = self.nodes[:2]
        self.patience = patience
        self.clients: dict[str, Client] = {}
        self.counted = 0
        self.lost_at_once = 0
        self.different = 0
        self._joined = joined

    def begin(self) -> None:
        a = self.a.namespace
        assert a is not None
        if self.kind == "cut":
            a.cut()
        elif self.kind == "freeze":
            self._signal(signal.SIGSTOP)
        for other in self.nodes[1:] if self.kind in ("black hole", "one way") else ():
            assert other.namespace is not None
            self.switch.black_hole(a, other.namespace, both_ways=self.kind == "black hole")

    def end(self) -> None:
        assert self.a.namespace is not None
        if self.kind == "cut":
            self.a.namespace.mend()
        elif self.kind == "freeze":
            self._signal(signal.SIGCONT)
        else:
            self.switch.heal()

    def _signal(self, number: int) -> None:
        for pid in self.a.processes():
            os.kill(pid, number)

    def run(self) -> None:
        """Make the sessions, use them during the outage, and wait until the nodes have seen each other again."""
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_started()
        others = len(self.nodes) - 1
        wait_until(lambda: all(node.log.count(self._joined) >= others for node in self.nodes), "they see each other")
        self._before()
        self._at_once()
        self.begin()
        self._during()
        self.end()
        wait_until(self._share, "what happens after the outage is on all nodes", 40)

    def _share(self) -> bool:
        client = Client(self.a, "/count")
        return all(self._sees(client, node, "count", 1) for node in self.nodes[1:])

    def _before(self) -> None:
        for name in ("left", "right", "both", "same", "logout", "logout crossed", "read", "in use", "login", "at once"):
            wait_until(partial(self._make, name), "every node has every session", 30)
        self.clients["in use"].get(self.a, f"/interval?seconds={INTERVAL_SECONDS}")

    def _make(self, name: str) -> bool:
        """A session that all nodes have; Java nodes may lose one that is told without acknowledgement."""
        self.clients[name] = Client(self.a, "/put?n=0")
        return self._has(self.clients[name])

    def _has(self, client: Client) -> bool:
        """A look is a request: the session goes from node to node, and at last is the first one's again."""
        return all(self._sees(client, node, "n", "0") for node in (*self.nodes[1:], self.a))

    @staticmethod
    def _sees(client: Client, node: Node, name: str, value: Any) -> bool:
        """True when a node shows a value within a second: it may be told a moment later where the session is now."""
        return comes_true(lambda: client.get(node, "/show").values.get(name) == value, 1.0)

    def _at_once(self) -> None:
        """Two requests for one session on two nodes at the same moment, while nothing fails."""
        client = self.clients["at once"]
        for number in range(ROUNDS):
            session_id = client.session_id
            paths = (f"/put?left={number}&both=left{number}", f"/put?right={number}&both=right{number}")
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(lambda node, path: node.get(path, session_id), (self.a, self.b), paths))  # noqa: B023
            client.session_id = next((each.session_id for each in answers if each.session_id != session_id), session_id)
            self._compare(client, str(number))

    def _compare(self, client: Client, number: str) -> None:
        nodes = (self.b, self.a)
        is_kept = all(self._sees(client, node, name, number) for node in nodes for name in ("left", "right"))
        both = client.get(self.b, "/show").values.get("both")
        self.lost_at_once += not is_kept
        self.different += not self._sees(client, self.a, "both", both)

    def _during(self) -> None:
        """Sessions on both sides; the requests of the first seconds meet nodes that do not know of the outage yet."""
        began = time.monotonic()
        b, clients = self.b, self.clients
        if self.kind != "freeze":  # a node that stands still serves nobody
            self._on_both_sides()
        self.stale_read = clients["read"].session_id
        clients["right"].get(b, "/put?n=right")
        for number in range(3):
            clients["read"].get(b, f"/put?n={number + 1}")
        clients["new right"] = Client(b, "/put?n=new")
        self.before_login = clients["login"].session_id
        clients["login"].get(b, "/change_id")
        clients["login"].get(b, "/put?n=in")
        while time.monotonic() - began < OUTAGE_SECONDS:
            self.counted = clients["in use"].get(b, "/count").values["count"]
            take_time(0.5)
        clients["logout"].get(b, "/invalidate")
        b.get("/put?n=later", clients["same"].session_id, timeout=20)
        if self.kind != "freeze":
            self.a.get("/show", self.stale_read, timeout=20)

    def _on_both_sides(self) -> None:
        a, b, clients = self.a, self.b, self.clients
        clients["left"].get(a, "/put?n=left")
        stale = clients["both"].session_id
        a.get("/put?left=1", stale, timeout=20)
        b.get("/put?right=2", stale, timeout=20)
        a.get("/put?n=earlier", clients["same"].session_id, timeout=20)
        b.get("/put?n=crossed", clients["logout crossed"].session_id, timeout=20)
        clients["logout crossed"].get(a, "/invalidate")
        a.get("/show", clients["login"].session_id, timeout=20)
        clients["new left"] = Client(a, "/put?n=new")

    # -- what has become of it -------------------------------------------------------------------------------------

    def values(self, name: str, node: Node) -> Any:
        return self.clients[name].get(node, "/show").values

    def everywhere(self, name: str, **expected: Any) -> str:
        """Empty when all nodes have these values, among others, within some seconds; else what one of them has."""
        return self._wait(lambda node: self.values(name, node), lambda values: expected.items() <= values.items())

    def nowhere(self, session_id: str | None) -> str:
        """Empty when no node has the session any more, within some seconds."""
        return self._wait(lambda node: node.get("/show", session_id).values, lambda values: values == {})

    def _wait(self, look: Callable[[Node], Any], is_right: Callable[[Any], bool]) -> str:
        for node in self.nodes:
            if not comes_true(partial(_shows, node, look, is_right), self.patience, 0.05):
                return f"{node.name} has {look(node)}"
        return ""

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.switch.close()


def _both_sides(check: Callable[[Outage], str]) -> Callable[[Outage], str | None]:
    return lambda outage: None if outage.kind == "freeze" else check(outage)


#: Promises, and their checks: the result is empty when the promise holds, otherwise the observation; None when the
#: outage does not concern it.
CHECKS: dict[str, Callable[[Outage], str | None]] = {
    "a change of the cut-off side is on all nodes": _both_sides(lambda o: o.everywhere("left", n="left")),
    "a change of the other side is on all nodes": lambda o: o.everywhere("right", n="right"),
    "different attributes changed on both sides both stay": _both_sides(
        lambda o: o.everywhere("both", left="1", right="2")
    ),
    "of one attribute changed on both sides the later value is on all nodes": lambda o: o.everywhere("same", n="later"),
    "who logged out on the other side is logged out": lambda o: o.nowhere(o.clients["logout"].session_id),
    "a logout wins over a change that crosses it": _both_sides(
        lambda o: o.nowhere(o.clients["logout crossed"].session_id)
    ),
    "a read on the stale side takes nothing back": lambda o: o.everywhere("read", n="3"),
    "a new session of the cut-off side is on all nodes": _both_sides(lambda o: o.everywhere("new left", n="new")),
    "a new session of the other side is on all nodes": lambda o: o.everywhere("new right", n="new"),
    "a stale copy that idles out ends no session in use": lambda o: o.everywhere("in use", count=o.counted),
    "a new id of a login is known to all nodes": lambda o: o.everywhere("login", n="in"),
    "the id from before the login leads nowhere": lambda o: o.nowhere(o.before_login),
    "two requests at once on two nodes: different attributes both stay": lambda o: (
        f"{o.lost_at_once} of {ROUNDS} lost one" if o.lost_at_once else ""
    ),
    "two requests at once on two nodes: the same attribute is the same": lambda o: (
        f"{o.different} of {ROUNDS} differ" if o.different else ""
    ),
}


def _shows(node: Node, look: Callable[[Node], Any], is_right: Callable[[Any], bool]) -> bool:
    return is_right(look(node))
