from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.session.session_record import dump_session, load_session
from catalina.session.standard_manager import StandardManager
from catalina.session.standard_session import StandardSession
from tests.session.support import FakeContext


def manager() -> StandardManager:
    found = StandardManager()
    found.context = FakeContext()
    return found


def test_a_session_comes_back_as_it_was() -> None:
    found = manager()
    session = found.create_session("S")
    session.set_attribute("list", [1, "a", {"b": None}])
    session.set_attribute("n", 5)
    session.max_inactive_interval = 77
    back = found.new_session("")
    load_session(dump_session(session), back)
    assert back.id == "S"
    assert (back.creation_time_ms, back.max_inactive_interval) == (session.creation_time_ms, 77)
    assert {name: back.get_attribute(name) for name in back.attribute_names()} == {
        "list": [1, "a", {"b": None}],
        "n": 5,
    }


def test_a_value_that_was_never_read_is_written_as_it_came() -> None:
    found = manager()
    session = found.create_session("S")
    encoded = found.codec.encode("cart", [1])
    session.restore_attribute("cart", encoded)
    back = found.new_session("")
    load_session(dump_session(session), back)
    assert back.encoded_attribute("cart") == encoded


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_session_or_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        load_session(data, manager().new_session(""))


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_gives_a_session_or_a_protocol_error(data: st.DataObject) -> None:
    found = manager()
    session: StandardSession = found.create_session("S")
    session.set_attribute("n", 5)
    whole = bytearray(dump_session(session))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    back = found.new_session("")
    try:
        load_session(bytes(whole[: data.draw(st.integers(0, len(whole)))]), back)
    except ProtocolError:
        return
    assert isinstance(back.id, str)
