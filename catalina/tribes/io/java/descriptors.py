"""Class descriptors that this node writes, and nodes of the JDK's simple values.

Each descriptor is one object for the whole process, so that the writer recognises it and writes a reference when the
stream already has it, as Java does.
"""

from __future__ import annotations

from functools import cache

from catalina.tribes.io.java.grammar import (
    PRIMITIVE_SIZES,
    SC_BLOCK_DATA,
    SC_ENUM,
    SC_EXTERNALIZABLE,
    SC_SERIALIZABLE,
    SC_WRITE_METHOD,
)
from catalina.tribes.io.java.nodes import (
    ClassData,
    ClassDesc,
    Field,
    JavaArray,
    JavaEnum,
    JavaObject,
    JavaString,
    Node,
)

SERIALIZABLE = SC_SERIALIZABLE
WRITE_METHOD = SC_SERIALIZABLE | SC_WRITE_METHOD
EXTERNALIZABLE = SC_EXTERNALIZABLE | SC_BLOCK_DATA


@cache
def signature(text: str) -> JavaString:
    """The node of a field's signature, the same one each time: Java interns these strings, so later uses are
    references.
    """
    return JavaString(text)


def describe(
    name: str, suid: int, flags: int = SERIALIZABLE, fields: str = "", super_desc: ClassDesc | None = None
) -> ClassDesc:
    """A class descriptor.

    Args:
        fields: ``"I size, Ljava/lang/String; name"``, in Java's order: primitives first, then by name.
    """
    declared = []
    for text in filter(None, fields.split(", ")):
        kind, field_name = text.split(" ")
        is_primitive = kind in PRIMITIVE_SIZES
        declared.append(Field(kind[0], field_name, None if is_primitive else signature(kind)))
    return ClassDesc(name, suid, flags, tuple(declared), super_desc)


NUMBER = describe("java.lang.Number", -8742448824652078965)
INTEGER = describe("java.lang.Integer", 1360826667806852920, fields="I value", super_desc=NUMBER)
LONG = describe("java.lang.Long", 4290774380558885855, fields="J value", super_desc=NUMBER)
DOUBLE = describe("java.lang.Double", -9172774392245257468, fields="D value", super_desc=NUMBER)
BOOLEAN = describe("java.lang.Boolean", -3665804199014368530, fields="Z value")
ENUM = describe("java.lang.Enum", 0, SC_SERIALIZABLE | SC_ENUM)

BYTE_ARRAY = describe("[B", -5984413125824719648)
OBJECT_ARRAY = describe("[Ljava.lang.Object;", -8012369246846506644)
STRING_ARRAY = describe("[Ljava.lang.String;", -5921575005990323385)

ARRAY_LIST = describe("java.util.ArrayList", 8683452581122892189, WRITE_METHOD, "I size")
HASH_MAP = describe("java.util.HashMap", 362498820763181265, WRITE_METHOD, "F loadFactor, I threshold")
LINKED_HASH_MAP = describe("java.util.LinkedHashMap", 3801124242820219131, fields="Z accessOrder", super_desc=HASH_MAP)
CONCURRENT_HASH_MAP = describe("java.util.concurrent.ConcurrentHashMap", 7249069246763182397, WRITE_METHOD)
HASH_SET = describe("java.util.HashSet", -5024744406713321676, WRITE_METHOD)
UNMODIFIABLE_MAP = describe("java.util.Collections$UnmodifiableMap", -1034234728574286014, fields="Ljava/util/Map; m")
BIG_INTEGER = describe(
    "java.math.BigInteger",
    -8287574255936472291,
    WRITE_METHOD,
    "I bitCount, I bitLength, I firstNonzeroByteNum, I lowestSetBit, I signum, [B magnitude",
    NUMBER,
)
BIG_DECIMAL = describe(
    "java.math.BigDecimal", 6108874887143696463, WRITE_METHOD, "I scale, Ljava/math/BigInteger; intVal", NUMBER
)
UUID = describe("java.util.UUID", -4856846361193249489, fields="J leastSigBits, J mostSigBits")
DATE = describe("java.util.Date", 7523967970034938905, WRITE_METHOD)
TIME_SER = describe("java.time.Ser", -7683839454370182990, EXTERNALIZABLE)


def new_object(desc: ClassDesc, **fields: int | float | bool | str | Node) -> JavaObject:
    """An object of a class whose superclasses have no fields."""
    node = JavaObject(desc)
    part: ClassDesc | None = desc
    while part is not None:
        own = {field.name: fields[field.name] for field in part.fields} if part is desc else {}
        node.data.insert(0, ClassData(part, own))
        part = part.super_desc if isinstance(part.super_desc, ClassDesc) else None
    return node


def integer(value: int) -> JavaObject:
    """A java.lang.Integer."""
    return new_object(INTEGER, value=value)


def byte_array(data: bytes | None) -> JavaArray | None:
    """A byte[] or null."""
    return None if data is None else JavaArray(BYTE_ARRAY, data)


def string(text: str | None) -> JavaString | None:
    """A String or null."""
    return None if text is None else JavaString(text)


def string_array(texts: list[str] | tuple[str, ...]) -> JavaArray:
    """A String[]."""
    return JavaArray(STRING_ARRAY, [JavaString(text) for text in texts])


def enum_constant(desc: ClassDesc, constant: str) -> JavaEnum:
    """A constant of an enum whose descriptor has :data:`ENUM` as super descriptor."""
    return JavaEnum(desc, JavaString(constant))
