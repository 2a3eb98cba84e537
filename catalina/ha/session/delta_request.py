"""The changes of a request in a session (Tomcat: ha/session/DeltaRequest.java).

An object stream with external data only: header, then primitive parts as block data and values as objects between::

    UTF session id, boolean recordAllActions, int count
    each action: int type, int action (0 set, 1 remove), UTF name, boolean has value, [object]

It is the body of EVT_SESSION_DELTA and the diffvalue of a map's message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from functools import lru_cache, partial
from typing import NamedTuple, cast

from catalina.errors import ProtocolError
from catalina.tribes.io.java import decode_value, encode_value
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, MAX_BLOCK, STREAM_HEADER, TC_BLOCKDATA
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.node_writer import write_block
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.skim import skim

__all__ = [
    "ACTION_REMOVE",
    "ACTION_SET",
    "TYPE_ATTRIBUTE",
    "TYPE_AUTHTYPE",
    "TYPE_ISNEW",
    "TYPE_LISTENER",
    "TYPE_MAXINTERVAL",
    "TYPE_NOTE",
    "TYPE_PRINCIPAL",
    "DeltaAction",
    "DeltaRequest",
    "new_action",
    "serialize",
]

TYPE_ATTRIBUTE = 0
TYPE_PRINCIPAL = 1
TYPE_ISNEW = 2
TYPE_MAXINTERVAL = 3
TYPE_AUTHTYPE = 4
TYPE_LISTENER = 5
TYPE_NOTE = 6

ACTION_SET = 0
ACTION_REMOVE = 1

NAME_PRINCIPAL = "__SET__PRINCIPAL__"
NAME_MAXINTERVAL = "__SET__MAXINTERVAL__"
NAME_ISNEW = "__SET__ISNEW__"
NAME_AUTHTYPE = "__SET__AUTHTYPE__"
NAME_LISTENER = "__SET__LISTENER__"


#: Stream header and the code of a short block.
_USUAL_START = STREAM_HEADER + bytes((TC_BLOCKDATA,))
_HEAD = struct.Struct(">?i")
_ACTION = struct.Struct(">ii")
_U16 = struct.Struct(">H")


def _utf(text: str) -> bytes:
    data = encode_modified_utf8(text)
    if len(data) > 0xFFFF:
        raise ValueError(f"a name or id of {len(data)} bytes, at most 65535 can be sent")
    return _U16.pack(len(data)) + data


#: Remembers the ids of the sessions in use: every delta of a session begins with the same bytes.
_session_head = lru_cache(maxsize=4096)(_utf)

#: The bytes before a block of so many bytes.
_SHORT_BLOCK = [bytes((TC_BLOCKDATA, size)) for size in range(256)]


def _blocks(data: bytes) -> bytes:
    """Block data, cut into blocks as Java's writer cuts it."""
    if len(data) < len(_SHORT_BLOCK):
        return _SHORT_BLOCK[len(data)] + data
    out = bytearray()
    for start in range(0, len(data), MAX_BLOCK):
        write_block(out, data[start : start + MAX_BLOCK])
    return bytes(out)


@lru_cache(maxsize=4096)
def _action_head(kind: int, action: int, name: str, has_value: bool) -> bytes:
    """The bytes before an action's value. An application has few attribute names and sets them again and again."""
    return _ACTION.pack(kind, action) + _utf(name) + (b"\1" if has_value else b"\0")


@lru_cache(maxsize=4096)
def _head_of_one(session_id: str, record_all: bool, kind: int, action: int, name: str) -> bytes:
    """The bytes before the value of a delta with one action: most requests change one attribute, always the same
    one.
    """
    block = _session_head(session_id) + _HEAD.pack(record_all, 1) + _action_head(kind, action, name, True)
    return STREAM_HEADER + _blocks(block)


