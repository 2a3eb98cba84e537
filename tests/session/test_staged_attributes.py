"""Copies of a session's attributes, written when somebody says so."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.manager_base import ManagerBase
from catalina.session.staged_attributes import StagedAttributes
from catalina.session.standard_manager import StandardManager
from tests.session.support import FakeClock, FakeContext


def new_manager(kind: type[ManagerBase]) -> ManagerBase:
    manager = kind(clock=FakeClock())
    manager.context = FakeContext()
    if isinstance(manager, DeltaManager):
        manager.cluster = SimpleTcpCluster()
    manager.start()
    manager.must_travel = True
    return manager


@pytest.fixture(params=[StandardManager, DeltaManager])
def session(request: pytest.FixtureRequest) -> Any:
    session = new_manager(request.param).create_session("S")
    session.set_attribute("n", 1)
    session.set_attribute("cart", ["tea"])
    take(session)
    return session


def take(session: Any) -> list[str]:
    """The changes that the other nodes hear of; none for a session without other nodes."""
    if not hasattr(session, "take_actions"):
        return []
    actions = session.take_actions()
    session.manager.commit(session, [action[2:] for action in actions if action[0] == 0])
    return [action.name for action in actions]


def test_nothing_reaches_the_session_before_it_is_written(session: Any) -> None:
    staged = StagedAttributes(session.manager, session)
    staged["cart"].append("milk")
    staged["n"] = 2
    staged["new"] = {"a": 1}
    del staged["n"]
    assert dict(staged) == {"cart": ["tea", "milk"], "new": {"a": 1}}
    assert (session.get_attribute("n"), session.get_attribute("cart")) == (1, ["tea"])
    assert staged.is_changed_inside
    staged.write(session)
    assert not staged.is_changed_inside
    assert {name: session.get_attribute(name) for name in session.attribute_names()} == dict(staged)
    staged["new"]["b"] = 2
    assert staged.is_changed_inside
    with pytest.raises(KeyError):
        staged["n"]
    with pytest.raises(KeyError):
        del staged["n"]


def test_only_what_was_changed_is_told() -> None:
    manager = new_manager(DeltaManager)
    session: Any = manager.create_session("S")
    for name in ("a", "b", "c"):
        session.set_attribute(name, [name])
    take(session)
    staged = StagedAttributes(manager, session)
    assert staged["a"] == ["a"]
    staged["b"].append(1)
    staged.write(session)
    assert take(session) == ["b"]
    assert StagedAttributes(manager, session)["b"] == ["b", 1]
    assert take(session) == []


def test_two_that_change_different_names_both_keep_what_they_did(session: Any) -> None:
    first, second = (StagedAttributes(session.manager, session) for _ in range(2))
    first["cart"].append("milk")
    second["n"] = 2
    first.write(session)
    second.write(session)
    assert (session.get_attribute("cart"), session.get_attribute("n")) == (["tea", "milk"], 2)


def test_a_value_that_somebody_has_in_his_hands_is_copied_as_it_is_now(session: Any) -> None:
    session.get_attribute("cart").append("milk")
    assert StagedAttributes(session.manager, session)["cart"] == ["tea", "milk"]
    session.set_attribute("cart", ["other"])
    assert StagedAttributes(session.manager, session)["cart"] == ["other"]


def test_the_containers_own_names_are_not_shown_and_not_removed(session: Any) -> None:
    session.set_attribute("org.apache.catalina.filters.X", "x")
    staged = StagedAttributes(session.manager, session)
    assert (sorted(staged), len(staged)) == (["cart", "n"], 2)
    staged.clear()
    assert dict(staged) == {}
    staged.write(session)
    assert session.attribute_names() == ["org.apache.catalina.filters.X"]


def test_what_cannot_travel_is_refused_when_it_is_set_and_when_it_has_come_into_a_value(session: Any) -> None:
    staged = StagedAttributes(session.manager, session)
    with pytest.raises(NotReplicableError, match="bad"):
        staged["bad"] = iter(())
    assert "bad" not in staged
    with pytest.raises(TypeError, match="must be str"):
        staged[1] = 1  # type: ignore[index]
    staged["cart"].append(iter(()))
    with pytest.raises(NotReplicableError, match="cart"):
        staged.write(session)
    assert session.get_attribute("cart") == ["tea"]


def test_written_into_another_session_it_replaces_everything(session: Any) -> None:
    other = session.manager.create_session("T")
    other.set_attribute("old", 1)
    StagedAttributes(session.manager, session).write(other)
    assert {name: other.get_attribute(name) for name in other.attribute_names()} == {"n": 1, "cart": ["tea"]}


def test_of_an_ended_session_nothing_is_left_but_what_was_set(session: Any) -> None:
    staged = StagedAttributes(session.manager, session)
    staged["mine"] = 1
    session.invalidate()
    assert dict(staged) == {"mine": 1}
    assert staged.has_ended
    assert not staged.write_unless_ended(session)
    assert staged.get("n") is None


def test_in_a_session_that_stays_in_its_node_what_has_no_form_is_shared() -> None:
    manager = StandardManager()
    manager.context = FakeContext()
    session = manager.create_session("S")
    value = iter(())
    session.set_attribute("any", value)
    assert StagedAttributes(manager, session)["any"] is value


def test_it_becomes_what_a_dict_has_in_the_end(session: Any) -> None:
    session.set_attribute("gone", 1)
    session.set_attribute("same", [1])
    take(session)
    staged = StagedAttributes(session.manager, session)
    values = dict(staged)
    values["cart"].append("milk")
    values["n"] = 1
    values["new"] = {"a": 1}
    del values["gone"]
    staged.become(values)
    staged.write(session)
    assert {name: session.get_attribute(name) for name in session.attribute_names()} == values
    told = take(session)
    assert told in ([], ["gone", "cart", "new"])  # the session that stays in its node tells nobody
