"""A whole session as one object, the value in BackupManager's map (DeltaSession.writeExternal; docs/wire.md 6.2).

::

    class org.apache.catalina.ha.session.DeltaSession, externalizable      super StandardSession, suid 1, eight fields
        the session as in ``session_data``

The serialVersionUID is computed from the shape of the class and compared by Java, so each peer is sent its own number.
"""

from __future__ import annotations

from catalina.errors import ProtocolError
from catalina.ha.session.session_data import SessionData, read_session, write_session
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

__all__ = ["DELTA_SESSION_SUIDS", "decode_session_object", "encode_session_object"]

CLASS_NAME = "org.apache.catalina.ha.session.DeltaSession"

#: Newest first: 9.0.66 on, 10.1 and 11.0; 9.0.38 to 9.0.65; 9.0.31; 9.0.12.
DELTA_SESSION_SUIDS = (296450023228352885, 2752609111726365693, -8644450145351526069, 2867907695408841010)

_STANDARD_SESSION = describe(
    "org.apache.catalina.session.StandardSession",
    1,
    fields="J creationTime, Z isNew, Z isValid, J lastAccessedTime, I maxInactiveInterval, J thisAccessedTime, "
    "Ljava/util/concurrent/ConcurrentMap; attributes, Ljava/lang/String; id",
)
_CLASSES: dict[int, ClassDesc] = {
    suid: describe(CLASS_NAME, suid, EXTERNALIZABLE, super_desc=_STANDARD_SESSION) for suid in DELTA_SESSION_SUIDS
}


def encode_session_object(session: SessionData, suid: int = DELTA_SESSION_SUIDS[0], behind: bytes = b"") -> bytes:
    """The session as a whole stream: the valuedata of a map's message.

    Args:
        suid: the serialVersionUID of DeltaSession that the receiver has.
        behind: bytes behind the session inside the object, which Java steps over.
    """
    out = ObjectOutputStream()
    out.begin_object(_CLASSES.get(suid, _CLASSES[DELTA_SESSION_SUIDS[0]]))
    write_session(out, session)
    out.write_bytes(behind)
    out.end_object()
    return out.getvalue()


def decode_session_object(data: bytes) -> tuple[SessionData, int, bytes]:
    """Read what :func:`encode_session_object` writes.

    Returns:
        The session, the serialVersionUID with which it was written, and the bytes behind it.

    Raises:
        ProtocolError: the bytes are no session.
    """
    try:
        stream = ObjectInputStream(data)
        desc = stream.enter_object()
        if desc.name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got a {desc.name}")
        session = read_session(stream)
        behind = stream.read_rest()
        stream.leave_object()
    except FAULTS as fault:
        raise broken("a session object", fault) from fault
    return session, desc.suid, behind
