from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from catalina.ha.authenticator.cluster_single_sign_on_listener import encode_listener
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_request import TYPE_LISTENER, TYPE_PRINCIPAL, DeltaRequest, fixed_action
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_data import SessionData
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.tribes.io.java import EncodedValue, OpaqueValue, encode_value
from catalina.tribes.ledger.version import version_at
from tests.ha.session.deltas import attribute, listener, note, take_over
from tests.session.support import FakeClock, FakeContext
from tests.support.narrowing import of_type, there

#: Versions of other nodes, later than all that is made here.
LATER, LATEST = (version_at(clock_us, bytes(8)) for clock_us in (2**61, 2**61 + 1))


@dataclass
class Item:
    name: str
    count: int


def new_session(**values: Any) -> DeltaSession:
    manager = DeltaManager(clock=FakeClock(), **values)
    manager.context = FakeContext()
    manager.cluster = SimpleTcpCluster()
    manager.start()
    session = manager.create_session("S")
    assert isinstance(session, DeltaSession)
    session.take_delta()
    return session


def names(delta: bytes | None) -> list[str]:
    return [] if delta is None else [action.name for action in DeltaRequest.decode(delta).actions]


def test_the_first_delta_tells_the_interval() -> None:
    manager = DeltaManager()
    manager.context = FakeContext()
    session = manager.create_session("S")
    assert isinstance(session, DeltaSession)
    assert names(session.take_delta()) == ["__SET__MAXINTERVAL__"]
    assert session.take_delta() is None


def test_a_delta_is_taken_once() -> None:
    session = new_session()
    session.set_attribute("n", 1)
    assert session.is_dirty
    assert names(session.take_delta()) == ["n"]
    assert not session.is_dirty
    assert session.take_delta() is None


def test_setting_and_removing_in_one_request_sends_the_last() -> None:
    session = new_session()
    session.set_attribute("n", 1)
    session.remove_attribute("n")
    delta = session.take_delta()
    assert delta is not None
    assert [(action.name, action.action) for action in DeltaRequest.decode(delta).actions] == [("n", 1)]


def test_an_objects_changed_field_is_found() -> None:
    session = new_session()
    session.set_attribute("item", Item("apple", 1))
    session.take_delta()
    of_type(Item, session.get_attribute("item")).count = 2
    assert names(session.take_delta()) == ["item"]


def test_a_value_from_elsewhere_stays_bytes_until_it_is_read() -> None:
    session = new_session()
    take_over(session, LATER, attribute("item", encode_value(Item("apple", 1))))
    assert session.encoded_attribute("item") is not None
    assert session.get_attribute("item") == Item("apple", 1)
    assert session.take_delta() is None


def test_a_class_that_is_not_the_applications_stays_opaque_and_is_passed_on() -> None:
    session = new_session()
    loader: Any = there(session.manager.context).loader
    loader.own = re.compile("nothing")
    encoded = encode_value(Item("apple", 1))
    take_over(session, LATER, attribute("item", encoded))
    assert isinstance(session.get_attribute("item"), OpaqueValue)
    assert session.take_delta() is None
    assert session.to_data().attributes["item"].data == encoded.data


def test_the_class_filter_lets_a_named_class_in() -> None:
    session = new_session()
    loader: Any = there(session.manager.context).loader
    loader.own = re.compile("nothing")
    session.manager.set_attribute("sessionAttributeValueClassNameFilter", r".*\.Item|java\.lang\..*|\[B")
    session.restore_attribute("item", encode_value(Item("apple", 1)))
    assert session.get_attribute("item") == Item("apple", 1)


def test_the_class_filter_holds_back_other_values_both_ways() -> None:
    session = new_session()
    session.manager.set_attribute("sessionAttributeValueClassNameFilter", r"java\.lang\.(String|Integer)")
    session.set_attribute("text", "x")
    session.set_attribute("list", [1])
    assert names(session.take_delta()) == ["text"]
    take_over(session, LATER, attribute("n", encode_value(1)), attribute("float", encode_value(1.5)))
    assert "n" in session.attribute_names()
    assert "float" not in session.attribute_names()


def test_an_attribute_held_back_by_its_name_may_be_anything() -> None:
    session = new_session()
    session.manager.set_attribute("sessionAttributeNameFilter", "shared.*")
    session.set_attribute("lock", object())
    assert session.take_delta() is None
    assert session.has_attribute("lock")


