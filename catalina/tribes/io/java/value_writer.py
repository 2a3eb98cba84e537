"""Appends objects to a value's bytes: references, descriptors, and errors that name the path to the refused part."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from catalina.tribes.io.java import descriptors
from catalina.tribes.io.java.encoded_value import EncodedValue, reference
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, I64, PRIMITIVE_CODES, TC_OBJECT, U16
from catalina.tribes.io.java.key_check import SIMPLE_KEYS, KeyCheck, KeyRefusedError, KeyWork
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.node_writer import NodeWriter, encode_node, write_block
from catalina.tribes.io.java.nodes import ClassDesc, JavaArray
from catalina.tribes.io.java.python_form import PYTHON_OBJECT

__all__ = ["BOXES", "Box", "RefusedError", "SharedError", "ValueWriter", "WouldRunError", "encode_str"]

#: Below the reader's limit, so that every node can read the value inside of whatever carries it.
MAX_DEPTH = DEFAULT_LIMITS.depth - 10

#: The bytes with which the first object of a class begins, and the handles that they take. Later objects refer to its
#: descriptor.
_FIRST_HEADS = {
    desc: (bytes((TC_OBJECT,)) + encoded.data, encoded.handles)
    for desc, encoded in (
        (desc, encode_node(desc))
        for desc in (
            descriptors.ARRAY_LIST,
            descriptors.BOOLEAN,
            descriptors.DOUBLE,
            descriptors.HASH_SET,
            descriptors.INTEGER,
            descriptors.LINKED_HASH_MAP,
            descriptors.LONG,
            descriptors.TIME_SER,
            PYTHON_OBJECT,
        )
    )
}


class Box(NamedTuple):
    """A boxed number or boolean: one description for values that stand alone, for parts of others, and for the walk."""

    #: The first one of a stream, up to its value, and the handles that it takes.
    head: bytes
    handles: int
    #: The value.
    form: struct.Struct


BOXES = {
    desc: Box(
        _FIRST_HEADS[desc][0], _FIRST_HEADS[desc][1] + 1, struct.Struct(">" + PRIMITIVE_CODES[desc.fields[0].kind])
    )
    for desc in (descriptors.BOOLEAN, descriptors.DOUBLE, descriptors.INTEGER, descriptors.LONG)
}


class SharedError(Exception):
    """An object occurs both inside a marked array and outside it."""


class RefusedError(Exception):
    """A part of the value cannot travel; the steps to the part come innermost first."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(why)
        self.value = value
        self.why = why
        self.steps: list[str] = []


class WouldRunError(Exception):
    """Encoding would run code of a class, and only inert encoding was asked for."""


def encode_str(text: str) -> EncodedValue:
    data = encode_modified_utf8(text)
    if len(data) < 65536:
        return EncodedValue(b"\x74" + U16.pack(len(data)) + data, 1)
    return EncodedValue(b"\x7c" + I64.pack(len(data)) + data, 1)


