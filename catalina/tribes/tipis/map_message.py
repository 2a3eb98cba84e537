"""The messages of a replicated map (Tomcat: MapMessage in tipis/AbstractReplicatedMap.java; docs/wire.md 6.1).

::

    class AbstractReplicatedMap$MapMessage, suid 1
        boolean diff, int msgtype, byte[] diffvalue, byte[] keydata, byte[] mapId, Member[] nodes, Member primary,
        byte[] valuedata

keydata and valuedata are complete object streams of their own; diffvalue has the form that the value chooses. Java
always describes the class in the same bytes, and so do we.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java import dumps, loads
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import ARRAY_LIST, ENUM, describe, enum_constant
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import I32, SC_ENUM, SC_SERIALIZABLE, STREAM_HEADER, TC_ENDBLOCKDATA, TC_OBJECT
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node, write_block
from catalina.tribes.io.java.nodes import BlockData, JavaEnum, JavaObject, Node
from catalina.tribes.io.java.object_form import BYTES, COMMON_BYTES, ClassHead, ObjectForm, ObjectSink
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, MEMBER_KINDS, MemberObject, member_objects
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp, stamp_key, unstamp_key

__all__ = [
    "MSG_ACCESS",
    "MSG_BACKUP",
    "MSG_COPY",
    "MSG_INIT",
    "MSG_NOTIFY_MAPMEMBER",
    "MSG_PING",
    "MSG_PROXY",
    "MSG_REMOVE",
    "MSG_RETRIEVE_BACKUP",
    "MSG_START",
    "MSG_STATE",
    "MSG_STATE_COPY",
    "MSG_STOP",
    "MapMessage",
    "MapState",
    "RepeatedEnd",
    "decode_entries",
    "decode_key",
    "encode_entries",
    "encode_key",
]

MSG_BACKUP = 1
MSG_RETRIEVE_BACKUP = 2
MSG_PROXY = 3
MSG_REMOVE = 4
MSG_STATE = 5
MSG_START = 6
MSG_STOP = 7
MSG_INIT = 8
MSG_COPY = 9
MSG_STATE_COPY = 10
MSG_ACCESS = 11
MSG_NOTIFY_MAPMEMBER = 12
MSG_PING = 13


class RepeatedEnd:
    """Messages of one class that differ in their numbers and first fields, and have the rest in common.

    The bytes of the rest are remembered, both ways: from the values to the bytes, and from the bytes to the values.
    Only bytes that the form itself has written or read are remembered, and few of them.

    Args:
        form: of the class.
        leading: how many fields, behind the numbers, are new in each message: byte arrays, none of them null.
    """

    #: How many ends are remembered each way, and how long one may be; the first one too many forgets all.
    LIMIT = 256
    MAX_SIZE = 4096

    def __init__(self, form: ObjectForm, leading: int) -> None:
        self._form = form
        first, again = BYTES.head.data, BYTES.again_at(form.head.handles).head.data
        self._beginnings = (first, *[again] * (leading - 1))
        self._length = BYTES.length.unpack_from
        self._pack_length = BYTES.length.pack
        self._written: dict[Hashable, bytes] = {}
        self._read: dict[bytes, list[Any]] = {}

    def stream(
        self, numbers: Sequence[object], leading: Sequence[bytes], rest: Callable[[], Sequence[object]], by: Hashable
    ) -> bytes:
        """One message, as :meth:`streams` makes several."""
        (stream,) = self.streams(numbers, (leading,), rest, by)
        return stream

    def streams(
        self,
        numbers: Sequence[object],
        messages: Iterable[Sequence[bytes]],
        rest: Callable[[], Sequence[object]],
        by: Hashable,
    ) -> list[bytes]:
        """Messages that differ in their first fields only, each as a whole stream.

        Args:
            messages: the first fields of each.
            rest: gives the values of the others.
            by: equal where those values are.
        """
        form, beginnings, pack = self._form, self._beginnings, self._pack_length
        start = form.start + form.pack(*numbers)
        end = self._written.get(by)
        streams = []
        for leading in messages:
            parts = [start]
            for beginning, field in zip(beginnings, leading):  # noqa: B905  # of one length, and called per message
                parts += (beginning, pack(len(field)), field)
            if end is None:
                whole = form.stream(numbers, (*leading, *rest()))
                end = whole[sum(map(len, parts)) :]
                self._remember(self._written, by, end, len(end))
            parts.append(end)
            streams.append(b"".join(parts))
        return streams

    def read(self, data: bytes) -> list[Any]:
        """The values of a message, as :meth:`ObjectForm.read` gives them.

        Raises:
            ProtocolError: it is no message of the class.
        """
        form, startswith = self._form, data.startswith
        if not startswith(form.start):
            return form.read(data)
        try:
            values = [*form.numbers(data)]
            at = form.others_at
            for beginning in self._beginnings:
                if not startswith(beginning, at):
                    return form.read(data)
                start = at + len(beginning) + 4
                at = start + self._length(data, start - 4)[0]
                values.append(data[start:at])
        except struct.error:  # it ends here
            return form.read(data)
        end = self._read.get(data[at:])
        if end is not None:
            return values + end
        found = form.read_usual(data)
        if found is None:
            return form.read(data)
        self._remember(self._read, data[at:], found[len(values) :], len(data) - at)
        return found

    def _remember(self, known: dict[Any, Any], key: Hashable, value: object, size: int) -> None:
        if size > self.MAX_SIZE:
            return
        if len(known) >= self.LIMIT:
            known.clear()
        known[key] = value


CLASS_NAME = "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage"
STATE_CLASS_NAME = "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$State"

_FORM = ObjectForm(
    describe(
        CLASS_NAME,
        1,
        fields="Z diff, I msgtype, [B diffvalue, [B keydata, [B mapId, [Lorg/apache/catalina/tribes/Member; nodes, "
        "Lorg/apache/catalina/tribes/Member; primary, [B valuedata",
    ),
    {**MEMBER_KINDS, "mapId": COMMON_BYTES},
)
#: The changes of the entries of one backup differ in difference and key.
_CHANGES = RepeatedEnd(_FORM, leading=2)
_STATE_CLASS = describe(STATE_CLASS_NAME, 0, SC_SERIALIZABLE | SC_ENUM, super_desc=ENUM)
_LIST_HEAD = ClassHead.of(TC_OBJECT, ARRAY_LIST)
#: The bytes before a short text in a stream of its own: the header and the code of a text. Its length in two bytes
#: follows.
_TEXT_HEAD = STREAM_HEADER + b"\x74"
_TEXT_START = _TEXT_HEAD + b"\0"
_MAX_PLAIN = 256
_NO_KEY: tuple[None, Stamp, bytes] = (None, NO_STAMP, b"")


def encode_key(key: object) -> bytes:
    """A key as a whole object stream. Nearly every key is a short text, and every message has one."""
    if type(key) is str and len(key) < _MAX_PLAIN and key.isascii() and "\0" not in key:
        return b"%b\0%c%b" % (_TEXT_HEAD, len(key), key.encode("ascii"))
    return dumps(key)


def decode_key(data: bytes) -> Hashable:
    """The key in an object stream.

    Raises:
        ProtocolError: the stream has no key.
    """
    if data.startswith(_TEXT_START) and len(data) > len(_TEXT_START):
        text = data[7:]
        if len(text) == data[6] and text.isascii():
            return text.decode("ascii")
    key: Hashable = loads(data)
    return key


class MapState:
    """The states that a map reports in its answer to a ping (Tomcat: AbstractReplicatedMap.State); only INITIALIZED
    counts.
    """

    NEW = "NEW"
    STATETRANSFERRED = "STATETRANSFERRED"
    INITIALIZED = "INITIALIZED"
    DESTROYED = "DESTROYED"

    @staticmethod
    def encode(state: str) -> bytes:
        """The valuedata of a PING reply."""
        return encode_node(enum_constant(_STATE_CLASS, state)).to_stream()

    @staticmethod
    def decode(data: bytes | None) -> str | None:
        """The state's name; None when the data is something else."""
        if data is None or data[:4] != STREAM_HEADER:
            return None
        node = read_object(data, 4)
        is_state = isinstance(node, JavaEnum) and node.class_name == STATE_CLASS_NAME
        return node.constant.value if is_state and isinstance(node, JavaEnum) else None