class DeltaAction(NamedTuple):
    """One change.

    Args:
        type: one of the ``TYPE_`` numbers; receivers skip unknown numbers.
        action: ``ACTION_SET`` or ``ACTION_REMOVE``.
        name: the name of the attribute or note, or the fixed name of the type.
        value: None when the action carries none; set without a value removes.
    """

    type: int
    action: int
    name: str
    value: EncodedValue | None = None

    @property
    def plain(self) -> bool | int | str | None:
        """The value of the fixed actions (ISNEW bool, MAXINTERVAL int, AUTHTYPE str); None for any other class.

        A value of the wrong class must be ignored and never passed on, because it would break the Java nodes that it
        reaches.
        """
        if self.value is None:
            return None
        value = decode_value(self.value)
        return value if isinstance(value, (bool, int, str)) else None


_NewAction = Callable[[tuple[int, int, str, EncodedValue | None]], DeltaAction]

#: Makes a DeltaAction without the frame of its ``__new__``: every request that changes something makes one.
new_action = cast(_NewAction, partial(tuple.__new__, DeltaAction))


def serialize(session_id: str, record_all: bool, actions: Collection[DeltaAction]) -> bytes:
    """The stream of these actions. Each name must occur once unless ``record_all``."""
    if len(actions) == 1:
        kind, action, name, value = next(iter(actions))
        if value is not None:
            return _head_of_one(session_id, record_all, kind, action, name) + value.data
    parts = [STREAM_HEADER]
    block = _session_head(session_id) + _HEAD.pack(record_all, len(actions))
    handles = 0
    for kind, action, name, value in actions:
        block += _action_head(kind, action, name, value is not None)
        if value is not None:
            parts.append(_blocks(block))
            parts.append(value.at_handle(handles) if value.fixups else value.data)
            handles += value.handles
            block = b""
    if block:
        parts.append(_blocks(block))
    return b"".join(parts)


