"""Objects of one class as Java's default serialization writes them, both ways from one table.

The table is the class's descriptor: types and names of the fields, in the order of the wire. A form makes of it

- a writer, which describes a class where it stands first and refers to it afterwards;
- a quick reader of what such writers make: the head in the very bytes, then one field after the other;
- the general reader, by way of nodes: fields in any order, missing, more than known, references to anything.

All readers give the same values, numbers first. The values of a type are written and read by its :class:`FieldKind`:
texts and byte arrays here, members in ``member_object``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache, partial
from operator import call
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import BYTE_ARRAY
from catalina.tribes.io.java.encoded_value import EncodedValue, reference
from catalina.tribes.io.java.grammar import (
    BASE_HANDLE,
    PRIMITIVE_CODES,
    STREAM_HEADER,
    TC_ARRAY,
    TC_NULL,
    TC_OBJECT,
    TC_REFERENCE,
    TC_STRING,
    U32,
)
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc, JavaArray, JavaObject, text_of

__all__ = [
    "BYTES",
    "COMMON_BYTES",
    "NULL_BYTE",
    "TEXT",
    "UNUSUAL",
    "ClassHead",
    "FieldKind",
    "ObjectForm",
    "ObjectSink",
    "ObjectSource",
    "UnusualError",
]

NULL_BYTE = bytes((TC_NULL,))
_pack_u32 = U32.pack


class UnusualError(Exception):
    """Legal perhaps, but not the bytes that a quick reader knows; internal to the forms."""


#: Quick readers meet these where the bytes are of another form, or of none; the general reader knows which.
UNUSUAL = (UnusualError, ProtocolError, IndexError, ValueError, struct.error)


class ClassHead(NamedTuple):
    """How an object or an array begins where its class was not described before."""

    data: bytes
    #: Those of the class and of the object.
    handles: int
    fixups: tuple[int, ...] = ()
    #: How the next one begins, up to the handle of the class.
    code: bytes = b""

    @classmethod
    def of(cls, code: int, desc: ClassDesc) -> ClassHead:
        """The head of an object (``TC_OBJECT``) or an array (``TC_ARRAY``) of the class."""
        described = encode_node(desc)
        return cls(
            bytes((code,)) + described.data,
            described.handles + 1,
            tuple([at + 1 for at in described.fixups]),
            bytes((code, TC_REFERENCE)),
        )

    def again(self, handle: int) -> bytes:
        """How the next one begins in the same stream, where the class has this handle."""
        return self.code + reference(handle)


class ObjectSink:
    """Objects one after another, without a stream header; each class is described once.

    Args:
        shares: true when values that objects have in common are written once.
    """

    def __init__(self, shares: bool = False) -> None:
        self.out = bytearray()
        self.handles = 0
        self.fixups: list[int] = []
        self._classes: dict[ClassHead, int] = {}
        self._common: dict[Hashable, int] | None = {} if shares else None

    def append(self, head: ClassHead, content: bytes) -> None:
        """Append an object or an array, or its beginning."""
        out, known, taken = self.out, self._classes.get(head), self.handles
        if known is None:
            self._classes[head] = taken
            data, handles, fixups, _ = head
            self.handles = taken + handles
            if fixups:
                self.fixups += [len(out) + at for at in fixups]
                data = EncodedValue(data, handles, fixups).at_handle(taken)
            out += data + content
        else:
            self.handles = taken + 1
            self.fixups.append(len(out) + 2)
            out += head.code + _pack_u32(BASE_HANDLE + known) + content

    def append_common(self, head: ClassHead, content: bytes, value: Hashable) -> None:
        """Append an object that others may have in common: only a reference where it stands already."""
        common = self._common
        if common is None:
            self.append(head, content)
        elif value in common:
            self.fixups.append(len(self.out) + 1)
            self.out += b"%c%b" % (TC_REFERENCE, reference(common[value]))
        else:
            self.append(head, content)
            common[value] = self.handles - 1

    def to_encoded(self) -> EncodedValue:
        """The one object that was written, as a value."""
        return EncodedValue(bytes(self.out), self.handles, tuple(self.fixups))


class ObjectSource:
    """Reads what an :class:`ObjectSink` makes.

    Args:
        data: the stream.
        at: where in it the next object starts.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        self.handles = 0
        self._classes: dict[bytes, int] = {}

    def begins(self, head: ClassHead) -> bool:
        """Step over the beginning of an object or array of the class; false when something else stands here."""
        known = self._classes.get(head.data)
        beginning = head.data if known is None else head.again(known)
        if not self.data.startswith(beginning, self.at):
            return False
        self.at += len(beginning)
        if known is None:
            self._classes[head.data] = self.handles
            self.handles += head.handles
        else:
            self.handles += 1
        return True

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            UnusualError: there are not so many.
        """
        start = self.at
        end = start + size
        if size < 0 or end > len(self.data):
            raise UnusualError
        self.at = end
        return self.data[start:end]

    def number(self, form: struct.Struct) -> int:
        """The next bytes as a number."""
        (number,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        return int(number)


class FieldKind(Protocol):
    """How the values of one Java type are written and read."""

    def alone(self, value: Any) -> bytes:
        """A value, or null for None, in a stream that has not described its class."""

    def write(self, sink: ObjectSink, value: Any) -> None:
        """Append a value that is not None."""

    def read(self, source: ObjectSource) -> Any:
        """Read a value that is not null, as :meth:`write` makes it.

        Raises:
            UnusualError, IndexError, ValueError, struct.error: it stands there in another way.
        """

    def of_node(self, node: object, name: str) -> object:
        """The value of a node of any form; None of null.

        Raises:
            ProtocolError: it is of another type; ``name`` is that of the field.
        """


class PlainKind:
    """Values that are a beginning, a length, and so many bytes; here byte arrays.

    Args:
        head: the beginning.
        length: how ``struct`` packs the length.
    """

    #: Makes the value of the bytes without a call of Python; ValueError for those few that need one.
    quick: Callable[[bytes], Any] = bytes

    def __init__(self, head: ClassHead, length: str) -> None:
        self.head = head
        self.length = struct.Struct(">" + length)
        self._first, self._pack = head.data, self.length.pack

    def alone(self, value: Any) -> bytes:
        return NULL_BYTE if value is None else self._first + self._pack(len(value)) + value

    def write(self, sink: ObjectSink, value: Any) -> None:
        sink.append(self.head, self._pack(len(value)) + value)

    def read(self, source: ObjectSource) -> object:
        if not source.begins(self.head):
            raise UnusualError
        return source.take(source.number(self.length))

    def of_node(self, node: object, name: str) -> object:
        if node is None:
            return None
        if not isinstance(node, JavaArray) or not isinstance(node.values, bytes) or node.class_name != "[B":
            raise ProtocolError(f"{name}: expected a byte[], got {node!r}")
        return node.values

    def again_at(self, handle: int) -> PlainKind:
        """The same values where the class was described before, and has this handle."""
        return PlainKind(ClassHead(self.head.again(handle), 1), self.length.format[1:])


class _CommonBytes(PlainKind):
    """Byte arrays that the objects of one stream may have in common."""

    def write(self, sink: ObjectSink, value: bytes) -> None:
        sink.append_common(self.head, self._pack(len(value)) + value, value)


class _TextKind(PlainKind):
    """Texts, remembered as they are written: names and ids of the sessions in use come again with every request."""

    quick = staticmethod(partial(str, encoding="ascii"))  # 3.14 would make a method of it

    def __init__(self) -> None:
        super().__init__(ClassHead(bytes((TC_STRING,)), 1), "H")
        self.alone = lru_cache(maxsize=4096)(self._alone)  # type: ignore[method-assign]

    def _alone(self, value: str | None) -> bytes:
        if value is None:
            return NULL_BYTE
        data = encode_modified_utf8(value)
        if len(data) > 0xFFFF:
            raise ValueError(f"a name or id of {len(data)} bytes, at most 65535 can be sent")
        return super().alone(data)

    def write(self, sink: ObjectSink, value: str) -> None:
        sink.out += self.alone(value)
        sink.handles += 1

    def read(self, source: ObjectSource) -> str:
        if source.take(1) != self._first:
            raise UnusualError
        source.handles += 1
        return decode_modified_utf8(source.take(source.number(self.length)), source.at)

    def of_node(self, node: object, name: str) -> str | None:
        return text_of(node, name)


_BYTES_HEAD = ClassHead.of(TC_ARRAY, BYTE_ARRAY)
TEXT = _TextKind()
BYTES = PlainKind(_BYTES_HEAD, "I")
COMMON_BYTES = _CommonBytes(_BYTES_HEAD, "I")
_KINDS: Mapping[str, FieldKind] = {"Ljava/lang/String;": TEXT, "[B": BYTES}


class ObjectForm:
    """One class of messages.

    Args:
        desc: the class and those above it; of all of them the numbers stand before the other fields.
        kinds: of fields that are neither texts nor byte arrays, by their type, or of single ones, by their name.
    """

    def __init__(self, desc: ClassDesc, kinds: Mapping[str, FieldKind] = MappingProxyType({})) -> None:
        fields = [field for each in _lineage(desc) for field in each.fields]
        numbers = [field for field in fields if field.signature is None]
        if fields[: len(numbers)] != numbers:
            raise ValueError(f"{desc.name}: expected the numbers of all classes before the other fields")
        by_type = {**_KINDS, **kinds}
        self.desc = desc
        self.class_name = desc.name
        self.head = ClassHead.of(TC_OBJECT, desc)
        self.kinds = {
            field.name: kinds.get(field.name) or by_type[str(field.signature)] for field in fields[len(numbers) :]
        }
        self._kinds = tuple(self.kinds.values())
        self._number_names = [field.name for field in numbers]
        codes = "".join([PRIMITIVE_CODES[field.kind] for field in numbers])
        #: The parts of a stream: up to the numbers, the numbers, and the writers of the other fields.
        self.start = STREAM_HEADER + self.head.data
        self.pack = struct.Struct(">" + codes).pack
        self.writers = tuple([kind.alone for kind in self._kinds])
        #: Not more than one field has a class: none can refer to that of another.
        self._stands_alone = sum(kind is not TEXT for kind in self._kinds) < 2
        self._plain = self._plain_fields()
        first = struct.Struct(f">{len(self.start)}x{codes}")
        #: The numbers of a stream, and where the other fields start.
        self.numbers, self.others_at = first.unpack_from, first.size
        self._name = self.start[: len(STREAM_HEADER) + 4 + len(desc.name)]

    def _plain_fields(self) -> list[tuple[bytes, int, Callable[..., tuple[int]], Callable[[bytes], Any]]]:
        """For each field its beginning, the size of that and the length, the length, and the value.

        Empty when fields of other kinds are among them, or one may refer to the class of another.
        """
        plain = [kind for kind in self._kinds if isinstance(kind, PlainKind)]
        if len(plain) < len(self._kinds) or not self._stands_alone:
            return []
        lengths = [struct.Struct(f">{len(kind.head.data)}x{kind.length.format[1:]}") for kind in plain]
        return [
            (kind.head.data, length.size, length.unpack_from, kind.quick)
            for kind, length in zip(plain, lengths, strict=True)
        ]

    def matches(self, data: bytes) -> bool:
        """True when a stream begins with an object of the class; cheap."""
        return data.startswith(self._name)

    def stream(self, numbers: Sequence[object], others: Sequence[object]) -> bytes:
        """One object as a whole stream."""
        if not self._stands_alone:
            sink = ObjectSink()
            sink.out += self.start + self.pack(*numbers)  # no other object of the stream refers to this class
            sink.handles = self.head.handles
            self._write_fields(sink, others)
            return bytes(sink.out)
        return b"".join((self.start, self.pack(*numbers), *map(call, self.writers, others)))

    def write(self, sink: ObjectSink, numbers: Sequence[object], others: Sequence[object]) -> None:
        """Append one object."""
        sink.append(self.head, self.pack(*numbers))
        self._write_fields(sink, others)

    def _write_fields(self, sink: ObjectSink, others: Sequence[object]) -> None:
        for kind, value in zip(self._kinds, others, strict=True):
            if value is None:
                sink.out += NULL_BYTE
            else:
                kind.write(sink, value)

    def read(self, data: bytes) -> list[Any]:
        """The values of the first object of a stream; what stands behind it is ignored.

        Raises:
            ProtocolError: it is no object of the class.
        """
        startswith = data.startswith
        if self._plain and startswith(self.start):
            try:
                values = [*self.numbers(data)]
                position = self.others_at
                for first, skip, length, quick in self._plain:
                    if startswith(first, position):
                        start = position + skip
                        position = start + length(data, position)[0]
                        values.append(quick(data[start:position]))
                    elif data[position] == TC_NULL:
                        values.append(None)
                        position += 1
                    else:
                        raise UnusualError
                if position <= len(data):
                    return values
            except UNUSUAL:
                pass  # one of the others says what is wrong, if something is
        return self.read_usual(data) or self.read_any(data)

    def read_usual(self, data: bytes) -> list[Any] | None:
        """The values if they stand there as :meth:`stream` writes them."""
        source = ObjectSource(data, len(STREAM_HEADER))
        try:
            if not data.startswith(STREAM_HEADER) or not source.begins(self.head):
                return None
            values = [*self.numbers(data)]
            source.at = self.others_at
            for kind in self._kinds:
                if data[source.at] == TC_NULL:
                    source.at += 1
                    values.append(None)
                else:
                    values.append(kind.read(source))
        except UNUSUAL:
            return None
        return values

    def read_any(self, data: bytes) -> list[Any]:
        """The values, however they are written.

        Raises:
            ProtocolError: it is no object of the class.
        """
        if not data.startswith(STREAM_HEADER):
            raise ProtocolError(f"expected a Java object stream, got {data[:4]!r}", 0)
        return self.values_of(read_object(data, len(STREAM_HEADER)))

    def values_of(self, node: object) -> list[Any]:
        """The values of an object of any form; a field that it has not is what it is in Java: 0, false or null.

        Raises:
            ProtocolError: it is no object of the class.
        """
        if not isinstance(node, JavaObject) or node.class_name != self.class_name:
            raise ProtocolError(f"expected a {self.class_name}, got {node!r}")
        values: list[Any] = []
        for name in self._number_names:
            number = node.get(name)
            if number is not None and not isinstance(number, int):
                raise ProtocolError(f"{name}: expected a whole number, got {number!r}")
            values.append(number or 0)
        values += [kind.of_node(node.get(name), name) for name, kind in self.kinds.items()]
        return values


def _lineage(desc: ClassDesc) -> list[ClassDesc]:
    """The class and those above it, the topmost first."""
    above = _lineage(desc.super_desc) if isinstance(desc.super_desc, ClassDesc) else []
    return [*above, desc]
