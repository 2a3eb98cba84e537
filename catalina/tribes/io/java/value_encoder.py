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

from functools import partial

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import descriptors
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue
from catalina.tribes.io.java.grammar import I32
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.python_encoder import PythonEncoder
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.java.value_writer import BOXES, RefusedError, SharedError, WouldRunError, encode_str

__all__ = ["encode_inertly", "encode_value"]

_INTEGER_HEAD, _INTEGER_HANDLES, _INTEGER = BOXES[descriptors.INTEGER]
_DOUBLE_HEAD, _DOUBLE_HANDLES, _DOUBLE = BOXES[descriptors.DOUBLE]
_pack_integer, _pack_double = _INTEGER.pack, _DOUBLE.pack
_BYTES_HEAD = b"\x75" + encode_node(descriptors.BYTE_ARRAY).data
#: Does the same as calling the class, without the frame of its ``__new__``: counters are encoded with every request.
_new_encoded = partial(tuple.__new__, EncodedValue)
_FALSE, _TRUE = (
    EncodedValue(head + form.pack(value), handles)
    for head, handles, form in (BOXES[descriptors.BOOLEAN],)
    for value in (False, True)
)


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
        return _new_encoded((_INTEGER_HEAD + _pack_integer(value), _INTEGER_HANDLES, ()))
    if value is None:
        return NULL
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is float:
        return EncodedValue(_DOUBLE_HEAD + _pack_double(value), _DOUBLE_HANDLES)
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
