"""Messages of live Java nodes to each other and to us: every object is read, by its class too, and written again."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.ha.authenticator.sso_cache import SsoEntry
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.map_session import decode_session_object
from catalina.ha.session.session_data import decode_sessions
from catalina.ha.session.session_message import EVT_ALL_SESSION_DATA, EVT_SESSION_DELTA, SessionMessage
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.java import ObjectInputStream, loads, stream_class_name
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.tipis.map_message import MapMessage, MapState, decode_entries
from tests.tribes.wire import cases

CASES = cases("conversations")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_message_is_written_again_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    reader = NodeReader(wire, 4)
    assert encode_node(reader.read_node()).to_stream() == wire[: reader.position]


def check_map_message(message: MapMessage) -> None:
    """The content can be read, whatever map it belongs to."""
    assert message.key is None or isinstance(loads(message.key), str)
    if message.diff is not None:
        assert DeltaRequest.decode(message.diff).session_id
    if message.value is None:
        return
    match stream_class_name(message.value):
        case "org.apache.catalina.ha.session.DeltaSession":
            assert decode_session_object(message.value)[0].id
        case "org.apache.catalina.authenticator.SingleSignOnEntry":
            assert SsoEntry.decode(ObjectInputStream(message.value).read_encoded()).username
        case "java.util.ArrayList":
            for entry in decode_entries(message.value):
                check_map_message(entry)
        case _:
            assert MapState.decode(message.value) == MapState.INITIALIZED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_message_is_read_by_its_class(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    if SessionMessage.matches(wire):
        message = SessionMessage.decode(wire)
        if message.event == EVT_SESSION_DELTA:
            assert DeltaRequest.decode(message.session or b"").actions
        elif message.event == EVT_ALL_SESSION_DATA:
            assert all(session.id for session in decode_sessions(message.session or b""))
        return
    if MapMessage.matches(wire):
        check_map_message(MapMessage.decode(wire))
        return
    assert RpcMessage.matches(wire), stream_class_name(wire)
    rpc = RpcMessage.decode(wire)
    if isinstance(rpc, RpcMessage) and rpc.message.class_name.endswith("MapMessage"):
        check_map_message(MapMessage.decode(rpc.message.to_stream()))


def test_all_kinds_of_messages_were_said() -> None:
    names = {stream_class_name(bytes.fromhex(case["hex"])).rpartition(".")[2] for case in CASES}
    assert names >= {"SessionMessageImpl", "AbstractReplicatedMap$MapMessage", "RpcMessage"}
