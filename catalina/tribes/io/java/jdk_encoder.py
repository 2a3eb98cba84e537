"""Encodes Python values that have a counterpart in the JDK, in the form in which the JDK's classes write themselves."""

from __future__ import annotations

import struct
import uuid
from typing import Any

from catalina.tribes.io.java import descriptors
from catalina.tribes.io.java.encoded_value import NULL, OpaqueValue, reference
from catalina.tribes.io.java.grammar import I32, TC_BLOCKDATA, TC_ENDBLOCKDATA
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.value_writer import BOXES, ValueWriter, encode_str

__all__ = ["JdkEncoder"]

_BOOLEAN, _DOUBLE, _INTEGER, _LONG = (
    BOXES[desc].form for desc in (descriptors.BOOLEAN, descriptors.DOUBLE, descriptors.INTEGER, descriptors.LONG)
)
#: HashMap: load factor, threshold, then block data of two ints: buckets and size.
_MAP_HEAD = struct.Struct(">fiBBii")
#: HashSet: block data of buckets, load factor and size.
_SET_HEAD = struct.Struct(">BBifi")


class JdkEncoder(ValueWriter):
    """Encodes numbers, texts, lists, maps, sets and UUIDs. Its subclass encodes the values that need Python's form."""

    def _none(self, value: None) -> None:
        self._out += NULL.data

    def _bool(self, value: bool) -> None:
        self._head(descriptors.BOOLEAN)
        self._nodes.handles += 1
        self._out += _BOOLEAN.pack(value)

    def _int(self, value: int) -> None:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            self._head(descriptors.INTEGER)
            self._out += _INTEGER.pack(value)
        elif -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            self._head(descriptors.LONG)
            self._out += _LONG.pack(value)
        else:
            self._big_integer(value)
            return
        self._nodes.handles += 1

    def _big_integer(self, value: int) -> None:
        magnitude = abs(value)
        node = descriptors.new_object(
            descriptors.BIG_INTEGER,
            bitCount=-1,
            bitLength=-1,
            firstNonzeroByteNum=-2,
            lowestSetBit=-2,
            signum=(value > 0) - (value < 0),
            magnitude=descriptors.byte_array(magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")),
        )
        node.data[-1].annotation = []
        self._nodes.write_node(node)

    def _float(self, value: float) -> None:
        self._head(descriptors.DOUBLE)
        self._nodes.handles += 1
        self._out += _DOUBLE.pack(value)

    def _str(self, value: str) -> None:
        known = self._strings.get(value)
        if known is not None:
            self._reference(known)
            return
        encoded = encode_str(value)
        self._strings[value] = reference(self._nodes.handles)
        self._nodes.handles += 1
        self._out += encoded.data

    def _list(self, value: list[object]) -> None:
        if self._begin(value, descriptors.ARRAY_LIST):
            size = I32.pack(len(value))
            self._out += size + b"\x77\x04" + size
            self._items(value)
            self._out.append(TC_ENDBLOCKDATA)
            self._leave()

    def _dict(self, value: dict[object, object]) -> None:
        if self._begin(value, descriptors.LINKED_HASH_MAP):
            self._map_data(value)
            self._leave()

    def _map_data(self, value: dict[Any, Any], attributes: bool = False) -> None:
        """The data of a LinkedHashMap: HashMap's load factor 0.75 and threshold, pairs, then accessOrder."""
        buckets = _buckets(len(value))
        self._out += _MAP_HEAD.pack(0.75, buckets * 3 // 4, TC_BLOCKDATA, 8, buckets, len(value))
        self._pairs(value, attributes)
        self._out += b"\x78\x00"

    def _anonymous_map(self, value: dict[Any, Any], attributes: bool = False) -> None:
        """A map that nothing else refers to."""
        self._deeper(value)
        self._head(descriptors.LINKED_HASH_MAP)
        self._skip_handle()
        self._map_data(value, attributes)
        self._leave()

    def _set(self, value: set[object]) -> None:
        if self._begin(value, descriptors.HASH_SET):
            self._out += _SET_HEAD.pack(TC_BLOCKDATA, 12, _buckets(len(value)), 0.75, len(value))
            self._items(value)
            self._check_keys(value)
            self._out.append(TC_ENDBLOCKDATA)
            self._leave()

    def _uuid(self, value: uuid.UUID) -> None:
        bits = value.int
        self._nodes.write_node(
            descriptors.new_object(
                descriptors.UUID,
                leastSigBits=_signed64(bits & 0xFFFFFFFFFFFFFFFF),
                mostSigBits=_signed64(bits >> 64),
            )
        )

    def _node(self, value: Any) -> None:
        self._splice(encode_node(value))

    def _opaque(self, value: OpaqueValue) -> None:
        self._splice(value.encoded)


def _buckets(size: int) -> int:
    """The number of buckets that Java's tables have for that many entries."""
    buckets = 16
    while buckets * 3 < size * 4:
        buckets *= 2
    return buckets


def _signed64(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
