from __future__ import annotations

import pytest

from catalina.errors import ProtocolError
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_request import DeltaRequest, serialize
from catalina.ha.session.map_session import (
    DELTA_SESSION_SUIDS,
    MapSession,
    SessionCodec,
    decode_session_object,
    encode_session_object,
)
from catalina.ha.session.session_data import SessionData
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.java import decode_value, dumps, encode_value
from catalina.tribes.tipis.map_message import MapMessage
from catalina.tribes.tipis.map_values import Merge, is_diffable
from tests.ha.session.deltas import attribute
from tests.session.support import FakeClock, FakeContext
from tests.support.narrowing import of_type
from tests.tribes.wire import cases

MAP = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("map")}
OBJECT = MAP["valuedata of that message: a DeltaSession as a java object"]


def new_manager() -> BackupManager:
    manager = BackupManager(clock=FakeClock())
    manager.context = FakeContext()
    return manager


def new_session(manager: BackupManager | None = None) -> MapSession:
    session = (manager or new_manager()).create_session("S")
    assert isinstance(session, MapSession)
    session.take_diff()
    return session


def test_a_session_says_what_changed_once() -> None:
    session = new_session()
    assert session.take_diff() is None
    session.set_attribute("n", 1)
    diff = session.take_diff()
    assert diff is not None
    delta = DeltaRequest.decode(diff)
    assert delta.session_id == "S"
    assert [action.name for action in delta.actions] == ["n"]
    assert session.take_diff() is None
    assert is_diffable(session)


def test_a_backup_takes_over_what_changed() -> None:
    owner, backup = new_session(), new_session()
    owner.set_attribute("n", [1])
    diff = owner.take_diff()
    assert diff is not None
    backup.apply_diff(diff)
    assert backup.get_attribute("n") == [1]
    assert not backup.is_primary


def test_a_difference_of_another_session_is_refused() -> None:
    session = new_session()
    with pytest.raises(ProtocolError, match="Session id mismatch"):
        session.apply_diff(serialize("other", False, [attribute("n", encode_value(1))]))
    assert session.attribute_names() == []


@pytest.mark.parametrize("diff", [b"", b"nonsense", dumps(1)])
def test_what_is_no_difference_is_refused(diff: bytes) -> None:
    with pytest.raises(ProtocolError):
        new_session().apply_diff(diff)


def test_an_access_is_told_each_tenth_of_the_interval() -> None:
    manager = new_manager()
    session = new_session(manager)
    session.max_inactive_interval = 100
    session.take_diff()
    assert not session.access_due()
    manager._clock.advance(11)  # type: ignore[attr-defined]
    assert session.access_due()
    assert not session.access_due()
    session.max_inactive_interval = 0
    manager._clock.advance(1000)  # type: ignore[attr-defined]
    assert not session.access_due()


def test_an_access_elsewhere_touches_the_copy() -> None:
    manager = new_manager()
    session = new_session(manager)
    manager._clock.advance(5)  # type: ignore[attr-defined]
    session.accessed_elsewhere()
    assert session.idle_ms() == 0
    assert not session.is_primary


def test_a_session_travels_whole() -> None:
    manager = new_manager()
    session = new_session(manager)
    session.set_attribute("cart", {"items": [1, 2]})
    codec = SessionCodec(manager)
    copy = codec.decode(codec.encode(session, 0))
    assert copy.get_attribute("cart") == {"items": [1, 2]}
    assert (copy.id, copy.manager, copy.is_primary) == ("S", manager, False)


def test_java_s_session_is_read_and_answered_in_the_form_of_its_version() -> None:
    manager = new_manager()
    wire = next(bytes.fromhex(case["hex"]) for case in cases("map") if case["name"] == "MSG_BACKUP of a DeltaSession")
    value = MapMessage.decode(wire).value
    assert value is not None
    codec = SessionCodec(manager)
    session = codec.decode(value)
    assert session.get_attribute("attr0") == -128
    data, _, _ = decode_session_object(value)
    old = codec.decode(encode_session_object(data, DELTA_SESSION_SUIDS[1]))
    assert decode_session_object(codec.encode(old, 0))[1] == DELTA_SESSION_SUIDS[1]


def test_what_is_no_session_is_refused() -> None:
    with pytest.raises(ProtocolError):
        SessionCodec(new_manager()).decode(dumps({"a": 1}))