class DeltaRequest:
    """The changes of one session since the last message about it.

    Unless ``record_all_actions``, each name occurs once, whatever the type, and moves to the end when it is set again.

    Args:
        session_id: checked by maps on receipt, ignored by DeltaManager.
        record_all_actions: keep every action in order (the Manager's recordAllActions).
    """

    __slots__ = ("_actions", "record_all_actions", "session_id")

    def __init__(self, session_id: str = "", record_all_actions: bool = False) -> None:
        self.session_id = session_id
        self.record_all_actions = record_all_actions
        self._actions: dict[str | int, DeltaAction] = {}  # by name, or by number

    @property
    def actions(self) -> list[DeltaAction]:
        """The actions, in the order in which they must be applied."""
        return list(self._actions.values())

    def __len__(self) -> int:
        return len(self._actions)

    def add(self, action: DeltaAction) -> None:
        """Record one action."""
        actions = self._actions
        name = len(actions) if self.record_all_actions else action[2]
        if name in actions:
            del actions[name]
        actions[name] = action

    def reset(self) -> None:
        """Forget all actions, because they have been sent."""
        self._actions.clear()

    def set_attribute(self, name: str, value: EncodedValue) -> None:
        """Record that an attribute has this value now."""
        self.add(DeltaAction(TYPE_ATTRIBUTE, ACTION_SET, name, value))

    def remove_attribute(self, name: str) -> None:
        """Record that an attribute was removed."""
        self.add(DeltaAction(TYPE_ATTRIBUTE, ACTION_REMOVE, name))

    def set_principal(self, principal: EncodedValue | None) -> None:
        """Record the user, in the form of :meth:`SerializablePrincipal.encode`; None removes the user."""
        self._set_or_remove(TYPE_PRINCIPAL, NAME_PRINCIPAL, principal)

    def set_new(self, is_new: bool) -> None:
        """Record if the session is new, that is, if the client has not joined it yet."""
        self.add(DeltaAction(TYPE_ISNEW, ACTION_SET, NAME_ISNEW, encode_value(bool(is_new))))

    def set_max_inactive_interval(self, seconds: int) -> None:
        """Record the session's own timeout; 32 bits, because Java reads an Integer."""
        if not -(2**31) <= seconds < 2**31:
            raise ValueError(f"max_inactive_interval={seconds!r}: expected a number of seconds of 32 bits")
        self.add(DeltaAction(TYPE_MAXINTERVAL, ACTION_SET, NAME_MAXINTERVAL, encode_value(int(seconds))))

    def set_auth_type(self, auth_type: str | None) -> None:
        """Record the kind of login (``FORM``, ``BASIC`` ...); None removes it."""
        value = None if auth_type is None else encode_value(str(auth_type))
        self._set_or_remove(TYPE_AUTHTYPE, NAME_AUTHTYPE, value)

    def add_session_listener(self, listener: EncodedValue) -> None:
        """Record a listener that travels with the session (in practice a ClusterSingleSignOnListener)."""
        self.add(DeltaAction(TYPE_LISTENER, ACTION_SET, NAME_LISTENER, listener))

    def remove_session_listener(self, listener: EncodedValue) -> None:
        """Undo :meth:`add_session_listener`."""
        self.add(DeltaAction(TYPE_LISTENER, ACTION_REMOVE, NAME_LISTENER, listener))

    def set_note(self, name: str, value: EncodedValue) -> None:
        """Record an internal note that travels with the session."""
        self.add(DeltaAction(TYPE_NOTE, ACTION_SET, name, value))

    def remove_note(self, name: str) -> None:
        """Record that a note was removed."""
        self.add(DeltaAction(TYPE_NOTE, ACTION_REMOVE, name))

    def _set_or_remove(self, kind: int, name: str, value: EncodedValue | None) -> None:
        self.add(DeltaAction(kind, ACTION_REMOVE if value is None else ACTION_SET, name, value))

    def serialize(self) -> bytes:
        """The stream of the recorded actions; they stay recorded."""
        return serialize(self.session_id, self.record_all_actions, self._actions.values())

    @classmethod
    def decode(cls, data: bytes) -> DeltaRequest:
        """Read a stream; values of all classes stay encoded. Bytes after the last action are ignored.

        Raises:
            ProtocolError: the bytes are not a delta; nothing of it may be applied.
        """
        try:
            return _decode_usual(data) or cls._decode_general(data)
        except FAULTS as fault:
            raise broken("a delta", fault) from fault

    @classmethod
    def _decode_general(cls, data: bytes) -> DeltaRequest:
        """Read any form that Java's own reader would accept: blocks cut anywhere, values that refer to earlier ones."""
        stream = ObjectInputStream(data)
        delta = cls(stream.read_utf(), stream.read_boolean())
        count = stream.read_int()
        if count < 0:
            raise ProtocolError(f"expected a number of actions, got {count}", stream.position)
        for _ in range(count):  # each action takes bytes, so a false count stops at the end of the data
            kind, action, name = stream.read_int(), stream.read_int(), stream.read_utf()
            value = stream.read_encoded() if stream.read_boolean() else None
            delta.add(DeltaAction(kind, action, name, value))
        return delta


def _decode_usual(data: bytes) -> DeltaRequest | None:
    """Read the form that Python nodes and most Java nodes write; None, without an error, for any other."""
    if data[:5] != _USUAL_START:
        return None
    try:
        position, end = 6, 6 + data[5]
        session_id, position = _read_utf(data, position)
        record_all_actions, count = _HEAD.unpack_from(data, position)
        position += _HEAD.size
        delta = DeltaRequest(session_id, record_all_actions)
        handles = 0
        for _ in range(count):
            if position == end:
                if data[position] != TC_BLOCKDATA:
                    return None
                position, end = position + 2, position + 2 + data[position + 1]
            kind, action = _ACTION.unpack_from(data, position)
            name, position = _read_utf(data, position + _ACTION.size)
            has_value = data[position]
            position += 1
            if position > end:
                return None
            value = None
            if has_value:
                cut = skim(data, position, handles, DEFAULT_LIMITS.depth) if position == end else None
                if cut is None:
                    return None
                value, position = cut
                handles += value.handles
                end = position
            delta.add(new_action((kind, action, name, value)))
    except (IndexError, struct.error, UnicodeDecodeError):
        return None
    return delta if count >= 0 else None


def _read_utf(data: bytes, position: int) -> tuple[str, int]:
    start = position + 2
    end = start + (data[position] << 8 | data[position + 1])
    text = data[start:end]
    if len(text) != end - start:
        raise IndexError
    return text.decode("ascii"), end
