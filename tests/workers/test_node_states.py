"""State that the workers of a node share through its keeper."""

from collections.abc import Callable
from typing import Any

import pytest

from catalina.authenticator.digest_nonces import NonceCheck, Nonces, SeenCounts
from catalina.core.standard_pipeline import StandardPipeline
from catalina.core.standard_server import StandardServer
from catalina.errors import CatalinaError
from catalina.ha.context.replicated_context import AttributeCodec, AttributesOfKeeper, NodeAttributes, SharedValue
from catalina.node_state import NodeState
from catalina.realm.lock_out_realm import FailedLogins, LockOutRealm
from catalina.realm.realm_base import RealmBase
from catalina.servlets.webdav_locks import DavLocks, LockedError, LockTable
from catalina.servlets.webdav_xml import DavProperties, PropertyStore, PropertyUpdate
from catalina.tribes.io.java import decode_value, encode_value
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from catalina.util.exact_rate_limiter import ExactRateLimiter
from catalina.util.rate_limiter_base import BucketCounts
from catalina.valves.crawler_session_manager_valve import CrawlerSessions
from catalina.valves.semaphore_valve import NodeSemaphore, Permits, SemaphoreValve
from catalina.workers import node_states
from catalina.workers.frames import CallError
from catalina.workers.lasting_memory import LastingMemory
from catalina.workers.node_states import KeeperStates, RemoteState
from catalina.workers.services import STATE
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.tribes.tipis.network import Network
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


class Part:
    """A worker's container, as components see it."""

    name = "Catalina"
    parent = None
    realm: Any = None

    def __init__(self, node: SmallNode, worker: int) -> None:
        self._node = node
        self._worker = worker
        self.server = stand_in(StandardServer, role=self)
        self.pipeline = stand_in(StandardPipeline, valves=[])

    def state(self, kind: type[Any], name: str) -> Any:
        return RemoteState(self._node.workers[self._worker].queries.call, kind, name)


class NobodysRealm(RealmBase):
    """Knows no user."""

    def get_password(self, username: str) -> str | None:
        return None


class States:
    """A node with state."""

    def __init__(self, make_node: MakeNode) -> None:
        self.node = make_node()
        self.keeper = KeeperStates(self.node.memory.section("states"))
        links = self.node.keeper.links
        links.services.add(STATE, self.keeper.call, is_quick=True)
        links.on_lost.append(self.keeper.worker_lost)
        self.parts: list[Any] = [Part(self.node, 0), Part(self.node, 1)]

    def pair(self, kind: type[NodeState]) -> list[Any]:
        return [part.state(kind, "x") for part in self.parts]


def test_a_user_who_fails_at_two_workers_is_locked_at_both(make_node: MakeNode) -> None:
    states = States(make_node)
    realms = []
    for part in states.parts:
        realm = part.realm = LockOutRealm(failure_count=2)
        realm.add_realm(NobodysRealm())
        realm.container = part
        realm._start()
        realms.append(realm)
    for realm in realms:
        assert realm.authenticate("ann", "wrong") is None
    assert [realm.is_locked("ann") for realm in realms] == [True, True]
    realms[1].unlock("ann")
    assert not realms[0].is_locked("ann")


def test_a_locked_user_is_locked_at_the_next_keeper_too(memory: LastingMemory) -> None:
    failed = KeeperStates(memory.section("states")).state(FailedLogins, "realm")
    for name in ("ann", "bob", "ann", "eve"):
        failed.note(name, 100.0, 5, 300.0, size=2)
    failed.forget("eve")
    after = KeeperStates(memory.section("states")).state(FailedLogins, "realm")
    assert [after.of(name, 101.0) for name in ("ann", "bob", "eve")] == [(2, 1.0), (0, 0.0), (0, 0.0)]
    assert KeeperStates(memory.section("states")).state(FailedLogins, "other").of("ann", 101.0) == (0, 0.0)