class ValueWriter:
    """Encodes one value, or the inside of one marked array.

    Args:
        places: the stream in which each object with an identity stands, by id; one table for the whole value.
        in_python: True for the inside of a marked array.
        depth: the number of objects around this one.
        inert: refuse to run code of a class: the value was just decoded, and no application has seen it.
    """

    def __init__(
        self, places: dict[int, ValueWriter], in_python: bool = False, depth: int = 0, inert: bool = False
    ) -> None:
        self._inert = inert
        self._nodes = NodeWriter()
        self._out = self._nodes.out
        self._fixups = self._nodes.fixups
        self._heads: dict[ClassDesc, bytes] = {}
        self._strings: dict[str, bytes] = {}
        self._objects: dict[int, int] = {}
        self._kept: list[object] = []
        self._places = places
        self._in_python = in_python
        self._depth = depth
        #: Tuples and similar values that are being written; such a value cannot contain itself.
        self._open: set[int] = set()

    def to_encoded(self) -> EncodedValue:
        """The encoded value."""
        return EncodedValue(bytes(self._out), self._nodes.handles, tuple(self._fixups))

    def encode(self, value: object) -> None:
        """Append one object."""
        raise NotImplementedError

    def _reference(self, handle_bytes: bytes) -> None:
        self._fixups.append(len(self._out) + 1)
        self._out += b"\x71" + handle_bytes

    def _head(self, desc: ClassDesc) -> None:
        """Begin an object of the class; the caller takes its handle."""
        head = self._heads.get(desc)
        if head is not None:
            self._fixups.append(len(self._out) + 2)
            self._out += head
            return
        first = _FIRST_HEADS.get(desc)
        if first is None or (desc.super_desc is descriptors.NUMBER and self._nodes.knows(descriptors.NUMBER)):
            self._out.append(TC_OBJECT)
            self._nodes.write_node(desc)
            self._heads[desc] = b"\x73\x71" + reference(self._nodes.handle_of(desc))
            return
        data, handles = first
        self._heads[desc] = b"\x73\x71" + reference(self._nodes.handles)
        self._nodes.handles += handles
        self._out += data
        if desc.super_desc is descriptors.NUMBER:
            self._nodes.know(descriptors.NUMBER, self._nodes.handles - 1)

    def _begin(self, value: object, desc: ClassDesc) -> bool:
        """Begin an object with an identity; returns False when a reference was all it took."""
        if self._is_known(value):
            return False
        self._enter(value)
        self._head(desc)
        self._take_handle(value)
        return True

    def _is_known(self, value: object) -> bool:
        handle = self._objects.get(id(value))
        if handle is None:
            return False
        if id(value) in self._open:
            raise RefusedError(value, "it contains itself")
        self._reference(reference(handle))
        return True

    def _enter(self, value: object) -> None:
        """Note where the object stands, before any part of it is written."""
        place = self._places.setdefault(id(value), self)
        if place is not self:
            raise SharedError
        self._kept.append(value)
        self._deeper(value)

    def _deeper(self, value: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RefusedError(value, f"it is nested more than {MAX_DEPTH} deep")

    def _take_handle(self, value: object) -> None:
        self._objects[id(value)] = self._nodes.handles
        self._nodes.handles += 1

    def _skip_handle(self) -> None:
        self._nodes.handles += 1

    def _leave(self) -> None:
        self._depth -= 1

    def _items(self, values: Iterable[object]) -> None:
        index = 0
        try:
            for value in values:
                self.encode(value)
                index += 1
        except RefusedError as refused:
            refused.steps.append(f"[{index}]")
            raise

    def _pairs(self, values: dict[Any, Any], attributes: bool = False) -> None:
        encode = self.encode
        key: object = None
        only_texts = True
        try:
            for key, value in values.items():
                encode(key)
                if type(key) is not str:
                    only_texts = False
                encode(value)
        except RefusedError as refused:
            # its __repr__ may be code of the class
            step = f"[{type(key).__name__}]" if self._inert else f"[{key!r:.60}]"
            refused.steps.append(f".{key}" if attributes else step)
            raise
        if not only_texts:
            self._check_keys(values)

    def _check_keys(self, keys: Iterable[object]) -> None:
        """Refuse a key that another node would not take, here, where the application sets it."""
        if SIMPLE_KEYS.issuperset(map(type, keys)):
            return
        check = KeyCheck(KeyWork(len(self._out)))
        for key in keys:
            try:
                check.admit(key)
            except KeyRefusedError as refused:
                raise RefusedError(key, f"it is a key: {refused}") from None

    def _splice(self, encoded: EncodedValue) -> None:
        start = len(self._out)
        self._out += encoded.at_handle(self._nodes.handles)
        self._fixups.extend([start + offset for offset in encoded.fixups])
        self._nodes.handles += encoded.handles

    def _byte_array(self, data: bytes) -> None:
        self._nodes.write_node(JavaArray(descriptors.BYTE_ARRAY, bytes(data)))

    def _utf_block(self, text: str) -> None:
        data = encode_modified_utf8(text)
        write_block(self._out, U16.pack(len(data)) + data)
