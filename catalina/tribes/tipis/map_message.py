"""The messages between the nodes of a replicated map (Tomcat: MapMessage in tribes/tipis/AbstractReplicatedMap.java).

::

    class AbstractReplicatedMap$MapMessage, suid 1
        boolean diff, int msgtype, byte[] diffvalue, byte[] keydata, byte[] mapId, Member[] nodes, Member primary,
        byte[] valuedata

keydata and valuedata are complete object streams of their own; diffvalue has the form that the value chooses. Java
always describes the class in the same bytes, and so do we.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java import dumps, loads
from catalina.tribes.io.java.descriptors import ENUM, array_list, byte_array, describe, enum_constant, new_object
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import SC_ENUM, SC_SERIALIZABLE, STREAM_HEADER
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, JavaArray, JavaEnum, JavaObject, Node
from catalina.tribes.io.member_object import (
    MEMBER_ARRAY,
    MEMBER_IMPL_SUIDS,
    member_node,
    member_of,
    members_of,
    suid_of,
)
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message_wire import MapFields, MapMessageWire
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

CLASS_NAME = "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage"
STATE_CLASS_NAME = "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$State"

_CLASS = describe(
    CLASS_NAME,
    1,
    fields="Z diff, I msgtype, [B diffvalue, [B keydata, [B mapId, [Lorg/apache/catalina/tribes/Member; nodes, "
    "Lorg/apache/catalina/tribes/Member; primary, [B valuedata",
)
_STATE_CLASS = describe(STATE_CLASS_NAME, 0, SC_SERIALIZABLE | SC_ENUM, super_desc=ENUM)
_WIRE = MapMessageWire(_CLASS)
#: The bytes before a short text in a stream of its own: the header and the code of a text. Its length in two bytes
#: follows.
_TEXT_HEAD = STREAM_HEADER + b"\x74"
_TEXT_START = _TEXT_HEAD + b"\0"
_MAX_PLAIN = 256
_NO_KEY: tuple[None, Stamp, bytes] = (None, NO_STAMP, b"")
_NAME_HEAD = STREAM_HEADER + b"\x73" + encode_node(_CLASS).data[: 3 + len(CLASS_NAME)]


def encode_key(key: object) -> bytes:
    """A key as a whole object stream. Nearly every key is a short text, and every message has one."""
    if type(key) is str and len(key) < _MAX_PLAIN and key.isascii() and "\0" not in key:
        return b"%b\0%c%b" % (_TEXT_HEAD, len(key), key.encode("ascii"))
    return dumps(key)


def decode_key(data: bytes) -> Any:
    """The key in an object stream.

    Raises:
        ProtocolError: the stream has no key.
    """
    if data.startswith(_TEXT_START) and len(data) > len(_TEXT_START):
        text = data[7:]
        if len(text) == data[6] and text.isascii():
            return text.decode("ascii")
    return loads(data)


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


@dataclass(frozen=True, slots=True)
class MapMessage:
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

    @property
    def _keydata(self) -> bytes | None:
        return None if self.key is None else stamp_key(self.key, self.stamp, self.names)

    def with_primary(self, primary: Member) -> MapMessage:
        """The same message in another node's name; answers to START, INIT and PING are such messages."""
        return replace(self, primary=primary)

    def to_node(self, suid: int = MEMBER_IMPL_SUIDS[0], common: dict[object, Node] | None = None) -> JavaObject:
        """The message as an object.

        Args:
            common: for messages in one list, the nodes of their common parts, which the first message fills in.
        """
        known = {} if common is None else common
        map_id = known.setdefault(self.map_id, byte_array(self.map_id))
        primary = known.setdefault(self.primary, member_node(self.primary, suid))
        nodes = _members_node(self.nodes, suid, known)
        return new_object(
            _CLASS,
            diff=self.diff is not None,
            msgtype=self.type,
            diffvalue=byte_array(self.diff),
            keydata=byte_array(self._keydata),
            mapId=map_id,
            nodes=nodes,
            primary=primary,
            valuedata=byte_array(self.value),
        )

    def to_encoded(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> EncodedValue:
        """The message as a value, for an RPC."""
        return _WIRE.encode(self._fields(suid))

    def _fields(self, suid: int) -> MapFields:
        has_diff = self.diff is not None
        return MapFields(
            has_diff, self.type, self.diff, self._keydata, self.map_id, self.nodes, self.primary, self.value, suid
        )

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package.

        Args:
            suid: the serialVersionUID of MemberImpl that the receiver has.
        """
        fields = self._fields(suid)
        if self.diff is not None and self.key is not None and self.value is None:
            return ObjectBytes(STREAM_HEADER + _WIRE.encode_diff(fields))
        return ObjectBytes(_WIRE.encode(fields).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is a MapMessage. A cheap test."""
        return data.startswith(_NAME_HEAD)

    @classmethod
    def decode(cls, data: bytes) -> MapMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no MapMessage.
        """
        if data[:4] != STREAM_HEADER:
            raise ProtocolError(f"expected a Java object stream, got {data[:4]!r}", 0)
        fields = _WIRE.decode(data, 4)
        if fields is None or fields.map_id is None:
            return cls.of(read_object(data, 4))
        diff = fields.diff if fields.is_diff else None
        key, stamp, names = _NO_KEY if fields.key is None else unstamp_key(fields.key)
        return cls(
            fields.map_id, fields.type, key, fields.value, diff, fields.primary, fields.nodes, fields.suid, stamp, names
        )

    @classmethod
    def of(cls, node: Node) -> MapMessage:
        """Make a message from an object of a stream.

        Raises:
            ProtocolError: the object is no MapMessage.
        """
        if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
        map_id, kind = _bytes(node, "mapId"), node.get("msgtype")
        if map_id is None or not isinstance(kind, int):
            raise ProtocolError(f"{CLASS_NAME} without mapId or msgtype")
        primary, nodes = node.get("primary"), node.get("nodes")
        diff, keydata = _bytes(node, "diffvalue"), _bytes(node, "keydata")
        key, stamp, names = _NO_KEY if keydata is None else unstamp_key(keydata)
        return cls(
            map_id,
            kind,
            key,
            _bytes(node, "valuedata"),
            diff if node.get("diff") else None,
            member_of(primary),
            members_of(nodes),
            _suid(primary, nodes),
            stamp,
            names,
        )


def _members_node(members: tuple[Member, ...] | None, suid: int, known: dict[object, Node]) -> JavaArray | None:
    if members is None:
        return None
    return JavaArray(MEMBER_ARRAY, [known.setdefault(member, member_node(member, suid)) for member in members])


def _bytes(node: JavaObject, name: str) -> bytes | None:
    value = node.get(name)
    if value is None:
        return None
    if not isinstance(value, JavaArray) or not isinstance(value.values, bytes) or value.class_name != "[B":
        raise ProtocolError(f"{name}: expected a byte[], got {value!r}")
    return value.values


def _suid(*nodes: object) -> int | None:
    for node in nodes:
        if isinstance(node, (JavaObject, JavaArray)):
            return suid_of(node)
    return None


def encode_entries(messages: Sequence[MapMessage], suid: int = MEMBER_IMPL_SUIDS[0]) -> bytes:
    """The valuedata of a STATE reply: an ArrayList of PROXY or COPY messages.

    Parts that entries have in common (the map's id and the members) are written once.
    """
    common: dict[object, Node] = {}
    nodes: list[Node] = [message.to_node(suid, common) for message in messages]
    return encode_node(array_list(nodes)).to_stream()


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