def test_reading_a_java_value_does_not_rewrite_it_but_changing_it_does() -> None:
    session = new_session()
    tree_map = java_value("TreeMap")
    session.restore_attribute("map", tree_map)
    value = session.get_attribute("map")
    assert isinstance(value, dict)
    assert session.take_delta() is None
    assert session.to_data().attributes["map"] == tree_map
    of_type(dict, session.get_attribute("map"))["new"] = 1
    assert names(session.take_delta()) == ["map"]


def java_value(name: str) -> EncodedValue:
    """An empty map as a Java node writes it."""
    assert name == "TreeMap"
    stream = bytes.fromhex(
        "aced0005737200116a6176612e7574696c2e547265654d61700cc1f63e2d256ae60300014c000a636f6d70617261746f727400164c6a"
        "6176612f7574696c2f436f6d70617261746f723b787070770400000000" + "78"
    )
    from catalina.tribes.io.java import ObjectInputStream

    return ObjectInputStream(stream).read_encoded()


def test_a_change_here_that_was_not_sent_yet_wins_over_one_from_elsewhere() -> None:
    session = new_session()
    session.set_attribute("n", 1)
    take_over(session, LATER, attribute("n", encode_value(2)))
    assert session.get_attribute("n") == 1


def test_notes_and_listeners_of_java_nodes_are_kept_and_passed_on() -> None:
    session = new_session()
    take_over(
        session,
        LATER,
        note("org.apache.catalina.authenticator.SESSION_ID", encode_value("X")),
        listener(encode_value("listener")),
    )
    data = session.to_data()
    assert data.expected_session_id == encode_value("X")
    assert data.listeners == [encode_value("listener")]
    back = new_session()
    back.restore(data, LATER)
    assert back.to_data().listeners == [encode_value("listener")]
    take_over(
        back,
        LATEST,
        listener(encode_value("listener"), False),
        note("org.apache.catalina.authenticator.SESSION_ID", None),
    )
    assert back.to_data().listeners == []
    assert back.to_data().expected_session_id is None


def test_a_snapshot_restores_to_the_same_session() -> None:
    session = new_session()
    session.set_attribute("item", Item("apple", 1))
    session.set_attribute("n", 1)
    copy = new_session()
    copy.restore(session.to_data(), LATER)
    assert copy.get_attribute("item") == Item("apple", 1)
    assert copy.get_attribute("n") == 1
    assert not copy.is_primary
    assert copy.take_delta() is None


def test_a_listener_that_travels_is_told_once_and_goes_with_the_session() -> None:
    session = new_session()
    listener = encode_listener("SSO1")
    session.add_remote_listener(listener)
    session.add_remote_listener(listener)
    delta = session.take_delta()
    assert delta is not None
    assert [(action.type, action.value) for action in DeltaRequest.decode(delta).actions] == [(TYPE_LISTENER, listener)]
    assert session.take_delta() is None
    assert session.to_data().listeners == [listener]


def test_all_listeners_that_a_request_adds_are_told() -> None:
    session = new_session()
    listeners = [encode_listener("SSO1"), encode_listener("SSO2")]
    for each in listeners:
        session.add_remote_listener(each)
    delta = session.take_delta()
    assert delta is not None
    assert [action.value for action in DeltaRequest.decode(delta).actions] == listeners


def test_a_listener_hears_only_where_the_session_is_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "catalina.ha.session.delta_session.hear_of_session",
        lambda encoded, session, event, old_id: heard.append((event, old_id)),
    )
    session = new_session()
    session.add_remote_listener(encode_listener("SSO1"))
    session.manager.change_session_id(session, "N")
    session.expire()
    assert heard == [("changeSessionId", "S"), ("destroySession", "N")]
    backup = new_session()
    backup.add_remote_listener(encode_listener("SSO1"))
    backup.be_backup()
    backup.expire(notify_cluster=False)
    assert len(heard) == 2


def broken_principal() -> EncodedValue:
    return EncodedValue(b"\x73\x72rubbish", 0)


def test_a_principal_that_cannot_be_read_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    session = new_session()
    take_over(
        session,
        LATER,
        attribute("before", encode_value(1)),
        fixed_action(TYPE_PRINCIPAL, broken_principal()),
        attribute("after", encode_value(2)),
    )
    assert session.attribute_names() == ["before", "after"]
    assert session.principal is None
    assert "Session [S]: [__SET__PRINCIPAL__] of another node is left out" in caplog.text


