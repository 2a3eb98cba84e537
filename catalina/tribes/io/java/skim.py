"""Finds the end of one object in a stream without making a node of it.

A value from another Python node stands alone: it refers to nothing before it. So it can be cut out of a delta by a walk
over its bytes. The walk gives up and returns None where it would need more: at a reference to an earlier element, an
aborted write, a dynamic proxy, or bytes that break the grammar. The reader of nodes then takes over and reports any
fault.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from catalina.tribes.io.java.descriptors import BOOLEAN, DOUBLE, INTEGER
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import (
    BASE_HANDLE,
    DEFAULT_LIMITS,
    PRIMITIVE_SIZES,
    SC_BLOCK_DATA,
    SC_EXTERNALIZABLE,
    SC_WRITE_METHOD,
    TC_ARRAY,
    TC_BLOCKDATA,
    TC_BLOCKDATALONG,
    TC_CLASS,
    TC_CLASSDESC,
    TC_ENDBLOCKDATA,
    TC_ENUM,
    TC_LONGSTRING,
    TC_NULL,
    TC_OBJECT,
    TC_REFERENCE,
    TC_STRING,
)
from catalina.tribes.io.java.value_writer import BOXES

__all__ = ["skim"]

_MAX_CLASSES = DEFAULT_LIMITS.superclasses + 1

#: Boxed numbers and booleans, in the form in which both we and Java write the first one of a stream: the bytes before
#: the value, the size of the value, and the number of handles.
_BOXED = [(box.head, box.form.size, box.handles) for box in map(BOXES.__getitem__, (INTEGER, BOOLEAN, DOUBLE))]

_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


#: The data of a class that has no fields and no method of its own to write it.
_NOTHING = (0, 0, False)


class _Layout(NamedTuple):
    """The layout of an object's data in the stream, for one class."""

    name: bytes
    #: For each class, topmost superclass first: bytes of primitives, number of objects, and True if an annotation
    #: follows. Classes that write nothing are left out.
    parts: tuple[tuple[int, int, bool], ...]
    flags: int
    #: The number of classes: the object's own and its superclasses.
    classes: int


class _GiveUpError(Exception):
    """The walk cannot go on."""


def skim(data: bytes, position: int, handles: int, max_depth: int) -> tuple[EncodedValue, int] | None:
    """Cut out the object at ``position``.

    Args:
        handles: the number of handles that the stream has given out before the object.

    Returns:
        The object and the position behind it, or None when it cannot be cut out without reading it.
    """
    tag = data[position] if position < len(data) else TC_NULL
    if tag == TC_STRING:
        end = position + 3 + int.from_bytes(data[position + 1 : position + 3], "big")
        return (EncodedValue(data[position:end], 1), end) if end <= len(data) else None
    for head, size, taken in _BOXED:
        if data.startswith(head, position):
            end = position + len(head) + size
            return (EncodedValue(data[position:end], taken), end) if end <= len(data) else None
    walk = _Walk(data, handles)
    try:
        end = walk.element(position, max_depth)
    except (_GiveUpError, struct.error, IndexError):
        return None
    if end > len(data):
        return None
    cut = data[position:end]
    if not walk.references:
        return EncodedValue(cut, walk.count - handles), end
    if not handles:
        return EncodedValue(cut, walk.count, tuple([at - position for at in walk.references])), end
    moved = bytearray(cut)
    fixups = []
    for at in walk.references:
        offset = at - position
        _U32.pack_into(moved, offset, _U32.unpack_from(data, at)[0] - handles)
        fixups.append(offset)
    return EncodedValue(bytes(moved), walk.count - handles, tuple(fixups)), end


