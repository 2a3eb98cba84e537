"""The messages between two workers about requests of which one has the connection and the other the application.

The stream is a pair of Unix sockets; its frames have the head of ``frames.py``. The worker that serves says the first
word, so that the other one knows that it is there. Then one exchange follows another::

    15 ACCEPTED  the worker serves this stream
    16 REQUEST   u32 length of a JSON object (ToldRequest), the object, the bytes of the body that are here; number 1
                 when these are all
    17 PULL      the application wants more of the body
    18 CONTINUE  the application wants the body: 100 Continue, if the client waits for it
    19 BODY      the next bytes of the body, the answer to a PULL
    20 BODY_END  the body is complete; a JSON list of the trailer fields, [[name, value], ...]
    21 HEAD      u32 length of a JSON object (ToldAnswer), the object, the first bytes of the answer's body; number 1
                 when these are all
    19 BODY      more of the answer's body
    22 FLUSH     the client shall get what was sent so far
    23 END       the answer is complete

After a HEAD with number 1, or an END, the next REQUEST may follow. If the client goes, the worker that has the
connection closes the stream.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from catalina.errors import ProtocolError
from catalina.workers.frames import Kind, encode_frame

__all__ = [
    "ToldAnswer",
    "ToldRequest",
    "decode_answer",
    "decode_request",
    "decode_trailers",
    "encode_told",
    "encode_trailers",
]

_U32 = struct.Struct(">I")

Fields = list[tuple[str, str]]


@dataclass(slots=True)
class ToldRequest:
    """A request as the worker that has its connection knows it before any valve has seen it; see :class:`Request`.

    Args:
        headers: the header fields; characters are bytes (latin-1).
        user: the proxy's; None without one.
        needs_authorization: the realm is to decide about the proxy's user.
        attributes: of TLS and AJP: texts, numbers, and lists of texts.
    """

    method: str
    request_uri: str
    query_string: str | None
    protocol: str
    headers: Fields
    content_length: int
    expects_continue: bool
    remote_addr: str
    remote_port: int
    remote_host: str | None
    local_addr: str
    local_name: str
    local_port: int
    scheme: str
    secure: bool
    server_name: str
    server_port: int
    connection_id: str
    user: str | None
    auth_type: str | None
    needs_authorization: bool
    attributes: dict[str, Any]


@dataclass(slots=True)
class ToldAnswer:
    """The head of an answer; see :class:`Response`."""

    status: int
    reason: str
    headers: Fields


_Told = TypeVar("_Told", ToldRequest, ToldAnswer)

#: The types of the fields, by their annotations.
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "str | None": (str, type(None)), "int": (int,), "bool": (bool,), "Fields": (list,),
    "dict[str, Any]": (dict,),
}  # fmt: skip


def encode_told(kind: Kind, told: ToldRequest | ToldAnswer, data: bytes, *, is_all: bool) -> bytes:
    """A REQUEST or a HEAD, with the first bytes of the body."""
    text = json.dumps(asdict(told)).encode()
    return encode_frame(kind, _U32.pack(len(text)) + text + data, int(is_all))


def decode_request(payload: bytes) -> tuple[ToldRequest, bytes]:
    """The payload of a REQUEST. Raises ProtocolError."""
    return _decode(ToldRequest, payload)


def decode_answer(payload: bytes) -> tuple[ToldAnswer, bytes]:
    """The payload of a HEAD. Raises ProtocolError."""
    told, data = _decode(ToldAnswer, payload)
    if not 200 <= told.status <= 999:
        raise ProtocolError(f"ToldAnswer.status: expected 200 to 999, got {told.status}")
    return told, data


def encode_trailers(trailers: Fields) -> bytes:
    """A BODY_END."""
    return encode_frame(Kind.BODY_END, json.dumps(trailers).encode())


def decode_trailers(payload: bytes) -> Fields:
    """The payload of a BODY_END. Raises ProtocolError."""
    return _fields_of(_parse(payload))


def _parse(text: bytes) -> object:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected JSON, got {len(text)} bytes: {error}") from error
    return parsed


def _decode(kind: type[_Told], payload: bytes) -> tuple[_Told, bytes]:
    if len(payload) < _U32.size:
        raise ProtocolError(f"expected the length of a {kind.__name__}, got {len(payload)} bytes")
    end = _U32.size + _U32.unpack_from(payload)[0]
    if end > len(payload):
        raise ProtocolError(f"expected a {kind.__name__} of {end - _U32.size} bytes, got {len(payload) - _U32.size}")
    values = _parse(payload[_U32.size : end])
    if not isinstance(values, dict) or values.keys() != {field.name for field in fields(kind)}:
        raise ProtocolError(f"expected the values of a {kind.__name__}, got {payload[_U32.size : end][:80]!r}")
    for field in fields(kind):
        value = values[field.name]
        # bool is an int in Python, and not here
        if type(value) not in _TYPES[str(field.type)]:
            raise ProtocolError(f"{kind.__name__}.{field.name}: expected {field.type}, got {value!r:.80}")
    values["headers"] = _fields_of(values["headers"])
    return kind(**values), payload[end:]


def _fields_of(values: object) -> Fields:
    found: Fields = []
    for each in values if isinstance(values, list) else [values]:
        if not isinstance(each, list) or len(each) != 2 or not all(isinstance(part, str) for part in each):
            raise ProtocolError(f"expected the name and the value of a header field, got {each!r:.80}")
        found.append((each[0], each[1]))
    return found
