from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from catalina.ha.request_deliveries import note
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.delta_manager import DeltaManager
from catalina.tribes.channel import Delivery
from catalina.util.standard_session_id_generator import StandardSessionIdGenerator
from tests.ha.support import two_nodes


def test_a_clone_has_the_templates_settings_and_nothing_else_of_it() -> None:
    template = DeltaManager(state_transfer_timeout=7, expire_sessions_on_shutdown=True)
    template.set_attribute("sessionAttributeNameFilter", "user.*")
    template.create_session("S")
    clone = template.clone_from_template()
    assert type(clone) is DeltaManager
    assert (clone.state_transfer_timeout, clone.expire_sessions_on_shutdown) == (7, True)
    assert not clone.codec.lets_name_through("cart")
    assert clone.find_sessions() == []
    assert clone.codec.manager is clone


def test_the_clone_has_a_generator_of_its_own_with_the_same_settings() -> None:
    template = DeltaManager()
    template.session_id_generator = StandardSessionIdGenerator(session_id_length=4)
    clone = template.clone_from_template()
    assert clone.session_id_generator is not template.session_id_generator
    assert clone.session_id_generator is not None
    assert clone.session_id_generator.session_id_length == 4


class Recording(ClusterManagerBase):
    """Sends a message for each session, which is a number here; of a negative one it cannot."""

    def request_completed(self, session: Any, request: object) -> Delivery:
        if session < 0:
            raise ValueError("cannot be sent")
        delivery = Delivery(1)
        note(delivery)
        self.posted.append(delivery)
        return delivery

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Delivery] = []


def test_each_answer_of_a_round_waits_for_its_own_messages(caplog: pytest.LogCaptureFixture) -> None:
    manager = Recording()
    held = [Delivery(1) for _ in range(3)]
    sessions: list[Any] = [1, -1, 2]
    request: Any = None
    manager.requests_completed([(session, request, each) for session, each in zip(sessions, held, strict=True)])
    assert [each.done for each in held] == [False, True, False]
    assert "Unable to perform replication request." in caplog.text
    manager.posted[1].succeeded()
    assert [each.done for each in held] == [False, True, True]


def test_a_round_of_a_delta_manager_is_one_post(monkeypatch: pytest.MonkeyPatch) -> None:
    network, a, b = two_nodes(channel_send_options=6)
    sessions: list[Any] = [a.manager.create_session() for _ in range(3)]
    for number, session in enumerate(sessions):
        session.set_attribute("n", number)
    network.immediate = False
    post_all = Mock(wraps=a.cluster.post_all)
    monkeypatch.setattr(a.cluster, "post_all", post_all)
    held, request = Delivery(1), Mock()
    a.manager.requests_completed(
        [(sessions[0], request, held), (sessions[1], request, None), (sessions[2], request, None)]
    )
    ((messages, _), _) = post_all.call_args
    assert len(messages) == 3
    network.deliver(2)
    assert not held.done
    network.deliver()
    assert held.done
    assert [b.manager.find_session(each.id).get_attribute("n") for each in sessions] == [0, 1, 2]
