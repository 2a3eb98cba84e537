"""The message of DeltaManager as a Java object (Tomcat: ha/session/SessionMessageImpl.java; docs/wire.md 5.1).

::

    class SessionMessageImpl, suid 2                     super ClusterMessageBase, suid 1: long timestamp, always 0
        int mEvtType, long serializationTimestamp, boolean timestampSet
        String mContextName, byte[] mSession, String mSessionID, String uniqueId

Java always writes the descriptors in the same bytes, and so do we; ``object_form`` reads and writes both these and all
other forms by the table below.
"""

from __future__ import annotations

from functools import partial
from operator import call
from typing import NamedTuple

from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.object_form import ObjectForm
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
    "new_message",
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

#: The superclass of all messages of the cluster.
CLUSTER_MESSAGE_BASE = describe("org.apache.catalina.ha.ClusterMessageBase", 1, fields="J timestamp")
_FORM = ObjectForm(
    describe(
        "org.apache.catalina.ha.session.SessionMessageImpl",
        2,
        fields="I mEvtType, J serializationTimestamp, Z timestampSet, Ljava/lang/String; mContextName, [B mSession, "
        "Ljava/lang/String; mSessionID, Ljava/lang/String; uniqueId",
        super_desc=CLUSTER_MESSAGE_BASE,
    )
)

_START, _pack, _WRITERS = _FORM.start, _FORM.pack, _FORM.writers


def encode_message(
    event: int,
    context_name: str | None,
    session: bytes | None,
    session_id: str | None,
    unique_id: str | None,
    timestamp_ms: int | None,
) -> bytes:
    """The bytes of a :class:`SessionMessage` with these fields, for callers that send one with every request."""
    return b"".join(
        (
            _START,
            _pack(0, event, timestamp_ms or 0, timestamp_ms is not None),
            *map(call, _WRITERS, (context_name, session, session_id, unique_id)),
        )
    )


class SessionMessage(NamedTuple):
    """One session event.

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
            _, event, time, is_set, context_name, session, session_id, unique_id = _FORM.read(data)
        except FAULTS as fault:
            raise broken("a session message", fault) from fault
        return new_message((event, context_name, session, session_id, unique_id, time if is_set else None))

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test, for ``accept``."""
        return _FORM.matches(data)


#: Makes a message of all its fields, as the class does, without a call of Python.
new_message = partial(tuple.__new__, SessionMessage)


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
