from __future__ import annotations

from typing import Any

import pytest

from catalina.ha.cluster_listener import ClusterListener
from catalina.ha.session.session_message import SessionMessage
from catalina.tribes.member import Member
from tests.ha.support import FakeNetwork, Node


class Collecting(ClusterListener):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Any] = []

    def accept(self, message: Any) -> bool:
        return True

    def message_received(self, message: Any, sender: Member) -> None:
        self.messages.append(message)


class Failing(Collecting):
    def message_received(self, message: Any, sender: Member) -> None:
        raise RuntimeError("no")


def test_every_listener_that_accepts_gets_the_decoded_message() -> None:
    network = FakeNetwork()
    a, b = Node(network), Node(network)
    first, second = Collecting(), Collecting()
    b.cluster.add_cluster_listener(first)
    b.cluster.add_cluster_listener(second)
    message = SessionMessage(99, "/app", None, "S", "x", 5)
    a.cluster.post(message)
    assert first.messages == second.messages == [message]
    assert first.cluster is b.cluster
    b.cluster.remove_cluster_listener(first)
    a.cluster.post(message)
    assert len(first.messages) == 1


def test_a_listener_that_fails_does_not_keep_the_message_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    network = FakeNetwork()
    a, b = Node(network), Node(network)
    good = Collecting()
    b.cluster.add_cluster_listener(Failing())
    b.cluster.add_cluster_listener(good)
    a.cluster.post(SessionMessage(99, "/app", None, "S", "x", 5))
    assert len(good.messages) == 1
    assert "Cluster listener Failing failed" in caplog.text


def test_the_base_does_nothing_by_itself() -> None:
    with pytest.raises(NotImplementedError):
        ClusterListener().accept(None)
