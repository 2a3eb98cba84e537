"""The message of DeltaManager: SessionMessageImpl as a Java object (Tomcat: ha/session/SessionMessageImpl.java).

::

    class SessionMessageImpl, suid 2                     super ClusterMessageBase, suid 1: long timestamp, always 0
        int mEvtType, long serializationTimestamp, boolean timestampSet
        String mContextName, byte[] mSession, String mSessionID, String uniqueId

Java always writes the descriptors in the same bytes, and so do we: reading and writing use that constant prefix, and
take one or two microseconds. A message without it (another field order, another version) goes through the general
reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import BYTE_ARRAY, describe
from catalina.tribes.io.java.grammar import STREAM_HEADER, TC_NULL, TC_OBJECT, TC_STRING
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, text_of
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream
from catalina.tribes.ledger.version import NO_VERSION, VERSION_SIZE, Version

__all__ = [
    "EVT_ALL_SESSION_DATA",
    "EVT_ALL_SESSION_NOCONTEXTMANAGER",
    "EVT_ALL_SESSION_TRANSFERCOMPLETE",
    "EVT_CHANGE_SESSION_ID",
    "EVT_GET_ALL_SESSIONS",
    "EVT_LEDGER",
    "EVT_PROBE",
    "EVT_SESSION_ACCESSED",
    "EVT_SESSION_CREATED",
    "EVT_SESSION_DELTA",
    "EVT_SESSION_EXPIRED",
    "STAMP",
    "SessionMessage",
    "decode_session_id",
    "encode_message",
    "encode_session_id",
    "stamp",
    "stamp_of",
]

EVT_SESSION_CREATED = 1
EVT_SESSION_EXPIRED = 2
EVT_SESSION_ACCESSED = 3
EVT_GET_ALL_SESSIONS = 4
EVT_ALL_SESSION_DATA = 12
EVT_SESSION_DELTA = 13
EVT_ALL_SESSION_TRANSFERCOMPLETE = 14
EVT_CHANGE_SESSION_ID = 15
EVT_ALL_SESSION_NOCONTEXTMANAGER = 16
#: Between Python nodes: a message of the ledger (tribes/ledger/wire.py). Java ignores unknown events.
EVT_LEDGER = 101
#: A message that only asks for its acknowledgement.
EVT_PROBE = 102

#: The names in Tomcat's logs (SessionMessageImpl.getEventTypeString).
EVENT_NAMES = {
    EVT_SESSION_CREATED: "SESSION-MODIFIED",
    EVT_SESSION_EXPIRED: "SESSION-EXPIRED",
    EVT_SESSION_ACCESSED: "SESSION-ACCESSED",
    EVT_GET_ALL_SESSIONS: "SESSION-GET-ALL",
    EVT_SESSION_DELTA: "SESSION-DELTA",
    EVT_ALL_SESSION_DATA: "ALL-SESSION-DATA",
    EVT_ALL_SESSION_TRANSFERCOMPLETE: "SESSION-STATE-TRANSFERRED",
    EVT_CHANGE_SESSION_ID: "SESSION-ID-CHANGED",
    EVT_ALL_SESSION_NOCONTEXTMANAGER: "NO-CONTEXT-MANAGER",
    EVT_LEDGER: "LEDGER",
    EVT_PROBE: "PROBE",
}

CLASS_NAME = "org.apache.catalina.ha.session.SessionMessageImpl"

#: The superclass of all messages of the cluster.
CLUSTER_MESSAGE_BASE = describe("org.apache.catalina.ha.ClusterMessageBase", 1, fields="J timestamp")
_CLASS = describe(
    CLASS_NAME,
    2,
    fields="I mEvtType, J serializationTimestamp, Z timestampSet, Ljava/lang/String; mContextName, [B mSession, "
    "Ljava/lang/String; mSessionID, Ljava/lang/String; uniqueId",
    super_desc=CLUSTER_MESSAGE_BASE,
)
_HEAD = STREAM_HEADER + bytes((TC_OBJECT,)) + encode_node(_CLASS).data
#: timestamp of the base class, event, timestamp, whether it is set.
_FIXED = struct.Struct(">qiq?")
_FIXED_END = len(_HEAD) + _FIXED.size
#: A byte[] up to its length. It contains no handle of the constant head.
_ARRAY_HEAD = b"\x75" + encode_node(BYTE_ARRAY).data
_NULL = bytes((TC_NULL,))
_STRING_HEAD = struct.Struct(">BH")
_U32 = struct.Struct(">I")


def encode_message(
    event: int,
    context_name: str | None,
    session: bytes | None,
    session_id: str | None,
    unique_id: str | None,
    timestamp_ms: int | None,
) -> bytes:
    """The bytes of a :class:`SessionMessage` with these fields, for callers that send one with every request.

    The unique id may be any text; the session's own id costs the least.
    """
    encoded_id = _remembered_string(session_id)
    body = _NULL if session is None else _ARRAY_HEAD + _U32.pack(len(session)) + session
    return b"".join(
        (
            _HEAD,
            _FIXED.pack(0, event, timestamp_ms or 0, timestamp_ms is not None),
            _remembered_string(context_name),
            body,
            encoded_id,
            encoded_id if unique_id == session_id else _string(unique_id),
        )
    )


@dataclass(slots=True)  # not frozen, because that would double the cost of making one from bytes
class SessionMessage:
    """One session event. It is not changed once it is made.

    Args:
        event: one of the ``EVT_`` numbers; others are legal and ignored by receivers.
        context_name: the manager's name (``/app``, ``localhost#/app``); None speaks to all managers.
        session: depends on the event: a delta (DeltaRequest), a session block (session_data), a new id
            (encode_session_id), or None.
        session_id: the session, or a fixed text for events about all sessions.
        unique_id: free text.
        timestamp_ms: milliseconds since 1970; None is "not set".
    """

    event: int
    context_name: str | None
    session: bytes | None
    session_id: str | None
    unique_id: str | None
    timestamp_ms: int | None = None

    @property
    def event_name(self) -> str:
        """The event's name in Tomcat's logs."""
        return EVENT_NAMES.get(self.event, "UNKNOWN-EVENT-TYPE")

    def encode(self) -> ObjectBytes:
        """The whole message of a channel package (to be sent without SEND_OPTIONS_BYTE_MESSAGE)."""
        return ObjectBytes(
            encode_message(
                self.event, self.context_name, self.session, self.session_id, self.unique_id, self.timestamp_ms
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> SessionMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no SessionMessageImpl; ask :meth:`matches` first.
        """
        try:
            return _decode_constant(data) or _decode_general(data)
        except FAULTS as fault:
            raise broken("a session message", fault) from fault

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test, for ``accept``."""
        return data.startswith(_NAME_HEAD)


_NAME_HEAD = _HEAD[: 8 + len(CLASS_NAME)]


def _string(text: str | None) -> bytes:
    if text is None:
        return _NULL
    data = encode_modified_utf8(text)
    size = len(data)
    if size > 0xFFFF:
        raise ValueError(f"a name or id of {size} bytes, at most 65535 can be sent")
    return _STRING_HEAD.pack(TC_STRING, size) + data


#: Remembers the names of contexts and the ids of sessions in use, which come again with every request.
_remembered_string = lru_cache(maxsize=4096)(_string)


def _decode_constant(data: bytes) -> SessionMessage | None:
    """Read the usual bytes; None for any other, or when they are cut short."""
    if not data.startswith(_HEAD) or len(data) < _FIXED_END + 4:
        return None
    _, event, time, is_set = _FIXED.unpack_from(data, len(_HEAD))
    try:
        context_name, position = _read_string(data, _FIXED_END)
        session: bytes | None = None
        if data[position] == TC_NULL:
            position += 1
        else:
            if not data.startswith(_ARRAY_HEAD, position):
                return None
            start = position + len(_ARRAY_HEAD) + 4
            position = start + _U32.unpack_from(data, start - 4)[0]
            session = data[start:position]
        session_id, end = _read_string(data, position)
        if data[position:end] == data[end:]:  # the usual case
            unique_id, position = session_id, len(data)
        else:
            unique_id, position = _read_string(data, end)
    except (_UnusualError, IndexError, struct.error):
        return None
    if position != len(data):
        return None
    return SessionMessage(event, context_name, session, session_id, unique_id, time if is_set else None)


class _UnusualError(Exception):
    """The bytes are not the usual ones, though perhaps legal."""


def _read_string(data: bytes, position: int) -> tuple[str | None, int]:
    tag = data[position]
    if tag == TC_STRING:
        start = position + 3
        end = start + (data[position + 1] << 8 | data[position + 2])
        text = data[start:end]
        return text.decode("ascii") if text.isascii() else decode_modified_utf8(text, start), end
    if tag == TC_NULL:
        return None, position + 1
    raise _UnusualError


def _decode_general(data: bytes) -> SessionMessage:
    """Read any form that Java's own reader would accept: fields in any order, missing fields, unknown fields."""
    node = ObjectInputStream(data).read_node()
    if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
        raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
    session = node.get("mSession")
    if session is not None and not (isinstance(session, JavaArray) and isinstance(session.values, bytes)):
        raise ProtocolError(f"mSession: expected a byte[], got {session!r}")
    event = node.get("mEvtType")
    time = node.get("serializationTimestamp")
    if not isinstance(event, int) or not isinstance(time, int):
        raise ProtocolError(f"mEvtType and serializationTimestamp: expected numbers, got {event!r} and {time!r}")
    return SessionMessage(
        event,
        text_of(node.get("mContextName"), "mContextName"),
        session.values if isinstance(session, JavaArray) and isinstance(session.values, bytes) else None,
        text_of(node.get("mSessionID"), "mSessionID"),
        text_of(node.get("uniqueId"), "uniqueId"),
        time if node.get("timestampSet") else None,
    )


