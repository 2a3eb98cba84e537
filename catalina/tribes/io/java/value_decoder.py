"""Converts Java objects to Python values, inertly: nothing is imported, and no constructor or method of a decoded class
runs.

An object that has no Python counterpart, may not be decoded, or does not fit (a map with both keys 1 and 1L, the year
12000) stays an :class:`OpaqueValue`, which goes back on the wire as it came.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import Any, TypeVar

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java import descriptors, jdk_values, python_values
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.encoded_value import EncodedValue, OpaqueValue
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, PRIMITIVE_SIZES, STREAM_HEADER, Limits
from catalina.tribes.io.java.key_check import KeyCheck, KeyRefusedError, KeyWork, NodeConverter
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, JavaString, Node
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.python_classes import ClassFilter, only_builtin
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.java.undecodable import UndecodableError

__all__ = ["decode_value", "loads"]

log = logging.getLogger("org.apache.catalina.tribes.io.XByteBuffer")

#: Classes that were already reported as opaque, so that each is logged once. Bounded, because names come from outside.
_reported: set[str] = set()
_MAX_REPORTED = 1000
#: Characters of a class's name that the log shows.
MAX_NAME = 256

#: Boxes in their most common form, by their whole length: the head, and the format of the value behind it.
_SCALARS = {
    len(head) + number.size: (head, number)
    for head, number in (
        (b"\x73" + encode_node(desc).data, struct.Struct(code))
        for desc, code in (
            (descriptors.INTEGER, ">i"),
            (descriptors.LONG, ">q"),
            (descriptors.DOUBLE, ">d"),
            (descriptors.BOOLEAN, ">?"),
        )
    )
}


def decode_value(
    encoded: EncodedValue,
    allow: ClassFilter = only_builtin,
    limits: Limits = DEFAULT_LIMITS,
    missing: list[str] | None = None,
) -> Any:
    """The Python value of an encoded one.

    Encoding the result again need not give the same bytes if a Java node wrote them (a HashMap becomes a
    LinkedHashMap). A caller that looks for changes therefore compares with the encoding of the fresh result.

    Args:
        allow: asked with ``package.module.Class`` for each class beyond the builtin ones.
        missing: gets the modules of allowed classes that are not loaded; the parts that are opaque for lack of them can
            be decoded once they are loaded.

    Returns:
        A value or an OpaqueValue; a part of the value may also be an OpaqueValue.

    Raises:
        ProtocolError: the bytes break the grammar.
    """
    data = encoded.data
    if data[:1] == b"\x74" and len(data) == 3 + int.from_bytes(data[1:3], "big"):
        return decode_modified_utf8(data[3:], 3)
    scalar = _SCALARS.get(len(data))
    if scalar is not None and data.startswith(scalar[0]):
        return scalar[1].unpack_from(data, len(scalar[0]))[0]
    try:
        reader = NodeReader(data, 0, None, limits)
        node = reader.read_node()
        if reader.position != len(data):
            raise ProtocolError("expected one object, got more", reader.position)
        converter = Converter(allow, limits, len(data), [] if missing is None else missing)
        try:
            return converter.convert(node)
        except (UndecodableError, LimitError) as why:
            return opaque(encoded, encoded.class_name, str(why))
    except FAULTS as fault:
        raise broken(f"a value of class {encoded.class_name:.100}", fault) from fault


def loads(data: bytes) -> Any:
    """The value of a whole stream with one object in it, such as a channel's message. An object of an unknown class
    gives its node.

    Raises:
        ProtocolError: the bytes are no such stream.
    """
    node = ObjectInputStream(data).read_node()
    try:
        value = Converter(only_builtin, DEFAULT_LIMITS, len(data), []).convert(node)
    except FAULTS as fault:
        raise broken("a stream's object", fault) from fault
    return node if isinstance(value, OpaqueValue) else value


def opaque(encoded: EncodedValue, class_name: str, why: str) -> OpaqueValue:
    """Keep a value as bytes, and log that once for each class."""
    class_name = class_name[:MAX_NAME]
    if class_name not in _reported and len(_reported) < _MAX_REPORTED:
        _reported.add(class_name)
        log.info("Values of the class [%s] are kept and passed on undecoded: %s", class_name, why)
    return OpaqueValue(encoded, class_name, why)


T = TypeVar("T")


class Converter:
    """Converts the nodes of one tree; each node becomes one Python object, however often it occurs.

    Args:
        allow: decides which Python classes may be made.
        size: bytes of the tree, which bound the work.
        missing: gets the modules of allowed classes that are not loaded.
        around: the converter of the surrounding tree. This tree is then the inside of a marked array, in which no part
            may stay opaque by itself.
    """

    def __init__(
        self, allow: ClassFilter, limits: Limits, size: int, missing: list[str], around: Converter | None = None
    ) -> None:
        self.allow = allow
        self.limits = limits
        self.missing = missing
        self._in_python = around is not None
        self._key_work: KeyWork = KeyWork(size) if around is None else around._key_work
        self._max_opaque = limits.expansion_of(size)
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()
        self._opaque_bytes = 0

    def convert(self, node: Node) -> object:
        """The value of a node.

        Raises:
            UndecodableError: inside a marked array only.
            LimitError: the opaque parts exceed the limit.
        """
        if node is None:
            return None
        if isinstance(node, JavaString):
            return node.value
        key = id(node)
        if key in self._done:
            return self._done[key]
        if key in self._open:
            raise UndecodableError("it is inside itself")
        self._open.add(key)
        try:
            value = self._convert_new(node)
        except UndecodableError as why:
            if self._in_python:
                raise
            value = self._keep(node, why)
        finally:
            self._open.discard(key)
        self._done[key] = value
        return value

    def begin(self, node: Node, value: T) -> T:
        """Note the value of a node before its parts are converted, because they may refer to it."""
        self._done[id(node)] = value
        return value

    def _convert_new(self, node: Node) -> object:
        try:
            if isinstance(node, JavaObject):
                method = self._method(node)
                if method is not None:
                    return method(self, node)
            elif isinstance(node, JavaArray):
                return self._array(node)
        except (ProtocolError, KeyRefusedError, ValueError, ArithmeticError) as exc:
            if isinstance(exc, LimitError):
                raise
            raise UndecodableError(str(exc)) from exc
        raise UndecodableError("it has no counterpart in Python")

    def _method(self, node: JavaObject) -> Callable[[NodeConverter, JavaObject], Any] | None:
        if self._in_python and node.class_name == python_values.PYTHON_CLASS_NAME:
            return python_values.convert
        return jdk_values.CONVERTERS.get(node.class_name)

    def _keep(self, node: Node, why: UndecodableError) -> OpaqueValue:
        encoded = encode_node(node)
        self._opaque_bytes += len(encoded.data)
        if self._opaque_bytes > self._max_opaque:
            raise LimitError(f"undecoded parts of more than {self._max_opaque} bytes")
        return opaque(encoded, why.class_name or encoded.class_name, str(why))

    def _array(self, node: JavaArray) -> object:
        values = node.values
        if isinstance(values, list):
            items = self.begin(node, [])
            items.extend([self.convert(item) for item in values])
            return items
        kind = node.desc.name[1:]
        if kind == "B":
            return self._marked(values) if values.startswith(MARK) and not self._in_python else values
        if kind == "C":
            return values.decode("utf-16-be", "surrogatepass")
        return jdk_values.numbers(kind, PRIMITIVE_SIZES[kind], values)

    def _marked(self, data: bytes) -> object:
        if data[len(MARK) : len(MARK) + 4] != STREAM_HEADER:
            raise UndecodableError("its inside is not an object stream")
        reader = NodeReader(data, len(MARK) + 4, None, self.limits)
        inner = Converter(self.allow, self.limits, len(data), self.missing, around=self)
        return inner.convert(reader.read_node())

    def keys(self) -> KeyCheck:
        """The check of a new map's keys, or a new set's elements."""
        return KeyCheck(self._key_work)