class MapMessage(NamedTuple):
    """One message about one map.

    Args:
        map_id: the map's name.
        type: one of the ``MSG_`` numbers.
        key: the key as a whole object stream, None when the message is about no entry.
        value: the value as a whole object stream.
        diff: what changed in the value, in the value's own form; excludes ``value``.
        primary: the owner of the entry, or the sender (START, STOP, INIT, PING).
        nodes: the members that hold a backup of the entry.
        suid: the serialVersionUID of the members inside, in the other side's version.
        stamp: the versions of the entry that the message is about. It travels behind the key; Java sends none.
        names: the block of the entry's names (``map_names``); empty when the key is its only name. It travels behind
            the key.
    """

    map_id: bytes
    type: int
    key: bytes | None = None
    value: bytes | None = None
    diff: bytes | None = None
    primary: Member | None = None
    nodes: tuple[Member, ...] | None = None
    suid: int | None = None
    stamp: Stamp = NO_STAMP
    names: bytes = b""

    def with_primary(self, primary: Member) -> MapMessage:
        """The same message in another node's name; answers to START, INIT and PING are such messages."""
        return self._replace(primary=primary)

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package.

        Args:
            suid: the serialVersionUID of MemberImpl that the receiver has.
        """
        _, kind, key, value, diff, _, _, _, stamp, names = self
        keydata = None if key is None else stamp_key(key, stamp, names)
        numbers = (diff is not None, kind)
        if diff is None or keydata is None or value is not None:
            return ObjectBytes(_FORM.stream(numbers, (diff, keydata, *self._rest(suid))))
        return ObjectBytes(*self.encode_with(((diff, keydata),), suid))

    def encode_with(self, changes: Iterable[tuple[bytes, bytes]], suid: int) -> list[bytes]:
        """Differences of several entries with the same owner and holders, each as a whole message.

        Args:
            changes: for each the difference and the keydata (:func:`stamp_key`), which stand in place of this
                message's own.
        """
        by = (self.map_id, self.nodes, self.primary, suid)
        return _CHANGES.streams((True, self.type), changes, partial(self._rest, suid), by)

    def to_encoded(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> EncodedValue:
        """The message as a value, for an RPC."""
        sink = ObjectSink()
        self.write(sink, suid)
        return sink.to_encoded()

    def write(self, sink: ObjectSink, suid: int) -> None:
        """Append the message to others."""
        keydata = None if self.key is None else stamp_key(self.key, self.stamp, self.names)
        numbers = (self.diff is not None, self.type)
        _FORM.write(sink, numbers, (self.diff, keydata, *self._rest(suid)))

    def _rest(self, suid: int) -> Sequence[object]:
        """The fields behind the key."""
        primary = None if self.primary is None else MemberObject(self.primary, suid)
        return self.map_id, member_objects(self.nodes, suid), primary, self.value

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is a MapMessage. A cheap test."""
        return _FORM.matches(data)

    @classmethod
    def decode(cls, data: bytes) -> MapMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no MapMessage.
        """
        try:
            return _message(_CHANGES.read(data))
        except FAULTS as fault:
            raise broken("a message of a map", fault) from fault

    @classmethod
    def of(cls, node: Node) -> MapMessage:
        """Make a message from an object of a stream.

        Raises:
            ProtocolError: the object is no MapMessage.
        """
        return _message(_FORM.values_of(node))


#: Makes a message of all its fields, as the class does, without a call of Python.
_new_message = partial(tuple.__new__, MapMessage)


def _message(values: Sequence[Any]) -> MapMessage:
    is_diff, kind, diff, keydata, map_id, nodes, primary, value = values
    if map_id is None:
        raise ProtocolError(f"{CLASS_NAME} without mapId")
    key, stamp, names = _NO_KEY if keydata is None else unstamp_key(keydata)
    if not is_diff:
        diff = None
    suid = None
    if nodes is not None:
        suid = nodes[0].suid if nodes else None
        nodes = tuple([each.member for each in nodes])
    if primary is not None:
        primary, suid = primary
    return _new_message((map_id, kind, key, value, diff, primary, nodes, suid, stamp, names))


def encode_entries(messages: Sequence[MapMessage], suid: int = MEMBER_IMPL_SUIDS[0]) -> bytes:
    """The valuedata of a STATE reply: an ArrayList of PROXY or COPY messages.

    Parts that entries have in common (the map's id and the members) are written once.
    """
    sink = ObjectSink(shares=True)
    size = I32.pack(len(messages))
    sink.append(_LIST_HEAD, size)
    write_block(sink.out, size)
    for message in messages:
        message.write(sink, suid)
    sink.out.append(TC_ENDBLOCKDATA)
    return sink.to_encoded().to_stream()


def decode_entries(data: bytes) -> list[MapMessage]:
    """Read the valuedata of a STATE reply; elements that are no MapMessage are left out.

    Raises:
        ProtocolError: the bytes are no list.
    """
    if data[:4] != STREAM_HEADER:
        raise ProtocolError(f"expected a Java object stream, got {data[:4]!r}", 0)
    node = read_object(data, 4)
    if not isinstance(node, JavaObject) or node.class_name != "java.util.ArrayList":
        raise ProtocolError(f"expected an ArrayList of entries, got {node!r}")
    items = [item for item in node.annotation() if not isinstance(item, BlockData)]
    return [MapMessage.of(item) for item in items if isinstance(item, JavaObject) and item.class_name == CLASS_NAME]
