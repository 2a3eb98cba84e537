"""Bytes that a stranger may send to the JMX port."""

from __future__ import annotations

import contextlib

from catalina.errors import ProtocolError
from catalina.jmx.java_arguments import (
    attribute_of,
    attributes_of,
    filter_of,
    name_of,
    texts_of,
    unmarshalled,
    value_of,
)
from catalina.jmx.java_nodes import attribute_list, name_node, value_node
from catalina.jmx.jrmp import ObjectId, read_call
from catalina.jmx.query_expressions import Query
from catalina.mbeans.object_name import MalformedObjectName, ObjectName
from catalina.tribes.io.java.nodes import JavaString, Node
from tests.fuzz.target import Target
from tests.jmx.client import LOOKUP_HASH, call_bytes

__all__ = ["TARGETS"]

_READERS = (name_of, texts_of, value_of, attribute_of, attributes_of, filter_of, unmarshalled, Query)


def _call(data: bytes) -> None:
    call = read_call(data, lambda target, operation, hash_: "ojo" if operation == 1 else "oo")
    for argument in call.arguments:
        if not isinstance(argument, bool | int):
            _read(argument)


def _read(node: Node) -> None:
    for read in _READERS:
        with contextlib.suppress(ProtocolError):
            read(node)


def _calls() -> list[bytes]:
    name = name_node(ObjectName("d", {"type": "Pool"}))
    pairs = attribute_list([("size", value_node(5)), ("names", value_node(["a", "b"]))])
    lookup = call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"), None)
    dirty = call_bytes(ObjectId(2), 1, 7, value_node([1], "[J"), 5, None)
    return [data[1:] for data in (lookup, dirty, call_bytes(ObjectId(5), -1, 9, name, pairs))]


TARGETS = (Target("jmx_call", _call, ("catalina.jmx.jrmp:read_call",), _calls, (ProtocolError, MalformedObjectName)),)
