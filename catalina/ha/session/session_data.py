"""Whole sessions as bytes: the body of ALL_SESSION_DATA (Tomcat: DeltaManager.serializeSessions; docs/wire.md 5.3).

::

    Integer count, then each session:
        Long creationTime, Long lastAccessedTime, Integer maxInactiveInterval, Boolean isNew, Boolean isValid,
        Long thisAccessedTime, Long version, boolean (block data) has principal, [principal], String id,
        note of the expected session id or null, note of the saved request or null      (left out by most 9.0 nodes)
        Integer n, n x (String name, value), Integer m, m x listener

All sessions of a block share one handle table. Attributes stay encoded: they go from and to the session as bytes.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import BOOLEAN, INTEGER, LONG, new_object
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue, reference
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, PRIMITIVE_CODES, Limits
from catalina.tribes.io.java.node_reader import WriteAbortedError
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

__all__ = ["Boxes", "SessionData", "decode_sessions", "encode_sessions", "read_session", "write_session"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")
_repeated = RepeatedMessages(log)
_READERS = {
    BOOLEAN: ObjectInputStream.read_boxed_bool,
    INTEGER: ObjectInputStream.read_boxed_int,
    LONG: ObjectInputStream.read_boxed_int,
}


class Boxes:
    """Java's boxed numbers and booleans of these classes, in this order.

    The first ones of a stream bring their classes along. From then on only the values differ, so a run is packed and
    unpacked in one piece. A reader that finds them in another form takes them from the stream one by one.

    Args:
        descs: BOOLEAN, INTEGER or LONG, each.
    """

    def __init__(self, *descs: ClassDesc) -> None:
        self._descs = descs
        self._names = {desc.name for desc in descs}
        self._readers = [_READERS[desc] for desc in descs]
        #: Each box has the code of an object, that of a reference and the class's handle; then comes the value.
        forms = [f"6s{PRIMITIVE_CODES[desc.fields[0].kind]}" for desc in descs]
        self._form = struct.Struct(">" + "".join(forms))
        sizes = [struct.calcsize(">" + form) for form in forms]
        self._offsets = [sum(sizes[:number]) for number in range(len(sizes))]

    def write(self, out: ObjectOutputStream, values: Sequence[int | bool]) -> None:
        """Append them."""
        heads = out.heads_of_boxes.get(self)
        if heads is not None:
            out.write_raw(self._form.pack(*chain.from_iterable(zip(heads, values, strict=True))), len(values))
            return
        for desc, value in zip(self._descs, values, strict=True):
            out.write_node(new_object(desc, value=value))
        out.heads_of_boxes[self] = self._heads({desc.name: out.handle_of(desc) for desc in self._descs})

    def read(self, stream: ObjectInputStream) -> Sequence[Any]:
        """The values of the next objects; a Long may stand for an Integer, and the other way round.

        Raises:
            ProtocolError: they are of other classes.
        """
        heads = stream.heads_of_boxes.get(self)
        if heads:
            start, form = stream.position, self._form
            if len(stream.data) - start >= form.size:
                found = form.unpack_from(stream.data, start)
                if found[::2] == heads:
                    stream.advance(start + form.size, map(start.__add__, self._offsets))
                    return found[1::2]
        values = [read(stream) for read in self._readers]
        if heads is None:  # else it is known that the classes have no handles; to find them, all handles are looked at
            handles = stream.handles_of_classes(self._names)
            stream.heads_of_boxes[self] = self._heads(handles) if len(handles) == len(self._names) else ()
        return values

    def _heads(self, handles: dict[str, int]) -> tuple[bytes, ...]:
        return tuple([b"\x73\x71" + reference(handles[desc.name]) for desc in self._descs])


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


#: The numbers of a session, in the order of the wire, and the field of each.
_NUMBERS = (
    (LONG, "creation_time_ms"),
    (LONG, "last_accessed_time_ms"),
    (INTEGER, "max_inactive_interval"),
    (BOOLEAN, "is_new"),
    (BOOLEAN, "is_valid"),
    (LONG, "this_accessed_time_ms"),
    (LONG, "version"),
)
_BOXES = Boxes(*[desc for desc, _ in _NUMBERS])
_numbers_of = attrgetter(*[name for _, name in _NUMBERS])
_COUNT = Boxes(INTEGER)


def encode_sessions(sessions: Sequence[SessionData]) -> bytes:
    """The body of ALL_SESSION_DATA, in the order given."""
    out = ObjectOutputStream()
    _COUNT.write(out, (len(sessions),))
    for session in sessions:
        write_session(out, session)
    return out.getvalue()


def write_session(out: ObjectOutputStream, session: SessionData) -> None:
    """Write one session at this place of any stream: a block, or the inside of a DeltaSession object."""
    _BOXES.write(out, _numbers_of(session))
    out.write_boolean(session.principal is not None)
    if session.principal is not None:
        out.write_encoded(session.principal)
    out.write_string(session.id)
    out.write_encoded(session.expected_session_id or NULL)
    out.write_encoded(session.saved_request or NULL)
    _COUNT.write(out, (len(session.attributes),))
    for name, value in session.attributes.items():
        out.write_string(name)
        out.write_encoded(value)
    _COUNT.write(out, (len(session.listeners),))
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
    count = _read_count(stream)
    for _ in range(count):
        try:
            session = read_session(stream)
        except FAULTS as fault:
            raise broken("a session of the state", fault) from fault
        yield session


def read_session(stream: ObjectInputStream) -> SessionData:
    """Read one session at the current place of any stream.

    Raises:
        ProtocolError: there is no session at this place.
    """
    session = SessionData("")
    for (_, name), number in zip(_NUMBERS, _BOXES.read(stream), strict=True):
        setattr(session, name, number)
    if stream.read_boolean():
        session.principal = stream.read_encoded()
    session.id = stream.read_string()
    note = stream.read_encoded()
    if note.class_name == "java.lang.Integer":  # a 9.0 node sends no notes: this is the number of attributes
        attributes = ObjectInputStream(note.to_stream()).read_boxed_int()
    else:
        session.expected_session_id = None if note == NULL else note
        saved_request = stream.read_encoded()
        session.saved_request = None if saved_request == NULL else saved_request
        attributes = _read_count(stream)
    for _ in range(attributes):
        name = stream.read_string()
        try:
            session.attributes[name] = stream.read_encoded()
        except WriteAbortedError as aborted:
            _repeated.log(
                logging.WARNING, "attributes that their writer gave up",
                "Session [%s]: attribute [%s] was not sent: %s", session.id, name, aborted,
            )  # fmt: skip
    for _ in range(_read_count(stream)):
        session.listeners.append(stream.read_encoded())
    return session


def _read_count(stream: ObjectInputStream) -> int:
    (count,) = _COUNT.read(stream)
    return int(count)