def test_a_session_of_the_state_is_kept_without_a_principal_that_cannot_be_read() -> None:
    session = new_session()
    session.restore(SessionData("S", principal=broken_principal(), attributes={"n": encode_value(1)}), LATER)
    assert session.get_attribute("n") == 1
    assert session.principal is None


def test_an_attribute_that_no_node_can_read_is_removed_from_all_of_them() -> None:
    session = new_session()
    session.restore_attribute("broken", EncodedValue(b"\x73\x72rubbish", 0))
    assert session.get_attribute("broken") is None
    delta = session.take_delta()
    assert delta is not None
    assert [(action.name, action.action) for action in DeltaRequest.decode(delta).actions] == [("broken", 1)]
    assert "broken" not in session.to_data().attributes


def test_a_change_inside_a_value_that_another_node_replaces_is_the_later_one() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    cart: Any = session.get_attribute("cart")  # a request has it in its hands
    take_over(session, LATER, attribute("cart", encode_value(["pear"])))
    assert session.get_attribute("cart") == ["pear"]
    cart.append("plum")
    assert names(session.take_delta()) == ["cart"]
    assert session.get_attribute("cart") == ["apple", "plum"]


def test_a_value_that_a_request_has_only_looked_at_gives_way_to_another_nodes() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    session.get_attribute("cart")
    take_over(session, LATER, attribute("cart", encode_value(["pear"])))
    assert session.take_delta() is None
    assert session.get_attribute("cart") == ["pear"]


def test_a_change_inside_is_found_that_a_request_makes_after_another_one_has_ended() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    session.access()  # two requests on this node use it at once
    session.access()
    cart: Any = session.get_attribute("cart")
    session.end_access()
    assert session.take_delta() is None
    cart.append("plum")
    session.end_access()
    assert names(session.take_delta()) == ["cart"]
    assert session.take_delta() is None


def test_a_replaced_value_that_a_request_changes_after_another_one_has_ended_is_the_later_one() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    session.access()
    session.access()
    cart: Any = session.get_attribute("cart")
    take_over(session, LATER, attribute("cart", encode_value(["pear"])))
    session.end_access()
    assert session.take_delta() is None
    cart.append("plum")
    session.end_access()
    assert names(session.take_delta()) == ["cart"]
    assert session.get_attribute("cart") == ["apple", "plum"]


def replace_elsewhere(session: DeltaSession, value: object, version: bytes = LATER) -> None:
    take_over(session, version, attribute("cart", encode_value(value)))


def test_each_value_that_a_request_holds_is_compared_with_the_form_in_which_it_was_read() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    session.access()
    session.access()
    session.get_attribute("cart")  # one request has this value
    replace_elsewhere(session, ["pear"])
    cart: Any = session.get_attribute("cart")  # and another one the next
    replace_elsewhere(session, ["fig"], LATEST)
    cart.append("plum")
    assert names(session.take_delta()) == ["cart"]
    assert session.get_attribute("cart") == ["pear", "plum"]


def test_a_value_of_a_request_that_is_through_does_not_hide_that_of_the_next_one() -> None:
    session = new_session()
    session.set_attribute("cart", ["apple"])
    session.take_delta()
    session.access()
    session.get_attribute("cart")
    replace_elsewhere(session, ["pear"])
    assert session.take_delta() is None
    session.end_access()
    session.access()
    cart: Any = session.get_attribute("cart")
    replace_elsewhere(session, ["fig"], LATEST)
    cart.append("plum")
    assert names(session.take_delta()) == ["cart"]
    assert session.get_attribute("cart") == ["pear", "plum"]


def test_what_comes_late_from_another_node_does_not_replace_what_was_changed_since() -> None:
    session = new_session()
    session.set_attribute("n", 1)
    session.take_delta()
    take_over(session, version_at(1, bytes(8)), attribute("n", encode_value(0)))
    assert session.get_attribute("n") == 1


def test_what_few_sessions_have_is_shared_by_none() -> None:
    one = new_session(record_all_actions=True)
    other = DeltaSession(one.manager, "OTHER", 0)
    one.notes["note"] = 1
    one.set_attribute("a", [1])
    one.restore_attribute("tree", java_value("TreeMap"))
    one.get_attribute("tree")
    one.add_remote_listener(encode_listener("SSO1"))
    take_over(one, LATER, note("note", encode_value("x")))
    assert one.opaque_notes
    assert one._read_form
    assert (other.notes, other.opaque_notes, other.remote_listeners, other._recorded, other._read_form) == (
        {}, {}, (), [], {},
    )  # fmt: skip
    assert names(one.take_delta()).count("a") == 1
