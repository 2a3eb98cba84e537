from __future__ import annotations

import pytest

from catalina.errors import ProtocolError
from catalina.ha.session.session_data import SessionData
from catalina.ha.session.session_object import DELTA_SESSION_SUIDS, decode_session_object, encode_session_object
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.java import decode_value, dumps, encode_value
from catalina.tribes.tipis.map_message import MapMessage
from tests.tribes.wire import cases

MAP = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("map")}
OBJECT = MAP["valuedata of that message: a DeltaSession as a java object"]


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
