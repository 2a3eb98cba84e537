"""One value of a Java object stream, cut out so that it can be put into any other stream.

A value in a stream may refer to what the same stream carried before (handles). An :class:`EncodedValue` refers to
nothing outside itself: its references count from its own first handle, and :meth:`EncodedValue.write_to` adds the
number of handles that the other stream already has. So a session's attribute is encoded once, kept as bytes, put into a
delta, a session block or a map entry, and decoded only where an application reads it.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from catalina.tribes.io.java.grammar import BASE_HANDLE, STREAM_HEADER

__all__ = ["NULL", "EncodedValue", "OpaqueValue"]

_U32 = struct.Struct(">I")


class EncodedValue(NamedTuple):
    """The bytes of one object, without a stream header.

    One writer encodes equal values equally, so a change inside a value shows in the bytes.
    """

    #: The object; its references count from 7e0000 as if it stood first in its stream.
    data: bytes
    #: The number of handles that the object takes.
    handles: int
    #: Offsets in ``data`` of the 4-byte handles to adjust when the object stands elsewhere, in ascending order.
    fixups: tuple[int, ...] = ()

    def at_handle(self, first: int) -> bytes:
        """The bytes for a stream in which ``first`` handles are taken already."""
        if not first or not self.fixups:
            return self.data
        moved = bytearray(self.data)
        for offset in self.fixups:
            _U32.pack_into(moved, offset, _U32.unpack_from(moved, offset)[0] + first)
        return bytes(moved)

    def to_stream(self) -> bytes:
        """A whole stream with this one object in it."""
        return STREAM_HEADER + self.data

    @property
    def class_name(self) -> str:
        """The Java class of the object, such as ``java.lang.Integer``; ``null`` for null.

        Never raises: bytes that do not begin like an object give ``?``.
        """
        data = self.data
        match data[:1]:
            case b"\x70":
                return "null"
            case b"\x74" | b"\x7c":
                return "java.lang.String"
            case b"\x76":
                return "java.lang.Class"
        if data[1:2] != b"\x72" or len(data) < 4:
            return "?"
        return data[4 : 4 + int.from_bytes(data[2:4], "big")].decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"EncodedValue({self.class_name}, {len(self.data)} bytes)"


#: Java's null.
NULL = EncodedValue(b"\x70", 0)


class OpaqueValue:
    """A value that this node keeps and passes on without looking inside.

    An application gets it in place of an object whose class may not or cannot be decoded. When the application sets it
    in a session again, the same bytes are sent on.
    """

    __slots__ = ("broken", "class_name", "encoded", "exceeds_limit", "why")

    def __init__(
        self,
        encoded: EncodedValue,
        class_name: str = "",
        why: str = "",
        broken: bool = False,
        exceeds_limit: bool = False,
    ) -> None:
        self.encoded = encoded
        self.class_name = class_name or encoded.class_name
        self.why = why
        #: True when the bytes break the grammar: no node can read them.
        self.broken = broken
        #: True when this node gave up reading at a limit of its own, or for want of room on the stack.
        self.exceeds_limit = exceeds_limit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpaqueValue) and other.encoded.data == self.encoded.data

    def __hash__(self) -> int:
        return hash(self.encoded.data)

    def __repr__(self) -> str:
        why = f": {self.why}" if self.why else ""
        return f"<opaque {self.class_name}, {len(self.encoded.data)} bytes{why}>"


def reference(handle: int) -> bytes:
    """The four bytes of a handle, counted from 0."""
    return _U32.pack(BASE_HANDLE + handle)
