from __future__ import annotations

import pytest

from catalina.ha.session.cluster_session_listener import ClusterSessionListener
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_GET_ALL_SESSIONS,
    EVT_SESSION_EXPIRED,
    SessionMessage,
)
from tests.ha.support import FakeNetwork, Node, two_nodes


def test_it_takes_session_messages_only() -> None:
    listener = ClusterSessionListener()
    assert listener.accept(SessionMessage(1, "/app", None, "S", "x"))
    assert not listener.accept("a text")


def test_a_question_for_an_unknown_context_is_answered_at_once(caplog: pytest.LogCaptureFixture) -> None:
    network = FakeNetwork()
    a, b = Node(network), Node(network)
    b.cluster.post(SessionMessage(EVT_GET_ALL_SESSIONS, "/other", None, "GET-ALL", "GET-ALL-/other", 1))
    answer = SessionMessage.decode(a.channel.sent[-1][0])
    assert answer.event == EVT_ALL_SESSION_NOCONTEXTMANAGER
    assert (answer.context_name, answer.session_id) == ("/other", "NO-CONTEXT-MANAGER")
    assert answer.unique_id == "NO-CONTEXT-MANAGER-/other"
    assert answer.timestamp_ms is None
    assert "Context manager doesn't exist:[/other]" in caplog.text


def test_a_message_without_context_is_for_all_managers() -> None:
    _, a, b = two_nodes()
    session = a.manager.create_session("S")
    a.request(session)
    a.cluster.post(SessionMessage(EVT_SESSION_EXPIRED, None, None, "S", "x", 2**50))
    assert b.manager.find_session("S") is None
