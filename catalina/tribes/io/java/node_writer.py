"""Writes nodes as Java object streams, byte for byte as Java would; a node that occurs again becomes a reference."""

from __future__ import annotations

import struct

from catalina.errors import LimitError
from catalina.tribes.io.java.encoded_value import EncodedValue, reference
from catalina.tribes.io.java.grammar import (
    I32,
    I64,
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
    TC_PROXYCLASSDESC,
    TC_REFERENCE,
    TC_STRING,
    U16,
)
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.nodes import (
    BlockData,
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

__all__ = ["NodeWriter", "encode_node", "write_block"]

_PRIMITIVE_STRUCTS = {
    "B": struct.Struct(">b"),
    "D": struct.Struct(">d"),
    "F": struct.Struct(">f"),
    "I": I32,
    "J": I64,
    "S": struct.Struct(">h"),
    "Z": struct.Struct(">?"),
}

#: Trees deeper than the reader accepts are not written. The margin is for a node that gained a wrapper or two.
MAX_DEPTH = 110


def write_block(out: bytearray, data: bytes | bytearray) -> None:
    """Write one piece of block data with its head, and nothing for no bytes: Java refuses an empty block before an
    object.
    """
    if not data:
        return
    if len(data) < 256:
        out += bytes((TC_BLOCKDATA, len(data)))
    else:
        out.append(TC_BLOCKDATALONG)
        out += I32.pack(len(data))
    out += data


class NodeWriter:
    """Writes nodes one after another into ``out``.

    Args:
        out: receives the bytes; offsets of references are offsets in it.
        handles: the number of handles that the stream has already.
    """

    def __init__(self, out: bytearray | None = None, handles: int = 0) -> None:
        self.out = bytearray() if out is None else out
        self.handles = handles
        #: Offsets of the references written, for an EncodedValue.
        self.fixups: list[int] = []
        self._known: dict[int, int] = {}
        # Nodes are known by id, so they are kept alive here: another node could get the id of a dead one.
        self._kept: list[object] = []

    def assign_handle(self, node: object) -> None:
        """Give ``node`` the next handle."""
        self._known[id(node)] = self.handles
        self._kept.append(node)
        self.handles += 1

    def knows(self, node: Node) -> bool:
        """True when the node was written before."""
        return id(node) in self._known

    def know(self, node: Node, handle: int) -> None:
        """Note that a node was written by other means and has this handle."""
        self._known[id(node)] = handle
        self._kept.append(node)

    def handle_of(self, node: Node) -> int:
        """The handle of a node that was written before; KeyError when it was not."""
        return self._known[id(node)]

    def write_node(self, node: Node, depth: int = 0) -> None:
        """Write an element, or a reference when the stream already has it.

        Raises:
            LimitError: the tree is nested too deeply.
        """
        if node is None:
            self.out.append(TC_NULL)
            return
        known = self._known.get(id(node))
        if known is not None:
            self.out.append(TC_REFERENCE)
            self.fixups.append(len(self.out))
            self.out += reference(known)
            return
        if depth > MAX_DEPTH:
            raise LimitError(f"objects nested more than {MAX_DEPTH} deep")
        match node:
            case JavaString():
                self._write_string(node)
            case JavaObject():
                self._write_object(node, depth)
            case JavaArray():
                self._write_array(node, depth)
            case ClassDesc():
                self._write_class_desc(node, depth)
            case JavaEnum():
                self._head(TC_ENUM, node.desc, node, depth)
                self.write_node(node.constant, depth + 1)
            case JavaClass():
                self._head(TC_CLASS, node.desc, node, depth)
            case ProxyDesc():
                self._write_proxy_desc(node, depth)

    def _utf(self, text: str) -> None:
        data = encode_modified_utf8(text)
        self.out += U16.pack(len(data))
        self.out += data

    def _head(self, code: int, desc: ClassDesc | ProxyDesc, node: object, depth: int) -> None:
        self.out.append(code)
        self.write_node(desc, depth + 1)
        self.assign_handle(node)

    def _write_string(self, node: JavaString) -> None:
        data = encode_modified_utf8(node.value)
        if len(data) < 65536:
            self.out.append(TC_STRING)
            self.out += U16.pack(len(data))
        else:
            self.out.append(TC_LONGSTRING)
            self.out += I64.pack(len(data))
        self.out += data
        self.assign_handle(node)

    def _write_class_desc(self, desc: ClassDesc, depth: int) -> None:
        self.out.append(TC_CLASSDESC)
        self._utf(desc.name)
        self.out += I64.pack(desc.suid)
        self.assign_handle(desc)
        self.out.append(desc.flags)
        self.out += U16.pack(len(desc.fields))
        for field in desc.fields:
            self._write_field(field, depth)
        self.write_annotation(desc.annotation, depth)
        self.write_node(desc.super_desc, depth + 1)

    def _write_field(self, field: Field, depth: int) -> None:
        self.out += field.kind.encode("ascii")
        self._utf(field.name)
        if field.signature is not None:
            self.write_node(field.signature, depth + 1)

    def _write_proxy_desc(self, desc: ProxyDesc, depth: int) -> None:
        self.out.append(TC_PROXYCLASSDESC)
        self.assign_handle(desc)
        self.out += I32.pack(len(desc.interfaces))
        for name in desc.interfaces:
            self._utf(name)
        self.write_annotation(desc.annotation, depth)
        self.write_node(desc.super_desc, depth + 1)

    def write_annotation(self, contents: list[Node | BlockData], depth: int = 0) -> None:
        """Write block data and nodes, then the end mark."""
        for item in contents:
            if isinstance(item, BlockData):
                write_block(self.out, item)
            else:
                self.write_node(item, depth + 1)
        self.out.append(TC_ENDBLOCKDATA)

    def _write_object(self, node: JavaObject, depth: int) -> None:
        self._head(TC_OBJECT, node.desc, node, depth)
        for part in node.data:
            # An Externalizable class writes everything itself, whatever fields its descriptor names.
            for field in () if part.desc.flags & SC_EXTERNALIZABLE else part.desc.fields:
                value = part.fields[field.name]
                if field.kind == "C":
                    self.out += U16.pack(ord(str(value)))
                elif field.signature is None:
                    self.out += _PRIMITIVE_STRUCTS[field.kind].pack(value)
                else:
                    self.write_node(value, depth + 1)  # type: ignore[arg-type]  # not primitive: it has a signature
            if part.desc.flags & (SC_WRITE_METHOD | SC_EXTERNALIZABLE):
                self.write_annotation(part.annotation or [], depth)

    def _write_array(self, node: JavaArray, depth: int) -> None:
        self._head(TC_ARRAY, node.desc, node, depth)
        if isinstance(node.values, bytes):
            size = {"C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2}.get(node.desc.name[1:], 1)
            self.out += I32.pack(len(node.values) // size)
            self.out += node.values
            return
        self.out += I32.pack(len(node.values))
        for element in node.values:
            self.write_node(element, depth + 1)


def encode_node(node: Node) -> EncodedValue:
    """Encode a node as a value that stands alone."""
    writer = NodeWriter()
    writer.write_node(node)
    return EncodedValue(bytes(writer.out), writer.handles, tuple(writer.fixups))
