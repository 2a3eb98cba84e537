"""Writes a Java object stream in stream order: primitive values as block data, and objects between them."""

from __future__ import annotations

from catalina.tribes.io.java.descriptors import string
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import I32, I64, MAX_BLOCK, STREAM_HEADER, TC_ENDBLOCKDATA, TC_OBJECT, U16
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.node_writer import NodeWriter, write_block
from catalina.tribes.io.java.nodes import ClassDesc, Node

__all__ = ["ObjectOutputStream"]


class ObjectOutputStream:
    """Writes a stream. It collects primitive values into blocks of the size that Java's own writer uses.

    Args:
        header: True when the stream begins here (aced0005); False for a part of a stream.
    """

    def __init__(self, *, header: bool = True) -> None:
        self._out = bytearray(STREAM_HEADER if header else b"")
        self._nodes = NodeWriter(self._out)
        self._block = bytearray()
        #: How the objects of :class:`Boxes` begin whose classes the stream has described.
        self.heads_of_boxes: dict[object, tuple[bytes, ...]] = {}

    @property
    def handles(self) -> int:
        """The number of handles that the stream has given out so far."""
        return self._nodes.handles

    def write_bytes(self, data: bytes) -> None:
        """Raw bytes of block data."""
        self._block += data

    def write_boolean(self, value: bool) -> None:
        """One byte."""
        self._block.append(1 if value else 0)

    def write_byte(self, value: int) -> None:
        """One signed byte."""
        self._block += value.to_bytes(1, "big", signed=True)

    def write_int(self, value: int) -> None:
        """4 bytes, signed."""
        self._block += I32.pack(value)

    def write_long(self, value: int) -> None:
        """8 bytes, signed."""
        self._block += I64.pack(value)

    def write_utf(self, text: str) -> None:
        """2 bytes length and modified UTF-8.

        Raises:
            ValueError: the text has more than 65535 bytes.
        """
        data = encode_modified_utf8(text)
        if len(data) > 0xFFFF:
            raise ValueError(f"text of {len(data)} bytes, at most 65535 can be written")
        self._block += U16.pack(len(data))
        self._block += data

    def flush(self) -> None:
        """Write the block data collected so far."""
        block = self._block
        if not block:
            return
        for start in range(0, len(block), MAX_BLOCK):
            write_block(self._out, block[start : start + MAX_BLOCK])
        block.clear()

    def write_encoded(self, value: EncodedValue) -> None:
        """Put an encoded value into the stream."""
        if self._block:
            self.flush()
        self._out += value.at_handle(self._nodes.handles)
        self._nodes.handles += value.handles

    def write_raw(self, data: bytes, handles: int) -> None:
        """Put elements, as they stand on the wire, into the stream; they take that many handles.

        Only for writers that know the exact bytes.
        """
        if self._block:
            self.flush()
        self._out += data
        self._nodes.handles += handles

    def handle_of(self, node: Node) -> int:
        """The handle of a node that this stream has; KeyError when it does not have it."""
        return self._nodes.handle_of(node)

    def write_node(self, node: Node) -> None:
        """Write a node, or a reference when this stream already has it."""
        if self._block:
            self.flush()
        self._nodes.write_node(node)

    def write_string(self, text: str | None) -> None:
        """Write a String object or null; never a reference."""
        if text is None or len(text) > 0x5555:  # three bytes a character at most, so the length fits into a short
            self.write_node(string(text))
            return
        data = encode_modified_utf8(text)
        if self._block:
            self.flush()
        self._out += b"\x74" + U16.pack(len(data)) + data
        self._nodes.handles += 1

    def begin_object(self, desc: ClassDesc) -> None:
        """Begin an externalizable object: everything written until :meth:`end_object` belongs to it."""
        self.flush()
        self._out.append(TC_OBJECT)
        self._nodes.write_node(desc, 1)
        self._nodes.assign_handle(object())

    def end_object(self) -> None:
        """End the object that was begun last."""
        self.flush()
        self._out.append(TC_ENDBLOCKDATA)

    def getvalue(self) -> bytes:
        """The stream so far."""
        self.flush()
        return bytes(self._out)

    def to_encoded(self) -> EncodedValue:
        """The written bytes as one value; only for a stream without a header and with one object in it."""
        self.flush()
        return EncodedValue(bytes(self._out), self._nodes.handles, tuple(self._nodes.fixups))
