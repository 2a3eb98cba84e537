"""Converts Python values to Java objects, which are encoded once and kept as bytes.

A value with a Java counterpart becomes that, so that a Java node of the group can read it: str String, bool Boolean,
int Integer, Long or BigInteger by size, float Double, bytes byte[], list ArrayList, dict LinkedHashMap, set HashSet,
Decimal BigDecimal, UUID UUID, datetime Instant (UTC), OffsetDateTime, ZonedDateTime (zoneinfo) or LocalDateTime
(naive), date, time and timedelta the classes of java.time. Every other value that can be taken apart without running
its code travels as ``python_form`` describes.

An object that occurs twice, or inside itself, is written once, and then as references. If a part in Java's form and a
part in Python's form share an object, the whole value takes Python's form; otherwise two copies of the object would
come out.
"""

from __future__ import annotations

import struct
from functools import partial

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import descriptors
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue
from catalina.tribes.io.java.grammar import I32, TC_OBJECT
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.python_encoder import PythonEncoder
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.java.value_writer import RefusedError, SharedError, WouldRunError, encode_str

__all__ = ["BOOLEAN_HEAD", "DOUBLE_HEAD", "INTEGER_HEAD", "encode_inertly", "encode_value"]

_F64 = struct.Struct(">d")
INTEGER_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.INTEGER).data
DOUBLE_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.DOUBLE).data
BOOLEAN_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.BOOLEAN).data
_BYTES_HEAD = b"\x75" + encode_node(descriptors.BYTE_ARRAY).data
#: Does the same as calling the class, without the frame of its ``__new__``: counters are encoded with every request.
_new_encoded = partial(tuple.__new__, EncodedValue)
_TRUE = EncodedValue(BOOLEAN_HEAD + b"\x01", 2)
_FALSE = EncodedValue(BOOLEAN_HEAD + b"\x00", 2)


def encode_value(value: object, path: str = "value") -> EncodedValue:
    """Encode a value of an application.

    Args:
        path: the name of the value in an error, such as the attribute's name.

    Raises:
        NotReplicableError: the value or a part of it cannot travel; the error names the part.
    """
    kind = type(value)
    if kind is str:
        return encode_str(value)  # type: ignore[arg-type]  # kind is its type
    if kind is int and -0x80000000 <= value <= 0x7FFFFFFF:  # type: ignore[operator]
        return _new_encoded((INTEGER_HEAD + I32.pack(value), 3, ()))
    if value is None:
        return NULL
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is float:
        return EncodedValue(DOUBLE_HEAD + _F64.pack(value), 3)
    if kind is bytes and not value.startswith(MARK):  # type: ignore[attr-defined]
        return EncodedValue(_BYTES_HEAD + I32.pack(len(value)) + value, 2)  # type: ignore[operator, arg-type]
    if kind is EncodedValue:
        return value  # type: ignore[return-value]
    return _encode_any(value, path)


def encode_inertly(value: object) -> EncodedValue | None:
    """Encode a value that was just decoded; returns None if that would run code of its classes.

    Raises:
        NotReplicableError: the value or a part of it cannot travel.
    """
    try:
        return _encode_any(value, "value", inert=True)
    except WouldRunError:
        return None


def _encode_any(value: object, path: str, inert: bool = False) -> EncodedValue:
    try:
        try:
            encoder = PythonEncoder({}, inert=inert)
            encoder.encode(value)
        except SharedError:
            encoder = PythonEncoder({}, inert=inert)
            encoder.encode_in_python(value)
        return encoder.to_encoded()
    except RefusedError as refused:
        where = path + "".join(reversed(refused.steps))
        raise NotReplicableError(where, refused.value, refused.why) from None
