"""Whole sessions as bytes: the body of ALL_SESSION_DATA (Tomcat: DeltaManager.serializeSessions).

::

    Integer count, then each session:
        Long creationTime, Long lastAccessedTime, Integer maxInactiveInterval, Boolean isNew, Boolean isValid,
        Long thisAccessedTime, Long version, boolean (block data) has principal, [principal], String id,
        note of the expected session id or null, note of the saved request or null      (left out by most 9.0 nodes)
        Integer n, n x (String name, value), Integer m, m x listener

All sessions of a block share one handle table. From the second session on, the fixed parts that this node writes differ
only in numbers, so one ``struct`` call writes or reads each. Attributes stay encoded: they go from and to the session
as bytes.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import BOOLEAN, INTEGER, LONG, integer, new_object
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue, reference
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, Limits
from catalina.tribes.io.java.node_reader import WriteAbortedError
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

__all__ = ["SessionData", "decode_sessions", "encode_sessions", "read_session", "write_session"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")
_repeated = RepeatedMessages(log)


@dataclass(slots=True)
class SessionData:
    """All parts of a session that travel. Times are milliseconds since 1970.

    Args:
        max_inactive_interval: seconds; zero or less for never.
        version: the number of changes, for information only.
        principal: the user as an encoded SerializablePrincipal; None for nobody. It does not contain the kind of login.
        expected_session_id, saved_request: the two notes of a form login under way.
        attributes: name -> value, encoded.
        listeners: encoded, kept and passed on.
    """

    id: str
    creation_time_ms: int = 0
    last_accessed_time_ms: int = 0
    max_inactive_interval: int = 1800
    is_new: bool = False
    is_valid: bool = True
    this_accessed_time_ms: int = 0
    version: int = 0
    principal: EncodedValue | None = None
    expected_session_id: EncodedValue | None = None
    saved_request: EncodedValue | None = None
    attributes: dict[str, EncodedValue] = field(default_factory=dict)
    listeners: list[EncodedValue] = field(default_factory=list)


#: The fixed part of a session whose classes the stream already has. Each ``6s`` is 73 71 and the class's handle.
_FIXED = struct.Struct(">6sq6sq6si6s?6s?6sq6sq3s")
_CLASSES = ("java.lang.Long", "java.lang.Integer", "java.lang.Boolean")
_NO_PRINCIPAL = b"\x77\x01\x00"
_PRINCIPAL = b"\x77\x01\x01"


def encode_sessions(sessions: Sequence[SessionData]) -> bytes:
    """The body of ALL_SESSION_DATA, in the order given."""
    out = ObjectOutputStream()
    out.write_node(integer(len(sessions)))
    if sessions:
        write_session(out, sessions[0])
        _write_more(out, sessions[1:])
    return out.getvalue()


def write_session(out: ObjectOutputStream, session: SessionData) -> None:
    """Write one session at the current place of any stream: in a block, or inside a DeltaSession object."""
    out.write_node(new_object(LONG, value=session.creation_time_ms))
    out.write_node(new_object(LONG, value=session.last_accessed_time_ms))
    out.write_node(integer(session.max_inactive_interval))
    out.write_node(new_object(BOOLEAN, value=session.is_new))
    out.write_node(new_object(BOOLEAN, value=session.is_valid))
    out.write_node(new_object(LONG, value=session.this_accessed_time_ms))
    out.write_node(new_object(LONG, value=session.version))
    out.write_boolean(session.principal is not None)
    if session.principal is not None:
        out.write_encoded(session.principal)
    out.write_string(session.id)
    out.write_encoded(session.expected_session_id or NULL)
    out.write_encoded(session.saved_request or NULL)
    out.write_node(integer(len(session.attributes)))
    for name, value in session.attributes.items():
        out.write_string(name)
        out.write_encoded(value)
    out.write_node(integer(len(session.listeners)))
    for listener in session.listeners:
        out.write_encoded(listener)


def _write_more(out: ObjectOutputStream, sessions: Sequence[SessionData]) -> None:
    """Write sessions into a stream that already has the three classes."""
    a_long, an_integer, a_boolean = (b"\x73\x71" + reference(out.handle_of(desc)) for desc in (LONG, INTEGER, BOOLEAN))
    pack = _FIXED.pack
    for session in sessions:
        principal = session.principal
        out.write_raw(
            pack(
                a_long,
                session.creation_time_ms,
                a_long,
                session.last_accessed_time_ms,
                an_integer,
                session.max_inactive_interval,
                a_boolean,
                session.is_new,
                a_boolean,
                session.is_valid,
                a_long,
                session.this_accessed_time_ms,
                a_long,
                session.version,
                _NO_PRINCIPAL if principal is None else _PRINCIPAL,
            ),
            7,
        )
        if principal is not None:
            out.write_encoded(principal)
        out.write_string(session.id)
        out.write_encoded(session.expected_session_id or NULL)
        out.write_encoded(session.saved_request or NULL)
        out.write_raw(an_integer + len(session.attributes).to_bytes(4, "big"), 1)
        for name, value in session.attributes.items():
            out.write_string(name)
            out.write_encoded(value)
        out.write_raw(an_integer + len(session.listeners).to_bytes(4, "big"), 1)
        for listener in session.listeners:
            out.write_encoded(listener)


def decode_sessions(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Iterator[SessionData]:
    """Read the sessions of an ALL_SESSION_DATA body one by one.

    An attribute that its writer gave up is left out. When the bytes break, the sessions yielded before are complete.

    Raises:
        ProtocolError: at the session that cannot be read. The later ones are lost, because nothing tells where they
            start.
    """
    stream = ObjectInputStream(data, limits)
    count = stream.read_boxed_int()
    reader = _SessionReader(stream)
    for _ in range(count):
        try:
            session = reader.read()
        except FAULTS as fault:
            raise broken("a session of the state", fault) from fault
        yield session


def read_session(stream: ObjectInputStream) -> SessionData:
    """Read one session at the current place of any stream.

    Raises:
        ProtocolError: there is no session at this place.
    """
    session = SessionData(
        "",
        stream.read_boxed_int(),
        stream.read_boxed_int(),
        stream.read_boxed_int(),
        stream.read_boxed_bool(),
        stream.read_boxed_bool(),
        stream.read_boxed_int(),
        stream.read_boxed_int(),
    )
    if stream.read_boolean():
        session.principal = stream.read_encoded()
    _read_rest(stream, session)
    return session


def _read_rest(stream: ObjectInputStream, session: SessionData) -> None:
    session.id = stream.read_string()
    note = stream.read_encoded()
    if note.class_name == "java.lang.Integer":  # a 9.0 node sends no notes: this is the number of attributes
        attributes = ObjectInputStream(note.to_stream()).read_boxed_int()
    else:
        session.expected_session_id = None if note == NULL else note
        saved_request = stream.read_encoded()
        session.saved_request = None if saved_request == NULL else saved_request
        attributes = stream.read_boxed_int()
    for _ in range(attributes):
        name = stream.read_string()
        try:
            session.attributes[name] = stream.read_encoded()
        except WriteAbortedError as aborted:
            _repeated.log(
                logging.WARNING, "attributes that their writer gave up",
                "Session [%s]: attribute [%s] was not sent: %s", session.id, name, aborted,
            )  # fmt: skip
    for _ in range(stream.read_boxed_int()):
        session.listeners.append(stream.read_encoded())


class _SessionReader:
    """Reads the sessions of one block, in the quick way once the handles of the three classes are known."""

    def __init__(self, stream: ObjectInputStream) -> None:
        self._stream = stream
        self._prefixes: tuple[bytes, bytes, bytes] | None = None
        self._is_first = True

    def read(self) -> SessionData:
        stream = self._stream
        if self._prefixes is not None:
            session = self._read_quickly(*self._prefixes)
            if session is not None:
                return session
        before = stream.handles
        session = read_session(stream)
        # the search looks at all handles, so it is not done for every session
        if self._is_first or stream.handles < before:
            self._prefixes = self._find_prefixes()
            self._is_first = False
        return session

    def _find_prefixes(self) -> tuple[bytes, bytes, bytes] | None:
        found = self._stream.handles_of_classes(_CLASSES)
        if len(found) < len(_CLASSES):
            return None
        a_long, an_integer, a_boolean = (b"\x73\x71" + reference(found[name]) for name in _CLASSES)
        return a_long, an_integer, a_boolean

    def _read_quickly(self, a_long: bytes, an_integer: bytes, a_boolean: bytes) -> SessionData | None:
        """Read a session that only refers to the known classes; None, with nothing read, when it has another form."""
        stream = self._stream
        data, start = stream.data, stream.position
        if len(data) - start < _FIXED.size:
            return None
        (
            p1,
            created,
            p2,
            accessed,
            p3,
            interval,
            p4,
            is_new,
            p5,
            is_valid,
            p6,
            this_accessed,
            p7,
            version,
            principal,
        ) = _FIXED.unpack_from(data, start)
        if not (p1 == p2 == p6 == p7 == a_long and p3 == an_integer and p4 == p5 == a_boolean):
            return None
        if principal not in (_NO_PRINCIPAL, _PRINCIPAL):
            return None
        session = SessionData("", created, accessed, interval, is_new, is_valid, this_accessed, version)
        stream.advance(start + _FIXED.size, 7)
        if principal == _PRINCIPAL:
            session.principal = stream.read_encoded()
        _read_rest(stream, session)
        return session
