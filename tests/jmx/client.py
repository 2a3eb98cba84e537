"""RMI's protocol from the client's side, as bytes: what a JVM sends, and what an attacker may send instead."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

from catalina.jmx.java_arguments import name_of, value_of
from catalina.jmx.java_nodes import attribute_list, name_node, value_node
from catalina.jmx.jrmp import Method, ObjectId, method_hash
from catalina.jmx.rmi_connection import METHODS
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java import ObjectInputStream, ObjectOutputStream
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.nodes import BlockData, ClassData, JavaObject, JavaString, Node

__all__ = ["LOOKUP_HASH", "JmxClient", "RawClient", "call_bytes", "thrown"]

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
        try:
            self.socket.sendall(b"JRMI\0\2\x4b")
            head = self.socket.recv(1, socket.MSG_WAITALL)
            assert head == b"\x4e"
            (size,) = struct.unpack(">H", self.socket.recv(2, socket.MSG_WAITALL))
            self.socket.recv(size + 4, socket.MSG_WAITALL)
            self.socket.sendall(b"\0\x09127.0.0.1\0\0\0\0")
        except BaseException:
            self.socket.close()
            raise

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
                return kind, None if stream.at_end else stream.read_node()
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


class JmxClient:
    """A small client of JSR 160, for tests of real nodes.

    Args:
        port: of the node's registry, on the loopback, without TLS and without a login.
    """

    def __init__(self, port: int) -> None:
        self._raw = RawClient(port)
        new_client = Method("newClient", "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;", "o")
        try:
            kind, stub = self._raw.call(self._raw.door(), -1, method_hash(new_client), None)
            assert kind == 1
            self._target = target_of(stub)
        except BaseException:
            self._raw.socket.close()
            raise

    def __enter__(self) -> JmxClient:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(EOFError, OSError):  # the server may have gone first
            self._call("close")
        self._raw.socket.close()

    def _call(self, method: str, *arguments: Node) -> Node:
        kind, found = self._raw.call(self._target, -1, _HASHES[method], *arguments)
        assert kind == 1, thrown((kind, found))
        return found

    def get(self, bean: str, attribute: str) -> Any:
        """The value of an attribute."""
        return value_of(self._call("getAttribute", _name(bean), JavaString(attribute), None))

    def set(self, bean: str, attribute: str, value: Any) -> None:
        """Set an attribute."""
        given = attribute_list([(attribute, value_node(value))])
        assert isinstance(given, JavaObject)
        (one,) = given.annotation("java.util.ArrayList")[1:]
        assert not isinstance(one, bytes)
        self._call("setAttribute", _name(bean), _marshalled(one), None)

    def invoke(self, bean: str, operation: str, *arguments: str) -> Any:
        """Call an operation of texts."""
        given, kinds = value_node(list(arguments)), value_node(["java.lang.String"] * len(arguments))
        found = self._call("invoke", _name(bean), JavaString(operation), _marshalled(given), kinds, None)
        return value_of(found)

    def names(self, pattern: str) -> list[str]:
        """The names of the beans that match."""
        found = self._call("queryNames", _name(pattern), None, None)
        assert isinstance(found, JavaObject)
        nodes = [item for item in found.annotation() if not isinstance(item, bytes)]
        return sorted(str(name_of(node)) for node in nodes)


_HASHES = {method.name: method_hash(method) for method, _ in METHODS}


def _name(text: str) -> Node:
    return name_node(ObjectName.parse(text))


def _marshalled(node: Node) -> Node:
    out = ObjectOutputStream()
    out.write_node(node)
    kind = describe("java.rmi.MarshalledObject", 8988374069173025854, fields="I hash, [B locBytes, [B objBytes")
    kind.annotation.append(None)
    fields: dict[str, Any] = {"hash": 13, "locBytes": None, "objBytes": value_node(out.getvalue())}
    return JavaObject(kind, [ClassData(kind, fields)])
