"""The changes of a request in a session (Tomcat: ha/session/DeltaRequest.java; docs/wire.md 5.2).

An object stream with external data only: header, then primitive parts as block data and values as objects between::

    UTF session id, boolean recordAllActions, int count
    each action: int type, int action (0 set, 1 remove), UTF name, boolean has value, [object]

It is the body of EVT_SESSION_DELTA and the diffvalue of a map's message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, cast

from catalina.errors import ProtocolError
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, MAX_BLOCK, STREAM_HEADER, TC_BLOCKDATA
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8
from catalina.tribes.io.java.node_writer import write_block
from catalina.tribes.io.java.object_form import UnusualError
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.skim import skim

__all__ = [
    "ACTION_REMOVE",
    "ACTION_SET",
    "FIXED_NAMES",
    "TYPE_ATTRIBUTE",
    "TYPE_AUTHTYPE",
    "TYPE_ISNEW",
    "TYPE_LISTENER",
    "TYPE_MAXINTERVAL",
    "TYPE_NOTE",
    "TYPE_PRINCIPAL",
    "DeltaAction",
    "DeltaRequest",
    "fixed_action",
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

#: The names of the actions that are about no attribute and no note.
FIXED_NAMES = {
    TYPE_PRINCIPAL: "__SET__PRINCIPAL__",
    TYPE_ISNEW: "__SET__ISNEW__",
    TYPE_MAXINTERVAL: "__SET__MAXINTERVAL__",
    TYPE_AUTHTYPE: "__SET__AUTHTYPE__",
    TYPE_LISTENER: "__SET__LISTENER__",
}

#: The stream header and the code of a short block.
_BLOCK = bytes((TC_BLOCKDATA,))
_USUAL_START = STREAM_HEADER + _BLOCK
_HEAD = struct.Struct(">?i")
_ACTION = struct.Struct(">ii")
#: Behind the id: the head of a delta, its first action, and the length of that action's name.
_FIRST = struct.Struct(">?iiiH")
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


_NewAction = Callable[[tuple[int, int, str, EncodedValue | None]], DeltaAction]

#: Makes a DeltaAction without the frame of its ``__new__``: every request that changes something makes one.
new_action = cast(_NewAction, partial(tuple.__new__, DeltaAction))


def fixed_action(kind: int, value: EncodedValue | None) -> DeltaAction:
    """A change of one of the types with fixed names; None removes."""
    return new_action((kind, ACTION_REMOVE if value is None else ACTION_SET, FIXED_NAMES[kind], value))


def serialize(session_id: str, record_all: bool, actions: Sequence[DeltaAction]) -> bytes:
    """The stream of these actions. Each attribute and note must occur once unless ``record_all``."""
    if len(actions) == 1:
        kind, action, name, value = actions[0]
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


class DeltaRequest(NamedTuple):
    """The changes of one session since the last message about it.

    Args:
        session_id: checked by maps on receipt, ignored by DeltaManager.
        record_all_actions: the sender keeps every action (the Manager's recordAllActions); else each name occurs once.
        actions: in the order in which they must be applied.
    """

    session_id: str
    record_all_actions: bool
    actions: list[DeltaAction]

    @classmethod
    def decode(cls, data: bytes) -> DeltaRequest:
        """Read a stream; values of all classes stay encoded. Bytes after the last action are ignored.

        Raises:
            ProtocolError: the bytes are not a delta; nothing of it may be applied.
        """
        try:
            return _read_one(data) or _read_usual(data) or _read_any(data)
        except FAULTS as fault:
            raise broken("a delta", fault) from fault


#: Makes a DeltaRequest without the frame of its ``__new__``.
_new_request = partial(tuple.__new__, DeltaRequest)

#: Called where a block ends: the value that stands there, and where the next block starts and ends.
_Next = Callable[[int], tuple[EncodedValue, int, int]]


def _read(data: bytes, at: int, end: int, next_value: _Next) -> DeltaRequest:
    """Read a delta, as the table above says.

    Args:
        data: block data, perhaps with other bytes between the blocks.
        at: the start of the first block.
        end: its end.

    Raises:
        UnusualError, IndexError, struct.error: the blocks end early, or not where a value is said to stand.
    """
    session_id, at = _read_utf(data, at)
    record_all, count = _HEAD.unpack_from(data, at)
    at += _HEAD.size
    if count < 0:
        raise ProtocolError(f"expected a number of actions, got {count}")
    actions = []
    for _ in range(count):  # each action takes bytes, so a false count stops at the end of the data
        kind, action = _ACTION.unpack_from(data, at)
        name, at = _read_utf(data, at + _ACTION.size)
        value = None
        at += 1
        if data[at - 1]:
            if at != end:
                raise UnusualError
            value, at, end = next_value(at)
        elif at > end:
            raise UnusualError
        actions.append(new_action((kind, action, name, value)))
    if at > end:
        raise UnusualError
    return _new_request((session_id, record_all, actions))


def _read_utf(data: bytes, at: int) -> tuple[str, int]:
    start = at + 2
    end = start + _U16.unpack_from(data, at)[0]
    if end > len(data):
        raise UnusualError
    text = data[start:end]
    return text.decode("ascii") if text.isascii() else decode_modified_utf8(text, start), end


def _read_one(data: bytes) -> DeltaRequest | None:
    """Read a delta that sets one attribute, as most requests do; None for any other."""
    if not data.startswith(_USUAL_START):
        return None
    try:
        start = len(_USUAL_START) + 1
        end = start + data[start - 1]
        id_end = start + 2 + _U16.unpack_from(data, start)[0]
        record_all, count, kind, action, name_size = _FIRST.unpack_from(data, id_end)
        name_start = id_end + _FIRST.size
        name_end = name_start + name_size
        if count != 1 or name_end + 1 != end or not data[name_end]:
            return None
        cut = skim(data, end, 0, DEFAULT_LIMITS.depth)
        if cut is None:
            return None
        session_id, name = str(data[start + 2 : id_end], "ascii"), str(data[name_start:name_end], "ascii")
    except (IndexError, ValueError, struct.error):
        return None  # the other readers say what is wrong, if something is
    return _new_request((session_id, record_all, [new_action((kind, action, name, cut[0]))]))


def _read_usual(data: bytes) -> DeltaRequest | None:
    """Read the form that Python nodes and most Java nodes write, with a value behind each block; None for any other."""
    if not data.startswith(_USUAL_START):
        return None
    handles = 0

    def next_value(at: int) -> tuple[EncodedValue, int, int]:
        nonlocal handles
        cut = skim(data, at, handles, DEFAULT_LIMITS.depth)
        if cut is None:
            raise UnusualError
        value, at = cut
        handles += value.handles
        if data[at : at + 1] != _BLOCK:
            return value, at, at
        return value, at + 2, at + 2 + data[at + 1]

    try:
        start = len(_USUAL_START) + 1
        return _read(data, start, start + data[start - 1], next_value)
    except (UnusualError, ProtocolError, IndexError, struct.error):
        return None  # the other reader says what is wrong, if something is


def _read_any(data: bytes) -> DeltaRequest:
    """Read any form that Java's own reader would accept: blocks cut anywhere, values that refer to earlier ones.

    Raises:
        ProtocolError: it is no delta.
    """
    stream = ObjectInputStream(data)
    blocks: list[bytes] = []
    values: list[tuple[int, EncodedValue]] = []
    size = 0
    try:
        while True:
            blocks.append(stream.read_rest())
            size += len(blocks[-1])
            values.append((size, stream.read_encoded()))
    except ProtocolError as fault:  # here the delta ends, if nothing of it is missing
        end = fault
    ends = iter([*[at for at, _ in values], size])
    found = iter(values)

    def next_value(at: int) -> tuple[EncodedValue, int, int]:
        return next(found)[1], at, next(ends)

    try:
        return _read(b"".join(blocks), 0, next(ends), next_value)
    except (UnusualError, IndexError, StopIteration, struct.error):
        raise ProtocolError(f"a delta ends after {size} bytes of block data and {len(values)} values: {end}") from None