class _Walk:
    """One walk. Handles count from the start of the stream."""

    __slots__ = ("count", "data", "first", "layouts", "references")

    def __init__(self, data: bytes, handles: int) -> None:
        self.data = data
        self.first = handles
        self.count = handles
        self.layouts: dict[int, _Layout] = {}
        self.references: list[int] = []

    def element(self, position: int, depth: int) -> int:
        """Walk over one element that is not block data; returns the position behind it."""
        if not depth:
            raise _GiveUpError
        data = self.data
        tag = data[position]
        if tag == TC_OBJECT:
            return self._object(position + 1, depth - 1)
        if tag == TC_STRING:
            self.count += 1
            return position + 3 + (data[position + 1] << 8 | data[position + 2])
        if tag == TC_REFERENCE:
            self._reference(position + 1)
            return position + 5
        if tag == TC_NULL:
            return position + 1
        if tag == TC_ARRAY:
            return self._array(position + 1, depth - 1)
        if tag == TC_LONGSTRING:
            self.count += 1
            return position + 9 + self._bounded(_U64.unpack_from(data, position + 1)[0])
        if tag == TC_ENUM:
            position, _ = self._class_desc(position + 1)
            self.count += 1
            return self.element(position, depth - 1)
        if tag == TC_CLASS:
            position, _ = self._class_desc(position + 1)
            self.count += 1
            return position
        raise _GiveUpError

    def _bounded(self, size: int) -> int:
        """A plausible length. If its bytes are missing, the walk notices at the end."""
        if size > len(self.data):
            raise _GiveUpError
        return size

    def _reference(self, position: int) -> int:
        index: int = _U32.unpack_from(self.data, position)[0] - BASE_HANDLE
        if not self.first <= index < self.count:
            raise _GiveUpError
        self.references.append(position)
        return index

    def _class_desc(self, position: int, below: int = 0) -> tuple[int, _Layout | None]:
        """Walk over a descriptor, or null; ``below`` is the number of subclasses whose descriptors surround it."""
        data = self.data
        tag = data[position]
        if tag == TC_REFERENCE:
            layout = self.layouts.get(self._reference(position + 1))
            if layout is None:
                raise _GiveUpError
            return position + 5, layout
        if tag == TC_NULL:
            return position + 1, None
        if tag != TC_CLASSDESC:
            raise _GiveUpError
        return self._new_class_desc(position + 1, below + 1)

    def _new_class_desc(self, position: int, below: int) -> tuple[int, _Layout]:
        if below > _MAX_CLASSES:
            raise _GiveUpError
        data = self.data
        (length,) = _U16.unpack_from(data, position)
        name = data[position + 2 : position + 2 + length]
        handle = self.count
        self.count += 1
        position += 10 + length  # name and suid
        flags = data[position]
        (fields,) = _U16.unpack_from(data, position + 1)
        position, primitives, objects = self._fields(position + 3, fields)
        if data[position] != TC_ENDBLOCKDATA:
            raise _GiveUpError
        position, parent = self._class_desc(position + 1, below)
        classes = 1 + parent.classes if parent else 1
        if classes > _MAX_CLASSES:
            raise _GiveUpError
        if flags & SC_EXTERNALIZABLE:
            if not flags & SC_BLOCK_DATA:
                raise _GiveUpError
            parts: tuple[tuple[int, int, bool], ...] = ((0, 0, True),)
        else:
            if parent and parent.flags & SC_EXTERNALIZABLE:
                raise _GiveUpError
            own = (primitives, objects, bool(flags & SC_WRITE_METHOD))
            parts = parent.parts if parent else ()
            if own != _NOTHING:
                parts = (*parts, own)
        layout = self.layouts[handle] = _Layout(name, parts, flags, classes)
        return position, layout

    def _fields(self, position: int, count: int) -> tuple[int, int, int]:
        """Walk over the fields; returns the position behind them, the bytes of the primitive ones, and the number of
        the others.
        """
        data = self.data
        primitives = objects = 0
        for _ in range(count):
            kind = chr(data[position])
            position += 3 + (data[position + 1] << 8 | data[position + 2])
            size = PRIMITIVE_SIZES.get(kind)
            if size is not None:
                primitives += size
                if objects:
                    raise _GiveUpError
            elif kind in "[L":
                objects += 1
                tag = data[position]
                if tag not in (TC_STRING, TC_REFERENCE):
                    raise _GiveUpError
                position = self.element(position, 1)
            else:
                raise _GiveUpError
        return position, primitives, objects

    def _object(self, position: int, depth: int) -> int:
        position, layout = self._class_desc(position)
        if layout is None:
            raise _GiveUpError
        self.count += 1
        for primitives, objects, annotated in layout.parts:
            position += primitives
            for _ in range(objects):
                position = self.element(position, depth)
            if annotated:
                position = self._annotation(position, depth)
        return position

    def _annotation(self, position: int, depth: int) -> int:
        data = self.data
        element = self.element
        while True:
            tag = data[position]
            if tag == TC_ENDBLOCKDATA:
                return position + 1
            if tag == TC_BLOCKDATA:
                position += 2 + data[position + 1]
            elif tag == TC_BLOCKDATALONG:
                position += 5 + self._bounded(_U32.unpack_from(data, position + 1)[0])
            else:
                position = element(position, depth)

    def _array(self, position: int, depth: int) -> int:
        position, layout = self._class_desc(position)
        if layout is None or layout.name[:1] != b"[":
            raise _GiveUpError
        self.count += 1
        count = self._bounded(_U32.unpack_from(self.data, position)[0])
        position += 4
        size = PRIMITIVE_SIZES.get(layout.name[1:].decode("latin-1"))
        if size is not None:
            return position + count * size
        for _ in range(count):
            position = self.element(position, depth)
        return position
