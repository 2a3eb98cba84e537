"""One session as bytes, in the form of Tomcat's own session files (Tomcat: StandardSession.writeObjectData).

::

    Long creationTime, Long lastAccessedTime, Integer maxInactiveInterval, Boolean isNew, Boolean isValid,
    Long thisAccessedTime, String id, String authType or null, principal or null, null, null,
    Integer n, n x (String name, value)

So FileStore and StandardManager can read files of a Java Tomcat. Values of portable types become Python values; other
Java values are kept and written again. Older files have the count directly behind the id. Reading executes nothing:
values stay bytes until an application asks for them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import NotReplicableError, ProtocolError
from catalina.session.standard_session import UNDECODED
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import BOOLEAN, INTEGER, LONG, new_object
from catalina.tribes.io.java.encoded_value import NULL
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

if TYPE_CHECKING:
    from catalina.session.standard_session import StandardSession

__all__ = ["dump_session", "load_session", "read_session", "write_session"]

log = logging.getLogger("org.apache.catalina.session.StandardSession")

#: A session with more attributes is not a session of ours.
MAX_ATTRIBUTES = 1_000_000


def dump_session(session: StandardSession) -> bytes:
    """The whole content of a session's own file."""
    out = ObjectOutputStream()
    write_session(out, session)
    return out.getvalue()


def load_session(data: bytes, session: StandardSession) -> None:
    """Fill a new session from the bytes of :func:`dump_session`, or of a Java FileStore.

    Raises:
        ProtocolError: the bytes are no session; ``session`` must be thrown away.
    """
    read_session(ObjectInputStream(data), session)


def write_session(out: ObjectOutputStream, session: StandardSession) -> None:
    """Append the session. A value that cannot be encoded is left out, with a warning."""
    manager = session.manager
    out.write_node(new_object(LONG, value=session.creation_time_ms))
    out.write_node(new_object(LONG, value=session.last_accessed_time_ms))
    out.write_node(new_object(INTEGER, value=session.max_inactive_interval))
    out.write_node(new_object(BOOLEAN, value=session.is_new))
    out.write_node(new_object(BOOLEAN, value=True))
    out.write_node(new_object(LONG, value=session.this_accessed_time_ms))
    out.write_string(session.id)
    keep = manager.persist_authentication
    out.write_string(session.auth_type if keep else None)
    out.write_encoded(encode_value(session.principal, "principal") if keep and session.principal is not None else NULL)
    out.write_encoded(NULL)
    out.write_encoded(NULL)
    attributes = _encoded_attributes(session)
    out.write_node(new_object(INTEGER, value=len(attributes)))
    for name, encoded in attributes.items():
        out.write_string(name)
        out.write_encoded(encoded)


def _encoded_attributes(session: StandardSession) -> dict[str, EncodedValue]:
    codec = session.manager.codec
    attributes: dict[str, EncodedValue] = {}
    for name in session.attribute_names():
        encoded = session.encoded_attribute(name)
        if encoded is None:
            value = session.raw_attribute(name)
            if value is UNDECODED:
                continue  # another thread has decoded and replaced it in between; the next save will have it
            try:
                encoded = codec.encode_if_allowed(name, value)
            except NotReplicableError as error:
                log.warning("Cannot serialize session attribute [%s] for session [%s]: %s", name, session.id, error)
        if encoded is not None:
            attributes[name] = encoded
    return attributes


def read_session(stream: ObjectInputStream, session: StandardSession) -> None:
    """Read one session at the current place of the stream into ``session``.

    Raises:
        ProtocolError: there is no session; ``session`` already has the parts read before.
    """
    try:
        _read_fields(stream, session)
    except FAULTS as fault:
        raise broken("a stored session", fault) from fault


def _read_fields(stream: ObjectInputStream, session: StandardSession) -> None:
    session.creation_time_ms = stream.read_boxed_int()
    session.last_accessed_time_ms = stream.read_boxed_int()
    session.max_inactive_interval = stream.read_boxed_int()
    session.is_new = stream.read_boxed_bool()
    stream.read_boxed_bool()
    session.this_accessed_time_ms = stream.read_boxed_int()
    session.id = stream.read_string()
    for _ in range(_read_authentication(stream, session)):
        name = stream.read_string()
        encoded = stream.read_encoded()
        if session.manager.codec.lets_in(name, encoded):
            session.restore_attribute(name, encoded)


def _read_authentication(stream: ObjectInputStream, session: StandardSession) -> int:
    """Read the parts between the id and the number of attributes, in any version; returns the number."""
    found: list[EncodedValue] = []
    while (encoded := stream.read_encoded()).class_name != "java.lang.Integer":
        found.append(encoded)
        if len(found) > 4:
            raise ProtocolError(f"session {session.id!r}: expected the number of attributes, got {encoded!r}")
    count = _plain(encoded)
    if type(count) is not int or not 0 <= count <= MAX_ATTRIBUTES:
        raise ProtocolError(f"session {session.id!r}: {count!r} attributes, expected 0 to {MAX_ATTRIBUTES}")
    if session.manager.persist_authentication and len(found) >= 2:
        auth_type = _plain(found[0])
        session.auth_type = auth_type if isinstance(auth_type, str) else None
        session.principal = _read_principal(found[1], session)
    return count


def _read_principal(encoded: EncodedValue, session: StandardSession) -> Any:
    """The user; None for nobody, and for a user that this node cannot read: the session is kept without him."""
    try:
        principal = decode_value(encoded, _is_principal)
    except ProtocolError as error:
        log.warning("Session [%s]: its principal cannot be read: %s", session.id, error)
        return None
    return principal if hasattr(principal, "name") and hasattr(principal, "roles") else None


def _is_principal(class_name: str) -> bool:
    """True for the only class of ours that a stored principal may have."""
    return class_name == "catalina.realm.generic_principal.GenericPrincipal"


def _plain(encoded: EncodedValue) -> object:
    return decode_value(encoded)
