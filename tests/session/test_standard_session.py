from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.errors import InvalidSessionError, NotReplicableError
from catalina.java_pattern import pattern
from catalina.session.standard_manager import StandardManager
from tests.session.support import FakeClock, FakeContext, Recorder


def started(context: FakeContext | None = None, **values: Any) -> tuple[StandardManager, FakeClock]:
    clock = FakeClock()
    manager = StandardManager(clock=clock, **values)
    manager.context = context or FakeContext()
    manager.start()
    return manager, clock


class Bound:
    """A value that hears where it goes."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def value_bound(self, event: Any) -> None:
        self.heard.append(f"bound {event.name}")

    def value_unbound(self, event: Any) -> None:
        self.heard.append(f"unbound {event.name}")


def test_a_session_expires_when_nobody_asks_for_its_interval() -> None:
    manager, clock = started()
    session = manager.create_session()
    session.max_inactive_interval = 60
    clock.advance(59)
    assert session.is_valid
    clock.advance(1)
    assert not session.is_valid
    assert manager.find_session(session.id) is None


@pytest.mark.parametrize("interval", [0, -1])
def test_a_session_without_an_interval_never_expires(interval: int) -> None:
    manager, clock = started()
    session = manager.create_session()
    session.max_inactive_interval = interval
    clock.advance(10**9)
    assert session.is_valid


def test_a_request_starts_the_interval_again_and_the_session_is_no_longer_new() -> None:
    manager, clock = started()
    session = manager.create_session()
    session.max_inactive_interval = 60
    assert session.is_new
    clock.advance(50)
    session.access()
    clock.advance(5)
    session.end_access()
    assert not session.is_new
    clock.advance(59)
    assert session.is_valid


@pytest.mark.parametrize("at_start", [False, True])
def test_a_request_that_comes_too_late_does_not_get_the_session(at_start: bool) -> None:
    manager, clock = started(session_last_access_at_start=at_start)
    session = manager.create_session()
    session.max_inactive_interval = 60
    clock.advance(59)
    assert session.access()
    session.end_access()
    clock.advance(60)
    assert not session.access()
    assert not session.alive
    assert not session.access()


def test_a_session_that_another_request_still_uses_is_not_too_old_for_the_next() -> None:
    manager, clock = started()
    session = manager.create_session()
    session.max_inactive_interval = 60
    clock.advance(50)
    assert session.access()
    clock.advance(50)
    assert session.access()


def test_the_time_runs_from_the_requests_start_when_so_configured() -> None:
    manager, clock = started(session_last_access_at_start=True)
    session = manager.create_session()
    session.max_inactive_interval = 60
    session.access()
    clock.advance(30)
    session.end_access()
    clock.advance(30)
    assert not session.is_valid


def test_a_busy_session_does_not_expire_with_the_activity_check() -> None:
    manager, clock = started(session_activity_check=True)
    session = manager.create_session()
    session.max_inactive_interval = 60
    session.access()
    clock.advance(600)
    assert session.is_valid
    session.end_access()
    clock.advance(60)
    assert not session.is_valid


def test_a_clock_that_goes_back_expires_nothing() -> None:
    manager, clock = started()
    session = manager.create_session()
    clock.advance(-86400)
    assert session.is_valid
    assert session.idle_ms() == 0


def test_invalidation_unbinds_every_attribute_and_ends_the_session() -> None:
    manager, _ = started()
    session = manager.create_session()
    value = Bound()
    session.set_attribute("value", value)
    session.invalidate()
    assert value.heard == ["bound value", "unbound value"]
    for use in (
        lambda: session.get_attribute("value"),
        lambda: session.set_attribute("value", 1),
        lambda: session.remove_attribute("value"),
        session.attribute_names,
        session.invalidate,
    ):
        with pytest.raises(InvalidSessionError):
            use()


def test_an_attribute_name_must_be_text() -> None:
    manager, _ = started()
    no_text: Any = 5
    with pytest.raises(TypeError, match="must be str, got 5"):
        manager.create_session().set_attribute(no_text, "x")


def test_listeners_hear_what_happens_to_a_session() -> None:
    context = FakeContext()
    recorder = Recorder()
    context.listeners.append(recorder)
    manager, _ = started(context)
    session = manager.create_session("A")
    session.set_attribute("n", 1)
    session.set_attribute("n", 2)
    session.remove_attribute("n")
    session.set_attribute("left", [1])
    manager.change_session_id(session, "B")
    session.invalidate()
    assert recorder.heard == [
        ("created", "A"),
        ("added", "n", 1),
        ("replaced", "n", 1),
        ("removed", "n", 2),
        ("added", "left", [1]),
        ("id", "A", "B"),
        ("destroyed", "B", {"left": [1]}),
        ("removed", "left", [1]),
    ]


def test_a_listener_that_fails_costs_the_session_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def session_created(self, event: Any) -> None:
            raise RuntimeError("no")

    context = FakeContext()
    context.listeners.append(Failing())
    manager, _ = started(context)
    assert manager.create_session("A") is manager.find_session("A")
    assert "Session event listener threw exception" in caplog.text


def test_setting_the_same_object_again_tells_attribute_listeners_but_does_not_bind_again() -> None:
    context = FakeContext()
    recorder = Recorder()
    context.listeners.append(recorder)
    manager, _ = started(context)
    session = manager.create_session()
    value = Bound()
    session.set_attribute("v", value)
    session.set_attribute("v", value)
    assert value.heard == ["bound v"]
    assert [event[0] for event in recorder.heard] == ["created", "added", "replaced"]


def test_the_two_unchanged_value_attributes_turn_that_around() -> None:
    context = FakeContext()
    recorder = Recorder()
    context.listeners.append(recorder)
    manager, _ = started(
        context,
        notify_attribute_listener_on_unchanged_value=False,
        notify_binding_listener_on_unchanged_value=True,
    )
    session = manager.create_session()
    value = Bound()
    session.set_attribute("v", value)
    session.set_attribute("v", value)
    assert value.heard == ["bound v", "bound v", "unbound v"]
    assert [event[0] for event in recorder.heard] == ["created", "added"]


def test_a_restored_value_is_decoded_when_it_is_first_read() -> None:
    manager, _ = started()
    session = manager.create_session()
    session.restore_attribute("cart", manager.codec.encode("cart", {"apple": 2}))
    assert session.encoded_attribute("cart") is not None
    cart = session.get_attribute("cart")
    assert cart == {"apple": 2}
    assert session.get_attribute("cart") is cart
    assert session.encoded_attribute("cart") is None


def test_replacing_an_undecoded_value_tells_the_listener_the_value_and_not_its_stand_in() -> None:
    context = FakeContext()
    recorder = Recorder()
    context.listeners.append(recorder)
    manager, _ = started(context)
    session = manager.create_session()
    session.restore_attribute("n", manager.codec.encode("n", 7))
    session.set_attribute("n", 8)
    assert recorder.heard[-1] == ("replaced", "n", 7)


def test_container_listeners_hear_the_end_once() -> None:
    manager, _ = started()
    session = manager.create_session()
    heard: list[str] = []

    def listener(_: object, kind: str) -> None:
        heard.append(kind)

    session.add_session_listener(listener)
    session.expire()
    session.expire()
    assert heard == ["destroySession"]


def distributable() -> StandardManager:
    context = FakeContext()
    context.distributable = True
    return started(context)[0]


def test_a_distributable_application_may_not_set_what_cannot_travel_also_without_a_cluster() -> None:
    session = distributable().create_session()
    session.set_attribute("cart", ["tea"])
    with pytest.raises(NotReplicableError, match=r"^cart\['locks'\]\[1\]: a _thread\.lock cannot be replicated"):
        session.set_attribute("cart", {"locks": [1, threading.Lock()]})
    assert session.get_attribute("cart") == ["tea"]


def test_who_is_not_distributable_sets_what_it_likes() -> None:
    context = FakeContext()
    context.distributable = False
    session = started(context)[0].create_session()
    lock = threading.Lock()
    session.set_attribute("lock", lock)
    assert session.get_attribute("lock") is lock


def test_what_is_never_sent_need_not_travel() -> None:
    manager = distributable()
    manager.session_attribute_name_filter = pattern("sent.*")
    session = manager.create_session()
    session.set_attribute("local", threading.Lock())
    with pytest.raises(NotReplicableError):
        session.set_attribute("sent", threading.Lock())


def test_a_value_that_cannot_change_is_not_encoded_when_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = distributable()
    monkeypatch.setattr(manager.codec, "encode", lambda name, value: pytest.fail(f"{name} was encoded"))
    session = manager.create_session()
    for value in ("text", 1, 2.5, None, b"bytes"):
        session.set_attribute("value", value)
