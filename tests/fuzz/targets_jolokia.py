"""Requests that a client of the Jolokia agent may send."""

from __future__ import annotations

import json

from catalina.errors import ProtocolError
from catalina.manager.jolokia.discovery import decode_message, encode_message
from catalina.manager.jolokia.request import BadRequest, JolokiaRequest, Parameters, from_json, from_path
from catalina.mbeans.object_name import MalformedObjectName
from tests.fuzz.target import Target

__all__ = ["TARGETS"]


def _path(data: bytes) -> None:
    _shown(from_path(data.decode("latin-1"), Parameters({})))


def _body(data: bytes) -> None:
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        return
    _shown(from_json(given, Parameters({})))


def _shown(request: JolokiaRequest) -> None:
    json.dumps(request.to_json())


def _paths() -> list[bytes]:
    return [
        b"read/Catalina:type=Server/stateName",
        b"write/Catalina:type=Valve,name=X/enabled/true",
        b"exec/Catalina:type=Manager,host=localhost,context=!/app/findSession(java.lang.String)/a!/b",
        b"list/java.lang/type=Memory",
        b"search/Catalina:type=*,*",
        b"version",
        b'notification/add/1cddf91c/pull/a:b=c/JMX.mbean,j2ee/{"a":1}/back',
        b"notification/remove/1cddf91c/2",
    ]


def _bodies() -> list[bytes]:
    requests = [
        {"type": "read", "mbean": "Catalina:type=Server", "attribute": ["stateName", "port"], "path": "a/b"},
        {"type": "write", "mbean": "a:b=c", "attribute": "x", "value": {"y": [1, None]}},
        {"type": "exec", "mbean": "a:b=c", "operation": "f", "arguments": [1, "x", [True]]},
        {"type": "notification", "command": "add", "client": "1", "mode": "sse", "mbean": "a:b=c", "filter": ["JMX."]},
        {"type": "search", "mbean": "*:*", "config": {"maxDepth": 3, "ignoreErrors": "true"}},
    ]
    return [json.dumps(each).encode() for each in requests]


def _messages() -> list[bytes]:
    return [
        encode_message("query", {}),
        encode_message("response", {"agent_id": "a", "url": "http://a/", "secured": True}),
    ]


_ERRORS = (BadRequest, MalformedObjectName)

TARGETS = (
    Target("jolokia_path", _path, (), _paths, _ERRORS),
    Target("jolokia_body", _body, (), _bodies, _ERRORS),
    Target(
        "jolokia_discovery",
        decode_message,
        ("catalina.manager.jolokia.discovery:decode_message",),
        _messages,
        (ProtocolError,),
    ),
)
