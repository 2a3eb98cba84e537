from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalina.session.standard_manager import StandardManager, write_privately
from tests.session.support import FakeClock, FakeContext


@dataclass
class Item:
    name: str
    count: int


def started(tmp_path: Path, clock: FakeClock, **values: Any) -> StandardManager:
    manager = StandardManager(clock=clock, pathname="SESSIONS.ser", **values)
    manager.context = FakeContext(work_dir=tmp_path)
    manager.start()
    return manager


def test_sessions_come_back_after_a_restart_with_their_values(tmp_path: Path) -> None:
    clock = FakeClock()
    before = started(tmp_path, clock)
    session = before.create_session("A")
    session.set_attribute("cart", [Item("apple", 2)])
    session.set_attribute("n", 5)
    session.max_inactive_interval = 77
    before.stop()
    after = started(tmp_path, clock)
    back = after.find_session("A")
    assert back is not None
    assert back.get_attribute("cart") == [Item("apple", 2)]
    assert back.get_attribute("n") == 5
    assert back.max_inactive_interval == 77
    assert back.creation_time_ms == session.creation_time_ms


def test_the_file_is_this_users_alone_and_gone_after_the_start(tmp_path: Path) -> None:
    clock = FakeClock()
    manager = started(tmp_path, clock)
    manager.create_session("A")
    manager.stop()
    file = tmp_path / "SESSIONS.ser"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    started(tmp_path, clock)
    assert list(tmp_path.iterdir()) == []


def test_what_expired_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    clock = FakeClock()
    manager = started(tmp_path, clock)
    manager.create_session("A")
    manager.stop()
    clock.advance(1801)
    assert started(tmp_path, clock).find_sessions() == []


def test_without_pathname_nothing_is_kept(tmp_path: Path) -> None:
    manager = StandardManager()
    manager.context = FakeContext(work_dir=tmp_path)
    manager.start()
    manager.create_session("A")
    manager.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_value_without_a_form_as_bytes_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    manager = started(tmp_path, clock)
    manager.must_travel = False  # not distributable
    session = manager.create_session("A")
    session.set_attribute("lock", open(__file__))  # noqa: SIM115 -- closed below
    session.set_attribute("n", 1)
    opened = session.get_attribute("lock")
    manager.stop()
    opened.close()
    assert "Cannot serialize session attribute [lock] for session [A]" in caplog.text
    back = started(tmp_path, clock).find_session("A")
    assert back is not None
    assert back.attribute_names() == ["n"]


def test_a_broken_file_costs_the_sessions_in_it_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "SESSIONS.ser").write_bytes(b"\xac\xed\x00\x05rubbish")
    manager = started(tmp_path, FakeClock())
    assert manager.find_sessions() == []
    assert "Exception while loading persisted sessions" in caplog.text
    assert manager.create_session() is not None


def test_the_name_filter_holds_back_attributes(tmp_path: Path) -> None:
    clock = FakeClock()
    manager = started(tmp_path, clock)
    manager.set_attribute("sessionAttributeNameFilter", "keep.*")
    session = manager.create_session("A")
    session.set_attribute("keep", 1)
    session.set_attribute("drop", 1)
    manager.stop()
    back = started(tmp_path, clock).find_session("A")
    assert back is not None
    assert back.attribute_names() == ["keep"]


def test_the_logged_in_user_is_kept_only_when_asked_for(tmp_path: Path) -> None:
    from catalina.realm.generic_principal import GenericPrincipal

    clock = FakeClock()
    for keep in (True, False):
        manager = started(tmp_path, clock, persist_authentication=keep)
        session = manager.create_session("A")
        session.principal = GenericPrincipal("joe", ("admin",))
        session.auth_type = "FORM"
        manager.stop()
        back = started(tmp_path, clock, persist_authentication=True).find_session("A")
        assert back is not None
        assert (back.principal, back.auth_type) == (
            (GenericPrincipal("joe", ("admin",)), "FORM") if keep else (None, None)
        )


def test_a_file_is_not_written_through_a_link_that_somebody_has_laid(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / f".S.session.{os.getpid()}.tmp").symlink_to(victim)
    write_privately(tmp_path / "S.session", b"session")
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "S.session").read_bytes() == b"session"
    assert (tmp_path / "S.session").stat().st_mode & 0o777 == 0o600
