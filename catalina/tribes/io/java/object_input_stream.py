"""A Java object stream as a reader in stream order: primitive values from block data, and objects between them.

It is like java.io.ObjectInputStream, but it instantiates nothing: it returns an object as a node, as an
:class:`EncodedValue`, or, where only a box or a string can stand, as the plain value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NoReturn

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import (
    DEFAULT_LIMITS,
    I32,
    I64,
    SC_BLOCK_DATA,
    SC_EXTERNALIZABLE,
    STREAM_HEADER,
    TC_BLOCKDATA,
    TC_BLOCKDATALONG,
    TC_ENDBLOCKDATA,
    TC_OBJECT,
    TC_RESET,
    U16,
    Limits,
)
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8
from catalina.tribes.io.java.node_reader import UNREAD, NeedsNodesError, NodeReader, WriteAbortedError
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc, JavaObject, JavaString, Node
from catalina.tribes.io.java.skim import skim

__all__ = ["ObjectInputStream"]

_BOXES = {
    f"java.lang.{name}" for name in ("Boolean", "Byte", "Character", "Double", "Float", "Integer", "Long", "Short")
}


class ObjectInputStream:
    """Reads a stream from its start.

    No nodes are made of objects that are passed over or cut out, until something refers to one of them: then the nodes
    of all are made, once.

    Args:
        data: the whole stream, with its header.

    Raises:
        ProtocolError: here and in every method, when the bytes break the grammar or are not the requested element.
        LimitError: a limit is exceeded.
    """

    def __init__(self, data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        if data[:4] != STREAM_HEADER:
            raise ProtocolError(f"expected a Java object stream, got {data[:4]!r}", 0)
        self.data = data
        self._limits = limits
        self._nodes = NodeReader(data, 4, None, limits)
        self._block_end = 0
        #: Offsets of the elements read, negative for entered objects; from them nodes can be made later.
        self._elements: list[int] = []
        self._skims = True
        self._expansion = self._max_expansion = limits.expansion_of(len(data))
        #: The values cut out of nodes, by id of the node, which is kept alive; a second reference then costs nothing.
        self._cut: dict[int, tuple[EncodedValue, Node]] = {}
        self._entered = 0
        #: How the objects of :class:`Boxes` begin whose classes the stream has described; empty where it has not.
        self.heads_of_boxes: dict[object, tuple[bytes, ...]] = {}

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._nodes.position

    @property
    def handles(self) -> int:
        """The number of handles that the stream has given out so far."""
        return len(self._nodes.handles)

    def handles_of_classes(self, names: Collection[str]) -> dict[str, int]:
        """Class name -> handle, of the classes whose descriptors are nodes of this stream. The search looks at all
        handles.
        """
        found: dict[str, int] = {}
        for handle, node in enumerate(self._nodes.handles):
            if isinstance(node, ClassDesc) and node.name in names:
                found.setdefault(node.name, handle)
        return found

    @property
    def at_end(self) -> bool:
        """True at the end of the stream, or of the object that was entered."""
        self._next_block()
        position = self._nodes.position
        return position >= self._block_end and self.data[position : position + 1] in (b"", b"\x78")

    # ---- primitive values, from block data

    def _next_block(self) -> bool:
        """Step into the next block that has bytes, if the present one is used up; returns False when another element
        follows.
        """
        nodes = self._nodes
        while nodes.position >= self._block_end:
            position = nodes.position
            tag = self.data[position] if position < len(self.data) else 0
            if tag == TC_BLOCKDATA and position + 1 < len(self.data):
                start, size = position + 2, self.data[position + 1]
            elif tag == TC_BLOCKDATALONG and position + 5 <= len(self.data):
                start, size = position + 5, I32.unpack_from(self.data, position + 1)[0]
            elif tag == TC_RESET and not self._entered:
                nodes.position += 1
                self._forget_handles()
                continue
            else:
                return False
            if not 0 <= size <= len(self.data) - start:
                raise ProtocolError(f"block of {size} bytes, {len(self.data) - start} are left", position)
            nodes.position, self._block_end = start, start + size
        return True

    def read_bytes(self, size: int) -> bytes:
        """``size`` bytes of block data, however it was cut."""
        nodes = self._nodes
        start = nodes.position
        if start + size <= self._block_end and size >= 0:
            nodes.position = start + size
            return self.data[start : start + size]
        if not 0 <= size <= len(self.data):
            self._refuse(f"at most {len(self.data)} bytes of block data", size)
        pieces = []
        while size:
            if not self._next_block():
                self._refuse(f"{size} more bytes of block data", self.data[nodes.position : nodes.position + 1])
            end = min(nodes.position + size, self._block_end)
            pieces.append(self.data[nodes.position : end])
            size -= end - nodes.position
            nodes.position = end
        return b"".join(pieces)

    def read_boolean(self) -> bool:
        """One byte, true unless 0."""
        return self.read_bytes(1) != b"\0"

    def read_byte(self) -> int:
        """One signed byte."""
        return int.from_bytes(self.read_bytes(1), "big", signed=True)

    def read_int(self) -> int:
        """4 bytes, signed."""
        value: int = I32.unpack(self.read_bytes(4))[0]
        return value

    def read_long(self) -> int:
        """8 bytes, signed."""
        value: int = I64.unpack(self.read_bytes(8))[0]
        return value

    def read_utf(self) -> str:
        """2 bytes length and modified UTF-8."""
        (size,) = U16.unpack(self.read_bytes(2))
        return decode_modified_utf8(self.read_bytes(size), self.position)

    # ---- objects

    def _start_object(self) -> None:
        """Make sure that the next element is not block data."""
        if self._next_block():
            left = self._block_end - self._nodes.position
            raise ProtocolError(f"expected an object, got {left} bytes of block data", self._nodes.position)

    def _forget_handles(self) -> None:
        self._nodes.handles.clear()
        self._elements.clear()
        self._skims = True
        self.heads_of_boxes.clear()

    def _make_nodes(self, upto: int) -> None:
        """Make the nodes of everything read so far, because a reference needs one of them."""
        nodes = self._nodes
        nodes.handles.clear()
        for start in self._elements:
            nodes.position = abs(start)
            if start > 0:
                nodes.read_node()
            else:
                nodes.position += 1
                desc = nodes.read_class_desc(1)
                assert isinstance(desc, ClassDesc)  # noqa: S101  # enter_object saw it
                nodes.handles.append(JavaObject(desc))
        nodes.position = upto
        self._skims = False

    def read_node(self) -> Node:
        """The next object as a node.

        Raises:
            WriteAbortedError: the writer failed inside it; the object after it can be read.
        """
        self._start_object()
        nodes = self._nodes
        start = nodes.position
        taken = len(nodes.handles)
        try:
            try:
                node = nodes.read_node()
            except NeedsNodesError:
                del nodes.handles[taken:]
                self._make_nodes(start)
                node = nodes.read_node()
        except WriteAbortedError:
            self._forget_handles()
            if self._entered:
                raise ProtocolError("aborted write inside an object", start) from None
            raise
        except FAULTS as fault:
            raise broken("an object of the stream", fault) from fault
        self._elements.append(start)
        return node

    def read_encoded(self) -> EncodedValue:
        """Cut out the next object, so that it stands alone; its classes need not be known.

        Raises:
            WriteAbortedError: the writer failed inside it; the object after it can be read.
        """
        self._start_object()
        nodes = self._nodes
        if self._skims:
            start = nodes.position
            cut = skim(self.data, start, len(nodes.handles), self._limits.depth)
            if cut is not None:
                value, nodes.position = cut
                nodes.handles.extend([UNREAD] * value.handles)
                self._elements.append(start)
                return value
        node = self.read_node()
        known = self._cut.get(id(node))
        if known is not None:
            return known[0]
        try:
            value = encode_node(node)
        except FAULTS as fault:
            raise broken("an object of the stream", fault) from fault
        self._expansion -= len(value.data)
        if self._expansion < 0:
            raise LimitError(f"values of more than {self._max_expansion} bytes in one stream", self.position)
        if node is not None:
            self._cut[id(node)] = (value, node)
        return value

    def read_boxed(self) -> bool | int | float | str | None:
        """The next object, which must be null, a String or a box such as Integer."""
        node = self.read_node()
        if node is None:
            return None
        if isinstance(node, JavaString):
            return node.value
        value = node.get("value") if isinstance(node, JavaObject) and node.desc.name in _BOXES else None
        if not isinstance(value, (bool, int, float, str)):
            self._refuse("a String, a number or a Boolean", node)
        return value

    def read_boxed_int(self) -> int:
        """The next object, which must be an Integer or a Long."""
        value = self.read_boxed()
        if type(value) is not int:
            self._refuse("an Integer or a Long", value)
        return value

    def read_boxed_bool(self) -> bool:
        """The next object, which must be a Boolean."""
        value = self.read_boxed()
        if not isinstance(value, bool):
            self._refuse("a Boolean", value)
        return value

    def read_string(self) -> str:
        """The next object, which must be a String."""
        self._start_object()
        value = self.read_boxed()
        if not isinstance(value, str):
            self._refuse("a String", value)
        return value

    # ---- the inside of externalizable objects

    def enter_object(self) -> ClassDesc:
        """Step into the next object, which must be Externalizable. Its content is then read like the stream itself."""
        self._start_object()
        nodes = self._nodes
        start = nodes.position
        if self.data[start : start + 1] != bytes((TC_OBJECT,)):
            self._refuse("an object", self.data[start : start + 1])
        nodes.position += 1
        taken = len(nodes.handles)
        try:
            desc = nodes.read_class_desc(1)
        except NeedsNodesError:
            del nodes.handles[taken:]
            self._make_nodes(start + 1)
            desc = nodes.read_class_desc(1)
        if not isinstance(desc, ClassDesc) or desc.flags & 0x0F != SC_EXTERNALIZABLE | SC_BLOCK_DATA:
            self._refuse("an externalizable object", desc)
        nodes.handles.append(JavaObject(desc))
        self._elements.append(-start)
        self._entered += 1
        return desc

    def read_rest(self) -> bytes:
        """Read the next block data of the entered object, up to an object or its end."""
        nodes = self._nodes
        parts = []
        while self._next_block():
            parts.append(self.data[nodes.position : self._block_end])
            nodes.position = self._block_end
        return b"".join(parts)

    def leave_object(self) -> None:
        """Step behind the end of the entered object, over everything unread in it."""
        nodes = self._nodes
        while True:
            if self._next_block():
                nodes.position = self._block_end
            elif self.data[nodes.position : nodes.position + 1] == bytes((TC_ENDBLOCKDATA,)):
                nodes.position += 1
                self._entered -= 1
                return
            else:
                self.read_encoded()

    def advance(self, position: int, starts: Iterable[int]) -> None:
        """Continue at ``position``: the caller has read the objects that start at these places, each of one handle.

        Only for readers that know the exact bytes of the objects.
        """
        nodes, before = self._nodes, len(self._elements)
        nodes.position = position
        self._elements.extend(starts)
        nodes.handles.extend([UNREAD] * (len(self._elements) - before))

    def _refuse(self, expected: str, got: object) -> NoReturn:
        raise ProtocolError(f"expected {expected}, got {got!r}", self._nodes.position)
