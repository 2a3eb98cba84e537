from __future__ import annotations

import threading
import time

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.session_data import decode_sessions
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    SessionMessage,
)
from tests.ha.support import FakeNetwork, Node
from tests.support.waiting import wait_until


def asked(template: DeltaManager, sessions: int) -> tuple[Node, list[SessionMessage]]:
    """The answer of a node to one that asks."""
    network = FakeNetwork()
    a, asker = Node(network, template), Node(network)
    a.start_manager()
    for _ in range(sessions):
        a.manager.create_session()
    network.clock.advance(1)
    a.channel.sent.clear()
    a.manager.state_sender.answer(asker.channel.local_member)
    wait_until(lambda: [each.event for each in messages(a)[-1:]] == [EVT_ALL_SESSION_TRANSFERCOMPLETE], "all is sent")
    return a, messages(a)


def messages(node: Node) -> list[SessionMessage]:
    return [SessionMessage.decode(data) for data, _ in node.channel.sent]


def test_the_answer_is_the_data_and_the_end_with_the_snapshots_time() -> None:
    a, answer = asked(DeltaManager(), 3)
    assert [message.event for message in answer] == [EVT_ALL_SESSION_DATA, EVT_ALL_SESSION_TRANSFERCOMPLETE]
    assert {message.timestamp_ms for message in answer} == {int(a.network.clock.now * 1000)}
    assert len(list(decode_sessions(answer[0].session or b""))) == 3
    assert [options for _, options in a.channel.sent] == [6, 8]
    assert answer[1].unique_id == "SESSION-STATE-TRANSFERRED/app"


def test_without_sessions_one_empty_block_is_sent() -> None:
    _, answer = asked(DeltaManager(), 0)
    assert [message.event for message in answer] == [EVT_ALL_SESSION_DATA, EVT_ALL_SESSION_TRANSFERCOMPLETE]


def test_without_sessions_and_in_blocks_only_the_end_is_sent() -> None:
    _, answer = asked(DeltaManager(send_all_sessions=False), 0)
    assert [message.event for message in answer] == [EVT_ALL_SESSION_TRANSFERCOMPLETE]


def test_blocks_have_the_configured_size_and_a_pause_between() -> None:
    began = time.monotonic()
    template = DeltaManager(send_all_sessions=False, send_all_sessions_size=2, send_all_sessions_wait_time=100)
    _, answer = asked(template, 5)
    assert [message.event for message in answer] == [EVT_ALL_SESSION_DATA] * 3 + [EVT_ALL_SESSION_TRANSFERCOMPLETE]
    assert time.monotonic() - began >= 0.2


def test_the_thread_ends_when_nobody_waits_and_is_joined_at_the_stop() -> None:
    a, _ = asked(DeltaManager(), 1)
    a.manager.state_sender.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("DeltaManager-state")]