def test_a_nonce_that_one_worker_made_counts_once_at_any(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = (Nonces("key", 60_000, 100, 10, counts=counts) for counts in states.pair(SeenCounts))
    nonce = first.make("10.0.0.1")
    assert second.check("10.0.0.1", nonce, 1) is NonceCheck.VALID
    assert first.check("10.0.0.1", nonce, 1) is NonceCheck.INVALID
    assert first.check("10.0.0.1", nonce, 2) is NonceCheck.VALID


def test_the_limit_of_a_client_is_the_nodes(make_node: MakeNode) -> None:
    states = States(make_node)
    limiters = []
    for counts in states.pair(BucketCounts):
        limiter = ExactRateLimiter(60, 3, clock=lambda: 1000.0)
        limiter.share(counts)
        limiters.append(limiter)
    assert [limiters[number % 2].increment("10.0.0.1") for number in range(4)] == [1, 2, 3, 4]
    assert limiters[0].increment("10.0.0.2") == 1


def test_locks_and_properties_of_webdav_are_the_nodes(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = (LockTable(locks) for locks in states.pair(DavLocks))
    lock = first.acquire("/a", exclusive=True, deep=False, owner="ann", timeout=60)
    with pytest.raises(LockedError):
        second.acquire("/a", exclusive=False, deep=False, owner="bob", timeout=60)
    with pytest.raises(LockedError):
        second.check("/a", [])
    assert second.refresh("/a", [lock.token], 600) is not None
    assert first.covering("/a")[0].timeout == 600
    assert second.release("/a", lock.token)
    assert first.covering("/a") == []
    here, there = (PropertyStore(properties) for properties in states.pair(DavProperties))
    color = ("urn:x", "color")
    here.update("/a", [PropertyUpdate(color, "<red/>")])
    there.copy("/a", "/b")
    there.forget("/a")
    assert [here.of(path) for path in ("/a", "/b")] == [{}, {color: "<red/>"}]


def test_a_crawler_has_one_session_whatever_worker_it_comes_to(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = states.pair(CrawlerSessions)
    first.note("10.0.0.1", "S1")
    assert second.of("10.0.0.1") == "S1"
    second.forget("10.0.0.1", "S0")
    assert first.of("10.0.0.1") == "S1"
    second.forget("10.0.0.1", "S1")
    assert first.of("10.0.0.1") is None


def test_permits_are_the_nodes(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = (NodeSemaphore(permits, 2) for permits in states.pair(Permits))
    assert first.acquire(blocking=False)
    assert second.acquire(blocking=False)
    assert not first.acquire(blocking=False)
    second.release()
    assert first.acquire()


def test_the_permits_of_a_worker_that_dies_are_free(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = (NodeSemaphore(permits, 1) for permits in states.pair(Permits))
    assert first.acquire(blocking=False)
    states.node.replace_worker(0)
    wait_until(lambda: second.acquire(blocking=False), "the permit")


def test_valves_in_one_place_share_their_permits(make_node: MakeNode) -> None:
    states = States(make_node)
    valves = [SemaphoreValve(concurrency=1), SemaphoreValve(concurrency=1)]
    for valve, part in zip(valves, states.parts, strict=True):
        valve.container = part
        part.pipeline.valves.append(valve)
        valve._start()
    assert valves[0]._permits.acquire(blocking=False)
    assert not valves[1]._permits.acquire(blocking=False)


def test_only_known_methods_of_known_states_can_be_called(make_node: MakeNode) -> None:
    states = States(make_node)
    call = states.node.workers[0].queries.call
    for kind, method in (("Permits", "worker_lost"), ("Permits", "__init__"), ("os", "system")):
        with pytest.raises(CallError, match=rf"got \[{kind}.{method}\]"):
            call(STATE, [kind, "x", method, []])
    with pytest.raises(AttributeError):
        states.pair(Permits)[0].worker_lost(1)


def test_no_more_states_are_kept_than_a_keeper_can_have(memory: LastingMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_states, "MAX_STATES", 2)
    states = KeeperStates(memory.section("states"))
    first = states.state(FailedLogins, "1")
    second = states.state(FailedLogins, "2")
    assert states.state(FailedLogins, "1") is first
    states.state(FailedLogins, "3")
    assert states.state(FailedLogins, "2") is not second


def test_a_state_that_fails_is_an_error_of_its_caller(memory: LastingMemory) -> None:
    with pytest.raises(CatalinaError):
        KeeperStates(memory.section("states")).call(0, ["SeenCounts", "x", "clear", []])


def test_attributes_of_a_context_are_the_nodes(make_node: MakeNode) -> None:
    states = States(make_node)
    first, second = (AttributesOfKeeper(state) for state in states.pair(NodeAttributes))
    first.put("count", SharedValue(encode_value([1, 2], "count")))
    found = second.peek("count")
    assert found is not None
    assert decode_value(found.encoded) == [1, 2]
    assert second.peek("count") is found, "an unchanged value is decoded once"
    assert "count" in second
    assert second.keys() == ["count"]
    second.remove("count")
    assert first.peek("count") is None
    assert "count" not in first


def test_attributes_of_a_keeper_in_a_group_are_the_groups() -> None:
    network = Network()
    maps = []
    for number in (1, 2):
        made = ReplicatedMap(network.add(number), "/app", None, AttributeCodec())
        made.start()
        network.settle()
        maps.append(made)
    state = NodeAttributes()
    state.join(maps[0])
    attributes = AttributesOfKeeper(state)
    attributes.put("color", SharedValue(encode_value("red", "color")))
    network.settle()
    assert maps[1].peek("color").encoded == encode_value("red", "color")
    attributes.remove("color")
    network.settle()
    assert not maps[1].keys()


def test_attributes_of_a_context_outlive_the_keeper_of_a_node_without_others(memory: LastingMemory) -> None:
    first = KeeperStates(memory.section("states")).state(NodeAttributes, "shop")
    AttributesOfKeeper(first).put("color", SharedValue(encode_value("red", "color")))
    AttributesOfKeeper(first).put("size", SharedValue(encode_value(7, "size")))
    AttributesOfKeeper(first).remove("size")
    after = KeeperStates(memory.section("states")).state(NodeAttributes, "shop")
    assert after.names() == ["color"]
    shared = ReplicatedMap(Network().add(1), "/app", None, AttributeCodec())
    shared.start()
    after.join(shared)
    assert shared.peek("color").encoded == encode_value("red", "color")


def test_attributes_of_a_group_with_others_are_what_these_have(memory: LastingMemory) -> None:
    network = Network()
    maps = []
    for number in (1, 2):
        made = ReplicatedMap(network.add(number), "/app", None, AttributeCodec())
        made.start()
        network.settle()
        maps.append(made)
    first = KeeperStates(memory.section("states")).state(NodeAttributes, "shop")
    AttributesOfKeeper(first).put("color", SharedValue(encode_value("red", "color")))
    after = KeeperStates(memory.section("states")).state(NodeAttributes, "shop")
    after.join(maps[0])
    assert after.peek("color") is None, "another node has removed it meanwhile"
