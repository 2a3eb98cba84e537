"""Object streams, session values and everything about sessions that a peer, a Java node or a file may bring."""

from __future__ import annotations

from catalina.errors import NotReplicableError, ProtocolError
from catalina.ha.authenticator.cluster_single_sign_on_listener import decode_listener, encode_listener
from catalina.ha.authenticator.sso_cache import SsoCodec, SsoEntry
from catalina.ha.cluster_message import class_name_of, decoder_for
from catalina.ha.context.replicated_context import AttributeCodec as ContextCodec
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.map_session import SessionCodec, decode_session_object, encode_session_object
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_data import SessionData, decode_sessions, encode_sessions
from catalina.ha.session.session_message import SessionMessage, decode_session_id, encode_session_id
from catalina.session.session_record import dump_session, load_session
from catalina.session.standard_manager import StandardManager
from catalina.tribes.io.java import EncodedValue, ObjectInputStream, decode_value, encode_value, loads
from catalina.tribes.io.java.descriptors import byte_array
from catalina.tribes.io.java.java_time import from_ser, to_ser
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.java.skim import skim
from tests.fuzz.target import Target
from tests.session.support import FakeContext
from tests.tribes.io.java import hostile
from tests.tribes.io.java.values import ONE_OF_EACH, allow_here
from tests.tribes.wire import cases

_IO = "catalina.tribes.io.java"
_HA = "catalina.ha.session"


def captured(*names: str, key: str = "hex") -> list[bytes]:
    return [bytes.fromhex(case[key]) for name in names for case in cases(name) if key in case]


def _hostile() -> list[bytes]:
    return [maker(20) for maker in hostile.MAKERS.values()] + [hostile.field_twice(), hostile.external_with_field()]


def _streams() -> list[bytes]:
    return captured("java_values", "java_streams", "sso", "sessions") + [hostile.stream(piece) for piece in _hostile()]


def _python() -> list[bytes]:
    return [encode_value(value).data for value in ONE_OF_EACH] + [encode_value(ONE_OF_EACH).data]


def _values() -> list[bytes]:
    return [data[4:] for data in captured("java_values")] + _python() + _hostile()


def _marked_parts() -> list[bytes]:
    return [data[data.index(MARK) + len(MARK) :] for data in _python() if MARK in data]


def _stream(data: bytes) -> None:
    stream = ObjectInputStream(data)
    while not stream.at_end:
        stream.read_encoded()
    stream = ObjectInputStream(data)
    while not stream.at_end:
        stream.read_node()


def _nodes(data: bytes) -> None:
    encode_node(read_object(data))


def _skim(data: bytes) -> None:
    cut = skim(data, 0, 0, 100)
    if cut is not None:
        value, end = cut
        assert 0 <= end <= len(data)
        assert len(value.at_handle(1000)) == len(value.data)


def _value(data: bytes) -> None:
    """Decode, and encode what came out: an application that reads a value has its session replicated afterwards."""
    value = decode_value(EncodedValue(data, 0), allow_here)
    try:
        encode_value(value)
    except NotReplicableError:
        return


def _python_value(data: bytes) -> None:
    node = byte_array(MARK + data)
    decode_value(encode_node(node), allow_here)


def _delta(data: bytes) -> None:
    for action in DeltaRequest.decode(data).actions:
        if action.value is not None:
            decode_value(action.value, allow_here)


def _message(data: bytes) -> None:
    decode = decoder_for(class_name_of(data)) or SessionMessage.decode
    decode(data)


def _session_message(data: bytes) -> None:
    SessionMessage.decode(data)


def _sessions(data: bytes) -> None:
    for session in decode_sessions(data):
        assert isinstance(session.id, str)


def _store(data: bytes) -> None:
    manager = StandardManager()
    manager.context = FakeContext()
    session = manager.new_session("")
    load_session(data, session)
    for name in session.attribute_names():
        session.get_attribute(name)


def _stored() -> list[bytes]:
    manager = StandardManager()
    manager.context = FakeContext()
    session = manager.create_session("S1")
    session.set_attribute("cart", {"items": [1, "two", 3.5]})
    session.set_attribute("user", ("a", b"b"))
    return [dump_session(session)]


def _session_data() -> list[SessionData]:
    values = {"a": encode_value("x"), "b": encode_value([1, 2])}
    principal = SerializablePrincipal("joe", ("admin",), None, {"mail": "x"}).encode()
    return [SessionData("S1", attributes=values), SessionData("S2", principal=principal, attributes=values)]