def encode_session_id(session_id: str) -> bytes:
    """The body of EVT_CHANGE_SESSION_ID: the new id as one UTF of block data."""
    out = ObjectOutputStream()
    out.write_utf(session_id)
    return out.getvalue()


def decode_session_id(data: bytes) -> str:
    """Read what :func:`encode_session_id` writes.

    Raises:
        ProtocolError: the bytes are something else.
    """
    return ObjectInputStream(data).read_utf()


#: Begins the versions behind a body; Java has already read everything that it needs.
STAMP = b"Pv"


def stamp(version: Version, access: Version = NO_VERSION) -> bytes:
    """The versions that stand behind the body of a message between Python nodes.

    Args:
        version: the version of the message's content.
        access: for an end for idleness, the last use that the sender knows of.
    """
    return STAMP + version + access


def stamp_of(body: bytes | None, count: int = 1) -> tuple[Version, ...]:
    """The last ``count`` versions behind a body; empty when there are fewer. Only for messages of Python nodes, because
    the bytes of a Java node may end in anything.
    """
    size = len(STAMP) + count * VERSION_SIZE
    if body is None or len(body) < size or not body.startswith(STAMP, len(body) - size):
        return ()
    if count == 1:
        return (body[-VERSION_SIZE:],)
    return tuple(body[at : at + VERSION_SIZE] for at in range(len(body) - size + len(STAMP), len(body), VERSION_SIZE))
