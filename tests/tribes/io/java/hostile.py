"""Streams that somebody has made to cost a reader more than they should: pieces without header, by size."""

from __future__ import annotations

import struct

from catalina.tribes.io.java.grammar import BASE_HANDLE, STREAM_HEADER

_NULL = b"\x70"
_OBJECT_ARRAY = b"\x75\x72\0\x13[Ljava.lang.Object;" + bytes(8) + b"\x02\0\0\x78\x70"


def reference(handle: int) -> bytes:
    return b"\x71" + struct.pack(">I", BASE_HANDLE + handle)


def class_desc(name: str, above: bytes = _NULL, fields: bytes = b"\0\0", flags: int = 2) -> bytes:
    return b"\x72" + struct.pack(">H", len(name)) + name.encode() + bytes(8) + bytes([flags]) + fields + b"\x78" + above


def array(elements: list[bytes]) -> bytes:
    """An Object[]; its class takes handle 0, it takes handle 1, so its elements begin at handle 2."""
    return _OBJECT_ARRAY + struct.pack(">I", len(elements)) + b"".join(elements)


def class_chain(size: int) -> bytes:
    """Class objects, each of a subclass of the one before. Quadratic if each class knows all those above it."""
    first = b"\x76" + class_desc("C")
    return array([first] + [b"\x76" + class_desc("C", reference(2 * index)) for index in range(1, size)])


def many_subclasses(size: int, classes: int = 30) -> bytes:
    """A deep class, and ``size`` subclasses of it."""
    deep = _NULL
    for _ in range(classes):
        deep = class_desc("C", deep)
    return array([b"\x76" + deep] + [b"\x76" + class_desc("D", reference(2))] * size)


def many_objects(size: int, classes: int = 30, flags: int = 2) -> bytes:
    """Objects of a deep class that writes nothing."""
    deep = _NULL
    for _ in range(classes):
        deep = class_desc("C", deep, flags=flags)
    data = b"\x78" * classes if flags & 1 else b""
    return array([b"\x73" + deep + data] + [b"\x73" + reference(2) + data] * size)


def superclass_with_fields(size: int) -> bytes:
    """Subclasses of a class with many fields: quadratic if each of them makes a plan of those fields."""
    fields = struct.pack(">H", size) + b"".join([b"B\0\x04" + b"%04x" % index for index in range(size)])
    above = b"\x76" + class_desc("C", fields=fields)
    return array([above] + [b"\x76" + class_desc("D", reference(2))] * size)


def objects_with_fields(size: int) -> bytes:
    """As before, and an object of each of the subclasses but without its data: the first cannot be read."""
    fields = struct.pack(">H", size) + b"".join([b"B\0\x04" + b"%04x" % index for index in range(size)])
    above = b"\x76" + class_desc("C", fields=fields)
    return array([above] + [b"\x73" + class_desc("D", reference(2)) + bytes(8)] * size)


def deep_arrays(size: int) -> bytes:
    return b"".join([_OBJECT_ARRAY + b"\0\0\0\x01"] * size) + _NULL


def deep_superclasses(size: int) -> bytes:
    return b"\x73" + b"".join([class_desc("C", b"") for _ in range(size)]) + _NULL


def deep_annotations(size: int) -> bytes:
    return b"".join([b"\x73" + class_desc("C", flags=3) for _ in range(size)]) + b"\x78" * size


def many_references(size: int) -> bytes:
    return array([b"\x74\0\x01x"] + [reference(2)] * size)


def many_strings(size: int) -> bytes:
    return array([b"\x74\0\x01x"] * size)


def long_string(size: int) -> bytes:
    return b"\x7c" + struct.pack(">Q", size) + b"x" * size


def many_blocks(size: int) -> bytes:
    return b"\x73" + class_desc("C", flags=3) + b"\x77\x01x" * size + b"\x78"


def empty_blocks(size: int) -> bytes:
    return b"\x73" + class_desc("C", flags=3) + b"\x77\0" * size + b"\x78"


def proxies(size: int) -> bytes:
    """Dynamic proxies, each the superclass of the next."""
    one = b"\x7d\0\0\0\x01\0\x01I\x78"
    return array([b"\x76" + one + _NULL] + [b"\x76" + one + reference(2 * index) for index in range(1, size)])


def proxy_interfaces(size: int) -> bytes:
    return b"\x76\x7d" + struct.pack(">I", size) + b"\0\x01I" * size + b"\x78\x70"


def enums(size: int) -> bytes:
    return array([b"\x7e" + class_desc("E", flags=0x12) + b"\x74\0\x01A"] * size)


def shared_by_wrappers(size: int) -> bytes:
    """A large object of an unknown class, and lists of one that refer to it: each list, cut out, is as large."""
    large = b"\x73" + class_desc("Large", flags=3) + b"\x77\x01x" * size + b"\x78"
    return array([large] + [_OBJECT_ARRAY + b"\0\0\0\x01" + reference(3)] * size)


def in_class_of_itself(size: int) -> bytes:
    """Objects in the annotation of a class descriptor whose class is that one, not yet described to its end."""
    objects = (b"\x73" + reference(0)) * size
    return b"\x73\x72\0\x01C" + bytes(8) + b"\x02\0\0" + objects + b"\x78\x70"


def field_twice() -> bytes:
    """A class with a field of one name and two types: what is read of it cannot be written."""
    return b"\x73" + class_desc("C", fields=b"\0\x02I\0\x01aJ\0\x01a") + b"\0\0\0\x01" + b"\xff" * 8


def external_with_field() -> bytes:
    """An Externalizable class whose descriptor names a field, which Java never writes."""
    return b"\x73" + class_desc("C", fields=b"\0\x01I\0\x01a", flags=0x0C) + b"\x77\x01\x05\x78"


#: Every maker of a size.
MAKERS = {
    maker.__name__: maker
    for maker in (
        class_chain, many_subclasses, many_objects, superclass_with_fields, objects_with_fields, deep_arrays,
        deep_superclasses, deep_annotations, many_references, many_strings, long_string, many_blocks, empty_blocks,
        proxies, proxy_interfaces, enums, shared_by_wrappers, in_class_of_itself,
    )
}  # fmt: skip


def stream(piece: bytes) -> bytes:
    return STREAM_HEADER + piece
