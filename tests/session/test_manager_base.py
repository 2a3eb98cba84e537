from __future__ import annotations

import re
from typing import Any

import pytest

from catalina.errors import TooManyActiveSessionsError
from catalina.session.standard_manager import StandardManager
from catalina.util.standard_session_id_generator import StandardSessionIdGenerator
from tests.session.support import FakeClock, FakeContext, FakeEngine, FakeHost


def started(**values: Any) -> tuple[StandardManager, FakeClock]:
    clock = FakeClock()
    manager = StandardManager(clock=clock, **values)
    manager.context = FakeContext(parent=FakeHost(parent=FakeEngine(jvm_route="node1")))
    manager.start()
    return manager, clock


def test_an_id_is_32_upper_case_hex_digits_and_the_engines_route() -> None:
    manager, _ = started()
    assert re.fullmatch(r"[0-9A-F]{32}\.node1", manager.create_session().id)


def test_the_nested_generator_makes_the_ids() -> None:
    manager = StandardManager()
    manager.context = FakeContext()
    manager.session_id_generator = StandardSessionIdGenerator(session_id_length=4, jvm_route="x")
    manager.start()
    assert re.fullmatch(r"[0-9A-F]{8}\.x", manager.create_session().id)


def test_the_old_session_id_length_still_counts() -> None:
    manager, _ = started(session_id_length=8)
    assert re.fullmatch(r"[0-9A-F]{16}\.node1", manager.create_session().id)


def test_new_sessions_take_the_contexts_timeout_unless_the_manager_has_its_own() -> None:
    manager, _ = started()
    assert manager.create_session().max_inactive_interval == 1800
    manager.max_inactive_interval = 20
    assert manager.create_session().max_inactive_interval == 20


def test_one_session_more_than_max_active_sessions_is_refused() -> None:
    manager, _ = started(max_active_sessions=2)
    manager.create_session()
    manager.create_session()
    with pytest.raises(TooManyActiveSessionsError, match="maxActiveSessions is 2"):
        manager.create_session()
    assert (manager.active_sessions, manager.rejected_sessions) == (2, 1)


def test_every_nth_tick_expires_what_is_due() -> None:
    manager, clock = started(process_expires_frequency=3)
    manager.create_session()
    clock.advance(1801)
    manager.background_process()
    manager.background_process()
    assert manager.active_sessions == 1
    manager.background_process()
    assert (manager.active_sessions, manager.expired_sessions) == (0, 1)
    assert manager.session_max_alive_time == 1801
    assert manager.session_average_alive_time == 1801


def test_an_id_change_moves_the_session_and_fires_the_container_event() -> None:
    manager, _ = started()
    session = manager.create_session("A")
    new_id = manager.change_session_id(session)
    assert manager.find_session("A") is None
    assert manager.find_session(new_id) is session
    assert isinstance(manager.context, FakeContext)
    assert manager.context.container_events == [("changeSessionId", ("A", new_id))]


def test_the_statistics_count_what_was_created() -> None:
    manager, _ = started()
    sessions = [manager.create_session() for _ in range(5)]
    manager.remove(sessions[0])
    assert (manager.session_counter, manager.max_active, manager.active_sessions) == (5, 5, 4)
    assert manager.session_create_rate > 0
    assert manager.session_expire_rate == 0


def test_attributes_come_from_xml_names() -> None:
    manager = StandardManager()
    manager.set_attribute("maxActiveSessions", "7")
    manager.set_attribute("sessionAttributeNameFilter", "user.*")
    assert manager.max_active_sessions == 7
    assert manager.codec.lets_name_through("userName")
    assert not manager.codec.lets_name_through("cart")
