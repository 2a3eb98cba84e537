"""RMI's protocol from the client's side, as bytes: what a JVM sends, and what an attacker may send instead."""

from __future__ import annotations

import socket
import struct
from typing import Any

from catalina.jmx.jrmp import ObjectId
from catalina.tribes.io.java import ObjectInputStream, ObjectOutputStream
from catalina.tribes.io.java.nodes import BlockData, JavaObject, JavaString, Node

__all__ = ["LOOKUP_HASH", "RawClient", "call_bytes", "thrown"]

LOOKUP_HASH = 4905912898345647071


def call_bytes(target: ObjectId, operation: int, hash_: int, *arguments: Node | int) -> bytes:
    """A call; whole numbers are longs."""
    out = ObjectOutputStream()
    out.write_bytes(target.encode())
    out.write_int(operation)
    out.write_long(hash_)
    for argument in arguments:
        if isinstance(argument, int):
            out.write_long(argument)
        else:
            out.write_node(argument)
    return b"\x50" + out.getvalue()


class RawClient:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(b"JRMI\0\2\x4b")
        head = self.socket.recv(1, socket.MSG_WAITALL)
        assert head == b"\x4e"
        (size,) = struct.unpack(">H", self.socket.recv(2, socket.MSG_WAITALL))
        self.socket.recv(size + 4, socket.MSG_WAITALL)
        self.socket.sendall(b"\0\x09127.0.0.1\0\0\0\0")

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def call(self, target: ObjectId, operation: int, hash_: int, *arguments: Node | int) -> tuple[int, Node]:
        """Call; 1 and the result, or 2 and what was thrown."""
        self.send(call_bytes(target, operation, hash_, *arguments))
        return self.answer()

    def answer(self) -> tuple[int, Node]:
        """The next return."""
        data = b""
        while True:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(f"the server has closed the connection after {data!r}")
            data += more
            try:
                stream = ObjectInputStream(data[1:])
                kind = stream.read_byte()
                stream.read_bytes(14)
                return kind, stream.read_node()
            except Exception:  # not complete yet
                continue

    def door(self) -> ObjectId:
        """Look up ``jmxrmi``: the identity of the server's object."""
        kind, found = self.call(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"))
        assert kind == 1
        return target_of(found)


def target_of(stub: Any) -> ObjectId:
    """The identity in a stub."""
    (block,) = [item for item in stub.data[0].annotation if isinstance(item, BlockData)]
    return ObjectId(*struct.unpack(">qiqh", block[-23:-1]))


def thrown(answer: tuple[int, Node]) -> str:
    """Class and message of what was thrown."""
    kind, node = answer
    assert kind == 2
    assert isinstance(node, JavaObject)
    return f"{node.class_name}: {node.get('detailMessage', 'java.lang.Throwable')}"