def copy_of(session: MapSession, clock_s: float = 0) -> MapSession:
    """The session on another node, whose clock is so much ahead."""
    manager = new_manager()
    manager._clock.advance(clock_s)  # type: ignore[attr-defined]
    home = of_type(BackupManager, session.manager)
    return SessionCodec(manager).decode(SessionCodec(home).encode(session, 0))


def test_two_copies_that_were_changed_apart_become_one_with_both_changes() -> None:
    one = new_session()
    other = copy_of(one, clock_s=5)
    one.set_attribute("left", 1)
    other.set_attribute("right", 2)
    other.set_attribute("same", "later")
    one.set_attribute("same", "earlier")
    for session in (one, other):
        session.take_diff()
    theirs = copy_of(other)
    assert one.merge_value(theirs).is_changed
    assert {name: one.get_attribute(name) for name in sorted(one.attribute_names())} == {
        "left": 1, "right": 2, "same": "later",
    }  # fmt: skip
    assert not one.merge_value(theirs).is_changed


def test_a_difference_that_comes_late_takes_nothing_back() -> None:
    one = new_session()
    other = copy_of(one, clock_s=5)
    one.set_attribute("n", "earlier")
    late = one.take_diff()
    other.set_attribute("n", "later")
    other.take_diff()
    assert late is not None
    assert other.merge_diff(late) == Merge(is_changed=False, has_newer=True)
    assert other.get_attribute("n") == "later"


def test_a_java_nodes_difference_counts_as_made_when_it_comes() -> None:
    session = new_session()
    session.set_attribute("n", 1)
    session.take_diff()
    delta = serialize("S", False, [attribute("n", encode_value("Pv" + "0" * 16))])
    assert session.merge_diff(delta).is_changed
    assert session.get_attribute("n") == "Pv" + "0" * 16


def test_a_session_is_in_use_where_it_was_used_within_its_interval() -> None:
    manager = new_manager()
    session = new_session(manager)
    session.max_inactive_interval = 100
    assert session.in_use()
    manager._clock.advance(100)  # type: ignore[attr-defined]
    assert not session.in_use()
    session.max_inactive_interval = -1
    assert session.in_use()
    session.be_backup()
    assert not session.in_use()


def test_of_all_changes_of_a_request_to_an_attribute_the_last_one_holds() -> None:
    session = new_session()
    changes = [attribute("n", encode_value(1)), attribute("n", None), attribute("n", encode_value(3))]
    session.apply_diff(serialize("S", True, changes))
    assert session.get_attribute("n") == 3


def test_a_captured_session_is_read() -> None:
    session, suid, _ = decode_session_object(OBJECT)
    assert session.id == "34D6BE381768BDDB9EC480B09221C403"
    assert session.max_inactive_interval == 1800
    assert set(session.attributes) == {"attr0", "attr1", "attr2"}
    assert decode_value(session.attributes["attr0"]) == -128
    assert suid == DELTA_SESSION_SUIDS[0]


def test_it_is_found_in_a_map_s_message_and_in_an_answer() -> None:
    message = MapMessage.decode(MAP["MSG_BACKUP of a DeltaSession"])
    assert message.value == OBJECT
    answer = RpcMessage.decode(MAP["RpcMessage around MSG_RETRIEVE_BACKUP with a DeltaSession"])
    assert isinstance(answer, RpcMessage)
    assert MapMessage.decode(answer.message.to_stream()).value == OBJECT


def test_a_session_begins_with_the_bytes_that_java_writes() -> None:
    ours = encode_session_object(decode_session_object(OBJECT)[0])
    end = OBJECT.index(b"java.lang.Long")
    assert ours[:end] == OBJECT[:end]


@pytest.mark.parametrize("suid", DELTA_SESSION_SUIDS)
def test_each_version_is_answered_with_its_own_number(suid: int) -> None:
    session = SessionData("id", attributes={"a": encode_value([1, 2])}, principal=encode_value("p"))
    assert decode_session_object(encode_session_object(session, suid)) == (session, suid, b"")


@pytest.mark.parametrize("data", [b"", dumps(1), dumps(None), dumps({}), OBJECT[:-40], OBJECT[:400]])
def test_what_is_no_session_is_the_documented_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_session_object(data)


def test_what_stands_behind_a_session_comes_back_and_java_steps_over_it() -> None:
    data = encode_session_object(SessionData("id"), behind=b"x" * 300)
    assert decode_session_object(data)[2] == b"x" * 300
