"""Reads Java object streams into nodes: the whole grammar, any class, and no class is ever loaded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NoReturn

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.grammar import (
    BASE_HANDLE,
    DEFAULT_LIMITS,
    I32,
    I64,
    PRIMITIVE_CODES,
    PRIMITIVE_SIZES,
    SC_BLOCK_DATA,
    SC_EXTERNALIZABLE,
    SC_SERIALIZABLE,
    SC_WRITE_METHOD,
    TC_ARRAY,
    TC_BLOCKDATA,
    TC_BLOCKDATALONG,
    TC_CLASS,
    TC_CLASSDESC,
    TC_ENDBLOCKDATA,
    TC_ENUM,
    TC_EXCEPTION,
    TC_LONGSTRING,
    TC_NULL,
    TC_OBJECT,
    TC_PROXYCLASSDESC,
    TC_REFERENCE,
    TC_STRING,
    U16,
    U32,
    Limits,
)
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8
from catalina.tribes.io.java.nodes import (
    BlockData,
    ClassData,
    ClassDesc,
    Field,
    JavaArray,
    JavaClass,
    JavaEnum,
    JavaObject,
    JavaString,
    Node,
    ProxyDesc,
)

__all__ = ["UNREAD", "NeedsNodesError", "NodeReader", "WriteAbortedError", "read_object"]

#: Stands in the handle table for an element that was passed over, so that no node was made.
UNREAD: Any = object()


class NeedsNodesError(Exception):
    """A reference leads to an element whose node was not made. The stream catches this and makes all nodes."""


class WriteAbortedError(ProtocolError):
    """The writer of the stream failed inside this object (TC_EXCEPTION); the next object can be read.

    Args:
        reason: the Throwable that it wrote instead, a node.
    """

    def __init__(self, reason: Node, offset: int) -> None:
        name = getattr(reason, "class_name", "null")
        super().__init__(f"the writer gave up an object: {name}", offset)
        self.reason = reason


class _Plan:
    """The way to read the data of one class: its primitive fields in one go, then the others."""

    __slots__ = ("characters", "desc", "empty", "objects", "primitives", "struct")

    def __init__(self, desc: ClassDesc | ProxyDesc) -> None:
        self.desc = desc
        primitive = [field for field in desc.fields if field.signature is None]
        self.primitives = [field.name for field in primitive]
        self.characters = [field.name for field in primitive if field.kind == "C"]
        self.objects = [field.name for field in desc.fields if field.signature is not None]
        self.struct = struct.Struct(">" + "".join([PRIMITIVE_CODES[field.kind] for field in primitive]))
        #: The data of a class that writes nothing: one object serves all instances.
        self.empty = None if desc.fields or desc.flags & SC_WRITE_METHOD else ClassData(desc, {})


class NodeReader:
    """Reads nodes one after another; its position and handle table are the stream's.

    Args:
        data: the stream.
        position: where the next element starts.
        handles: the handle table so far.
    """

    def __init__(
        self,
        data: bytes,
        position: int = 0,
        handles: list[Node] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.data = data
        self.position = position
        self.handles: list[Node] = [] if handles is None else handles
        self.max_depth = limits.depth
        self._max_superclasses = limits.superclasses
        #: The number of superclasses of each descriptor that was read to its end.
        self._superclasses: dict[ClassDesc | ProxyDesc, int] = {}
        self._plan: dict[ClassDesc | ProxyDesc, _Plan] = {}
        self._plans: dict[ClassDesc | ProxyDesc, list[_Plan]] = {}

    def read_node(self, depth: int = 0) -> Node:
        """Read one element that is not block data.

        Raises:
            ProtocolError: the bytes break the grammar.
            LimitError: they exceed a limit.
            WriteAbortedError: the element contained a TC_EXCEPTION; the position is behind it.
        """
        position = self.position
        if depth > self.max_depth:
            raise LimitError(f"objects nested more than {self.max_depth} deep", position)
        if position >= len(self.data):
            raise ProtocolError("expected an object, got the end", position)
        reader = _READERS.get(self.data[position])
        if reader is None:
            raise ProtocolError(f"expected an object, got code {self.data[position]:#04x}", position)
        self.position = position + 1
        return reader(self, depth)

    def _take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        start = self.position
        end = start + size
        if size < 0 or end > len(self.data):
            raise ProtocolError(f"expected {size} bytes, got {len(self.data) - start}", start)
        self.position = end
        return self.data[start:end]

    def _utf(self) -> str:
        (size,) = U16.unpack(self._take(2))
        return decode_modified_utf8(self._take(size), self.position)

    def _refuse(self, expected: str, got: object) -> NoReturn:
        raise ProtocolError(f"expected {expected}, got {got!r}", self.position)

    def _read_null(self, depth: int) -> Node:
        return None

    def _read_reference(self, depth: int) -> Node:
        handle: int
        (handle,) = U32.unpack(self._take(4))
        index = handle - BASE_HANDLE
        if not 0 <= index < len(self.handles):
            raise ProtocolError(f"reference to {handle:#x}, {len(self.handles)} handles exist", self.position - 4)
        node: Node = self.handles[index]
        if node is UNREAD:
            raise NeedsNodesError
        return node

    def _read_string(self, depth: int) -> Node:
        node = JavaString(self._utf())
        self.handles.append(node)
        return node

    def _read_long_string(self, depth: int) -> Node:
        (size,) = I64.unpack(self._take(8))
        node = JavaString(decode_modified_utf8(self._take(size), self.position))
        self.handles.append(node)
        return node

    def _read_exception(self, depth: int) -> Node:
        offset = self.position - 1
        self.handles.clear()
        reason = self.read_node(depth + 1)
        self.handles.clear()
        raise WriteAbortedError(reason, offset)

    def read_class_desc(self, depth: int = 0) -> ClassDesc | ProxyDesc | None:
        """Read an element that must be a class descriptor, a reference to one, or null."""
        node = self.read_node(depth)
        if node is not None and not isinstance(node, (ClassDesc, ProxyDesc)):
            self._refuse("a class descriptor", node)
        return node

    def _read_class_desc(self, depth: int) -> Node:
        desc = ClassDesc(self._utf(), *I64.unpack(self._take(8)))
        self.handles.append(desc)
        flags, count = struct.unpack(">BH", self._take(3))
        if flags & SC_SERIALIZABLE and flags & SC_EXTERNALIZABLE:
            self._refuse("flags of one kind", flags)
        desc.flags = flags
        desc.fields = tuple([self._read_field(depth) for _ in range(count)])
        kinds = [field.signature is None for field in desc.fields]
        if kinds != sorted(kinds, reverse=True):
            self._refuse("primitive fields before the others", desc)
        if len({field.name for field in desc.fields}) != count:
            self._refuse("each field once", desc)
        desc.annotation = self.read_annotation(depth)
        desc.super_desc = above = self.read_class_desc(depth + 1)
        if flags & SC_SERIALIZABLE and isinstance(above, ClassDesc) and above.flags & SC_EXTERNALIZABLE:
            self._refuse("subclasses of an Externalizable class to be Externalizable", desc)
        self._complete(desc)
        return desc

    def _complete(self, desc: ClassDesc | ProxyDesc) -> None:
        """Finish a descriptor that was read to its end. Before that no subclass and no object of it can occur."""
        count = 0
        if desc.super_desc is not None:
            above = self._superclasses.get(desc.super_desc)
            if above is None:
                raise ProtocolError(f"class {desc.name} is its own superclass", self.position)
            count = above + 1
        if count > self._max_superclasses:
            raise LimitError(f"class {desc.name:.100}: more than {self._max_superclasses} superclasses", self.position)
        self._superclasses[desc] = count

    def _read_field(self, depth: int) -> Field:
        kind = chr(self._take(1)[0])
        name = self._utf()
        if kind in PRIMITIVE_SIZES:
            return Field(kind, name)
        if kind not in "[L":
            self._refuse("the type code of a field", kind)
        signature = self.read_node(depth + 1)
        if not isinstance(signature, JavaString):
            self._refuse("the signature of a field", signature)
        return Field(kind, name, signature)

    def _read_proxy_desc(self, depth: int) -> Node:
        (count,) = I32.unpack(self._take(4))
        if not 0 <= count <= (len(self.data) - self.position) // 2:
            self._refuse("a number of interfaces", count)
        desc = ProxyDesc(())
        self.handles.append(desc)
        desc.interfaces = tuple([self._utf() for _ in range(count)])
        desc.annotation = self.read_annotation(depth)
        desc.super_desc = self.read_class_desc(depth + 1)
        self._complete(desc)
        return desc

    def read_annotation(self, depth: int) -> list[Node | BlockData]:
        """Read block data and nodes up to the end mark, and the mark."""
        data = self.data
        contents: list[Node | BlockData] = []
        while True:
            tag = data[self.position] if self.position < len(data) else TC_NULL
            if tag == TC_ENDBLOCKDATA:
                self.position += 1
                return contents
            if tag == TC_BLOCKDATA:
                self._take(1)
                contents.append(BlockData(self._take(self._take(1)[0])))
            elif tag == TC_BLOCKDATALONG:
                self._take(1)
                contents.append(BlockData(self._take(I32.unpack(self._take(4))[0])))
            else:
                contents.append(self.read_node(depth + 1))

    def _read_object(self, depth: int) -> Node:
        desc = self.read_class_desc(depth + 1)
        if desc is None:
            self._refuse("the class of an object", desc)
        if desc not in self._superclasses:
            self._refuse("a class that was described before its objects", desc)
        node = JavaObject(desc)
        self.handles.append(node)
        if desc.flags & SC_EXTERNALIZABLE:
            if not desc.flags & SC_BLOCK_DATA:
                self._refuse("external data in blocks", desc)
            node.data.append(ClassData(desc, {}, self.read_annotation(depth)))
            return node
        plans = self._plans.get(desc)
        if plans is None:
            plans = self._plans[desc] = self._make_plans(desc)
        for plan in plans:
            if plan.empty is not None:
                node.data.append(plan.empty)
            else:
                self._read_class_data(plan, node, depth)
        return node

    def _make_plans(self, desc: ClassDesc | ProxyDesc) -> list[_Plan]:
        """Plans for each class of the hierarchy, topmost superclass first."""
        plans = []
        part: ClassDesc | ProxyDesc | None = desc
        while part is not None:
            plan = self._plan.get(part)
            if plan is None:
                plan = self._plan[part] = _Plan(part)
            plans.append(plan)
            part = part.super_desc
        plans.reverse()
        return plans

    def _read_class_data(self, plan: _Plan, node: JavaObject, depth: int) -> None:
        fields: dict[str, Any] = {}
        data = ClassData(plan.desc, fields)
        node.data.append(data)
        if plan.primitives:
            fields.update(zip(plan.primitives, plan.struct.unpack(self._take(plan.struct.size)), strict=True))
            for name in plan.characters:
                fields[name] = chr(fields[name])
        for name in plan.objects:
            fields[name] = self.read_node(depth + 1)
        if plan.desc.flags & SC_WRITE_METHOD:
            data.annotation = self.read_annotation(depth)

    def _read_array(self, depth: int) -> Node:
        desc = self.read_class_desc(depth + 1)
        if not isinstance(desc, ClassDesc) or desc.name[:1] != "[":
            self._refuse("the class of an array", desc)
        node = JavaArray(desc, b"")
        self.handles.append(node)
        (count,) = I32.unpack(self._take(4))
        size = PRIMITIVE_SIZES.get(desc.name[1:])
        if size is not None:
            node.values = self._take(count * size)
            return node
        if not 0 <= count <= len(self.data) - self.position:
            self._refuse(f"at most {len(self.data) - self.position} elements", count)
        node.values = elements = []
        for _ in range(count):
            elements.append(self.read_node(depth + 1))
        return node

    def _read_class(self, depth: int) -> Node:
        desc = self.read_class_desc(depth + 1)
        if desc is None:
            self._refuse("a class", desc)
        node = JavaClass(desc)
        self.handles.append(node)
        return node

    def _read_enum(self, depth: int) -> Node:
        desc = self.read_class_desc(depth + 1)
        if not isinstance(desc, ClassDesc):
            self._refuse("the class of an enum", desc)
        node = JavaEnum(desc, JavaString(""))
        self.handles.append(node)
        constant = self.read_node(depth + 1)
        if not isinstance(constant, JavaString):
            self._refuse("the name of a constant", constant)
        node.constant = constant
        return node


def read_object(data: bytes, position: int = 0, limits: Limits = DEFAULT_LIMITS) -> Node:
    """Read one object as a node; the bytes behind it are ignored.

    Raises:
        ProtocolError: the bytes break the grammar or exceed a limit.
    """
    try:
        return NodeReader(data, position, None, limits).read_node()
    except FAULTS as fault:
        raise broken("an object", fault) from fault


_READERS: dict[int, Callable[[NodeReader, int], Node]] = {
    TC_NULL: NodeReader._read_null,
    TC_REFERENCE: NodeReader._read_reference,
    TC_CLASSDESC: NodeReader._read_class_desc,
    TC_OBJECT: NodeReader._read_object,
    TC_STRING: NodeReader._read_string,
    TC_ARRAY: NodeReader._read_array,
    TC_CLASS: NodeReader._read_class,
    TC_EXCEPTION: NodeReader._read_exception,
    TC_LONGSTRING: NodeReader._read_long_string,
    TC_PROXYCLASSDESC: NodeReader._read_proxy_desc,
    TC_ENUM: NodeReader._read_enum,
}
