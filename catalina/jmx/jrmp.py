"""RMI's transport protocol as bytes: calls in, returns out (RMI specification, chapter 10). No socket, no thread."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from catalina.jmx.java_arguments import LIMITS
from catalina.jmx.java_classes import java_class
from catalina.tribes.io.java import ObjectInputStream, ObjectOutputStream
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.nodes import BlockData, ClassData, JavaObject, Node

__all__ = [
    "CALL", "DGC_ACK", "MAGIC", "PING", "PING_ACK", "STREAM_PROTOCOL", "VOID", "Answer", "ArgumentsOf", "Call",
    "Method", "ObjectId",
    "acknowledgement", "error_return", "method_hash", "read_call", "stub", "value_return",
]  # fmt: skip

MAGIC = b"JRMI"
STREAM_PROTOCOL = 0x4B
ACKNOWLEDGED = 0x4E
CALL = 0x50
RETURN = 0x51
PING = 0x52
PING_ACK = 0x53
DGC_ACK = 0x54

_OBJECT_ID = struct.Struct(">qiqh")
_NORMAL, _THROWN = 1, 2


class _Void:
    """The result of a method that returns nothing, which differs from null."""


VOID = _Void()
#: The result of a method: an object, a boolean, or nothing.
Answer: TypeAlias = "Node | bool | _Void"


@dataclass(frozen=True, slots=True)
class ObjectId:
    """The target of a call: a number, and the number space of the process that exported it."""

    number: int
    unique: int = 0
    time: int = 0
    count: int = 0

    def encode(self) -> bytes:
        """22 bytes."""
        return _OBJECT_ID.pack(self.number, self.unique, self.time, self.count)


@dataclass(frozen=True, slots=True)
class Method:
    """A remote method.

    Args:
        name: Java's.
        descriptor: ``(Ljava/lang/Object;)V``.
        arguments: a letter for each: ``o`` an object, ``j`` a long, ``i`` an int, ``z`` a boolean.
    """

    name: str
    descriptor: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was read.

    Args:
        operation: the number of the method for objects of RMI's first version, -1 for others.
        hash: identifies the method for the others.
        arguments: inert nodes, or numbers.
        end: offset behind it.
    """

    target: ObjectId
    operation: int
    hash: int
    arguments: tuple[Node | int | bool, ...]
    end: int


def method_hash(method: Method) -> int:
    """The 64 bits by which a call names a method (RMI specification 8.3)."""
    text = (method.name + method.descriptor).encode()
    digest = hashlib.sha1(struct.pack(">H", len(text)) + text, usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def acknowledgement(host: str, port: int) -> bytes:
    """The answer to a client's first bytes: the client's address as this end sees it."""
    data = host.encode("ascii", "replace")
    return bytes([ACKNOWLEDGED]) + struct.pack(">H", len(data)) + data + struct.pack(">i", port)


#: Target, operation and hash -> the arguments of the call; an unknown call has none.
ArgumentsOf = Callable[[ObjectId, int, int], str]


def read_call(data: bytes, arguments_of: ArgumentsOf) -> Call:
    """Read the call that ``data`` begins with, without its first byte.

    Raises:
        LimitError: it asks for too much.
        ProtocolError: it breaks the rules, or is not complete yet.
    """
    stream = ObjectInputStream(data, LIMITS)
    target = ObjectId(*_OBJECT_ID.unpack(stream.read_bytes(_OBJECT_ID.size)))
    operation, hash_ = stream.read_int(), stream.read_long()
    found: list[Node | int | bool] = []
    for letter in arguments_of(target, operation, hash_):
        if letter == "o":
            found.append(stream.read_node())
        elif letter == "j":
            found.append(stream.read_long())
        elif letter == "i":
            found.append(stream.read_int())
        else:
            found.append(stream.read_boolean())
    return Call(target, operation, hash_, tuple(found), stream.position)


def value_return(space: ObjectId, value: Answer) -> bytes:
    """The answer with a result."""
    return _return(_NORMAL, space, value)


def error_return(space: ObjectId, error: Node) -> bytes:
    """The answer with an exception."""
    return _return(_THROWN, space, error)


def _return(kind: int, space: ObjectId, value: Answer) -> bytes:
    out = ObjectOutputStream()
    out.write_bytes(bytes([kind]) + space.encode()[8:])
    if isinstance(value, bool):
        out.write_boolean(value)
    elif not isinstance(value, _Void):
        out.write_node(value)
    return bytes([RETURN]) + out.getvalue()


def stub(class_name: str, host: str, port: int, target: ObjectId, *, tls: bool) -> Node:
    """A remote object for a client: the place to call; with ``tls`` over the JDK's TLS sockets."""
    name = encode_modified_utf8(host)
    where = struct.pack(">H", len(name)) + name + struct.pack(">i", port)
    if tls:
        factory_class = java_class("javax.rmi.ssl.SslRMIClientSocketFactory")
        factory = JavaObject(factory_class, [ClassData(factory_class, {})])
        annotation: list[Node | BlockData] = [
            BlockData(_utf("UnicastRef2") + b"\1" + where),
            factory,
            BlockData(target.encode() + b"\0"),
        ]
    else:
        annotation = [BlockData(_utf("UnicastRef") + where + target.encode() + b"\0")]
    top, middle = java_class("java.rmi.server.RemoteObject"), java_class("java.rmi.server.RemoteStub")
    own = java_class(class_name)
    return JavaObject(own, [ClassData(top, {}, annotation), ClassData(middle, {}), ClassData(own, {})])


def _utf(text: str) -> bytes:
    data = encode_modified_utf8(text)
    return struct.pack(">H", len(data)) + data
