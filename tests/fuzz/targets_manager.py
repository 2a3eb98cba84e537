"""What a stranger may send to the manager's applications, and a member to who examines the group."""

from __future__ import annotations

import json

from catalina.ha.tcp import node_facts
from catalina.manager.jolokia.request import BadRequest, Parameters, from_json, from_path
from catalina.mbeans.object_name import MalformedObjectName
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_encoder import encode_value
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_NONE = Parameters()


def _path(data: bytes) -> None:
    from_path(data.decode("latin-1"), _NONE)


def _post(data: bytes) -> None:
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        return
    for each in given if isinstance(given, list) else [given]:
        from_json(each, _NONE)


def _paths() -> list[bytes]:
    return [b"read/java.lang:type=Memory/HeapMemoryUsage/used", b"exec/a:b=c/find(int)/1/!!x/[null]", b"search/*:*",
            b"write/a:b=c/size/5/x!/y", b"list/java.lang/type=*", b"version"]  # fmt: skip


def _posts() -> list[bytes]:
    return [
        b'[{"type":"read","mbean":"a:b=c","attribute":["x","y"],"path":"z","config":{"maxDepth":"3"}}]',
        b'{"type":"exec","mbean":"a:b=c","operation":"find","arguments":[1,null,{"a":[]}]}',
    ]


def _facts(data: bytes) -> None:
    node_facts._read(EncodedValue(data, 1))


def _told() -> list[bytes]:
    rows = [{"name": "localhost/shop", "manager": "DeltaManager", "runs": True, "distributable": True}]
    told = {"now": 1.5, "software": "x", "alike": {"channelSendOptions": "8"}, "applications": rows}
    return [encode_value(json.dumps(told).encode()).data, encode_value(b"[]").data]


TARGETS = (
    Target("jolokia_path", _path, ("catalina.manager.jolokia.request:from_path",), _paths,
           (BadRequest, MalformedObjectName)),
    Target("jolokia_post", _post, ("catalina.manager.jolokia.request:from_json",), _posts,
           (BadRequest, MalformedObjectName)),
    Target("node_facts", _facts, ("catalina.ha.tcp.node_facts:_read",), _told, ()),
)  # fmt: skip