def _attributes(data: bytes) -> None:
    """A session meets a value that is broken, in the application's request."""
    manager = StandardManager()
    manager.context = FakeContext()
    session = manager.create_session("S")
    session.restore_attribute("a", EncodedValue(data, 0))
    session.get_attribute("a")


def _time(data: bytes) -> None:
    from_ser(data)


def _times() -> list[bytes]:
    return [data for value in ONE_OF_EACH if hasattr(value, "isoformat") and (data := to_ser(value))] + [
        b"\x06" + b"\0\0\x07\xe8\x01\x01\x0a\x1e\xff\x04\x07\x00\x0cEurope/Paris"
    ]


def _map_session(data: bytes) -> None:
    manager = BackupManager()
    manager.context = FakeContext()
    SessionCodec(manager).decode(data)


def _context_attribute(data: bytes) -> None:
    ContextCodec().decode(data)


TARGETS = [
    Target("java", _stream, (f"{_IO}.object_input_stream:*", f"{_IO}.node_reader:NodeReader.*"), _streams),
    Target("nodes", _nodes, (f"{_IO}.node_reader:read_object",), _values),
    Target("loads", loads, (f"{_IO}.value_decoder:loads", "catalina.tribes.tipis.map_values:*"), _streams),
    Target("skim", _skim, (f"{_IO}.skim:skim",), _values, ()),
    Target("value", _value, (f"{_IO}.value_decoder:decode_value",), _values),
    Target("pyvalue", _python_value, (f"{_IO}.value_decoder:decode_value",), _marked_parts, ()),
    Target("attribute", _attributes, ("catalina.session.attribute_codec:*", "catalina.session.manager_base:*"),
           _values, ()),
    Target("text", decode_modified_utf8, (f"{_IO}.modified_utf8:decode_modified_utf8",),
           lambda: [encode_modified_utf8(text) for text in ("", "abc", "\0", "grüße \U0001f600", "\ud800")]),
    Target("time", _time, (f"{_IO}.java_time:*",), _times, (ProtocolError, ValueError, OverflowError)),
    Target("delta", _delta, (f"{_HA}.delta_request:DeltaRequest.decode",), lambda: captured("delta_requests")),
    Target("message", _message, ("catalina.ha.cluster_message:decoder_for",),
           lambda: captured("session_messages", "file_messages")),
    Target("session", _session_message, (f"{_HA}.session_message:SessionMessage.decode",),
           lambda: captured("session_messages")),
    Target("sessionid", decode_session_id, (f"{_HA}.session_message:decode_session_id",),
           lambda: [encode_session_id("ABC"), encode_session_id("")]),
    Target("sessions", _sessions, (f"{_HA}.session_data:decode_sessions", f"{_HA}.session_data:read_session"),
           lambda: [*captured("sessions"), encode_sessions(_session_data())]),
    Target("sessobj", decode_session_object, (f"{_HA}.map_session:decode_session_object",),
           lambda: [encode_session_object(session) for session in _session_data()]),
    Target("mapsession", _map_session, (f"{_HA}.map_session:*",),
           lambda: [encode_session_object(session) for session in _session_data()]),
    Target("principal", lambda data: SerializablePrincipal.decode_principal(EncodedValue(data, 0)),
           (f"{_HA}.serializable_principal:SerializablePrincipal.decode",
            f"{_HA}.serializable_principal:SerializablePrincipal.decode_principal"),
           lambda: [SerializablePrincipal("joe", ("a", "b"), SerializablePrincipal("in"), {"x": 1}).encode().data]),
    Target("store", _store, ("catalina.session.session_record:load_session",
                             "catalina.session.session_record:read_session"), _stored),
    Target("sso", lambda data: SsoEntry.decode(EncodedValue(data, 0)),
           ("catalina.ha.authenticator.sso_cache:SsoEntry.decode",), lambda: [data[4:] for data in captured("sso")]),
    Target("ssocache", SsoCodec().decode, ("catalina.ha.authenticator.sso_cache:SsoCodec.decode",),
           lambda: captured("sso")),
    Target("listener", lambda data: decode_listener(EncodedValue(data, 0)),
           ("catalina.ha.authenticator.cluster_single_sign_on_listener:decode_listener",),
           lambda: [encode_listener("ABC").data]),
    Target("context", _context_attribute, ("catalina.ha.context.replicated_context:AttributeCodec.decode",), _streams),
]  # fmt: skip
