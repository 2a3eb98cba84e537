from __future__ import annotations

import gc
import threading
import time
from dataclasses import replace

import pytest

from catalina.ha.session import state_transfer
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.session_message import EVT_GET_ALL_SESSIONS, SessionMessage
from catalina.ha.session.state_transfer import StateTransfer
from tests.ha.support import FakeNetwork, Node
from tests.support.narrowing import of_type
from tests.support.waiting import wait_until


def silent_and_good(network: FakeNetwork) -> tuple[Node, Node]:
    """The oldest member never answers; the next one has a session."""
    silent, good = Node(network), Node(network)
    silent.channel.listeners.clear()
    good.manager = good.cluster.create_manager("/app")
    good.manager.context = good.context
    good.cluster.register_manager(good.manager)
    good.manager.state_sender.start()
    good.manager.create_session("S")
    return silent, good


def test_a_silent_member_is_not_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_transfer, "SILENCE_SECONDS", 0.2)
    network = FakeNetwork()
    silent_and_good(network)
    joiner = Node(network)
    joiner.start_manager()
    assert joiner.manager.find_session("S") is not None


def test_a_member_that_leaves_while_it_is_asked_is_not_waited_for() -> None:
    network = FakeNetwork()
    silent, _ = silent_and_good(network)
    joiner = Node(network)
    threading.Timer(0.2, lambda: setattr(silent, "alive", False)).start()
    began = time.monotonic()
    joiner.start_manager()
    assert joiner.manager.find_session("S") is not None
    assert time.monotonic() - began < 5


def test_a_timeout_of_zero_does_not_wait() -> None:
    network = FakeNetwork()
    silent_and_good(network)[0]
    joiner = Node(network, DeltaManager(state_transfer_timeout=0))
    began = time.monotonic()
    joiner.start_manager()
    assert time.monotonic() - began < 0.3


def test_a_manager_that_stops_ends_the_wait() -> None:
    network = FakeNetwork()
    silent, good = silent_and_good(network)
    good.alive = False
    joiner = Node(network, DeltaManager(state_transfer_timeout=-1))
    starter = threading.Thread(target=joiner.start_manager)
    starter.start()
    deadline = time.monotonic() + 5
    while not silent.channel.members or not joiner.cluster.managers:
        assert time.monotonic() < deadline
    next(iter(joiner.cluster.managers.values())).transfer.stop()  # type: ignore[attr-defined]
    starter.join(5)
    assert not starter.is_alive()


def test_a_question_that_comes_while_this_node_waits_is_answered_afterwards() -> None:
    network = FakeNetwork()
    a = Node(network)
    a.start_manager()
    b = Node(network)
    manager = of_type(DeltaManager, b.cluster.create_manager("/app"))
    manager.context = b.context
    b.cluster.register_manager(manager)
    manager.state_sender.start()
    a.cluster.post(SessionMessage(EVT_GET_ALL_SESSIONS, "/app", None, "GET-ALL", "GET-ALL-/app", 1))
    before = len(b.channel.sent)
    manager.get_all_cluster_sessions()
    wait_until(lambda: len(b.channel.sent) >= before + 2, "its own question, and the answer")
    manager.state_sender.stop()


def test_two_nodes_that_ask_each_other_at_once_do_not_wait_for_each_other() -> None:
    network = FakeNetwork()
    network.immediate = False
    nodes = [Node(network) for _ in range(2)]
    starters = [threading.Thread(target=node.start_manager) for node in nodes]
    for starter in starters:
        starter.start()
    wait_until(lambda: len(network.on_the_way) >= 2, "both have asked")

    def have_started() -> bool:
        network.deliver(1)
        return not any(starter.is_alive() for starter in starters)

    wait_until(have_started, "both have started", 5, 0.001)


def test_a_member_that_asks_back_and_says_nothing_is_asked_again_soon() -> None:
    """A Java node that waits itself drops the question and answers the next one."""
    network = FakeNetwork()
    java, ours = Node(network), Node(network)
    java.channel.local_member = replace(java.channel.local_member, payload=b"")
    questions: list[float] = []

    def like_java(message: SessionMessage, sender: object) -> None:
        if message.event != EVT_GET_ALL_SESSIONS:
            return
        questions.append(time.monotonic())
        name = "/app"
        if len(questions) == 1:
            java.cluster.post(SessionMessage(EVT_GET_ALL_SESSIONS, name, None, "GET-ALL", "GET-ALL-/app", 1))
        else:
            java.cluster.post(SessionMessage(14, name, None, "SESSION-STATE-TRANSFERRED", "x", 1))

    java.cluster.dispatch = like_java  # type: ignore[method-assign,assignment]
    began = time.monotonic()
    ours.start_manager()
    assert 1 <= time.monotonic() - began < 4
    assert len(questions) >= 2
    ours.manager.state_sender.stop()


def test_while_a_large_state_comes_the_collector_does_not_look_at_it_and_goes_on_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state_transfer, "MANY_RECORDS", 100)
    network = FakeNetwork()
    giver = Node(network)
    giver.start_manager()
    for _ in range(300):
        giver.manager.create_session()
    joiner = Node(network)
    seen: list[bool] = []
    received = StateTransfer.received_data

    def watch(self: StateTransfer, records: int = 0) -> None:
        received(self, records)
        seen.append(gc.isenabled())

    monkeypatch.setattr(StateTransfer, "received_data", watch)
    try:
        joiner.start_manager()
        assert len(joiner.manager.sessions) == 300
        assert False in seen
        assert gc.isenabled()
    finally:
        gc.unfreeze()
