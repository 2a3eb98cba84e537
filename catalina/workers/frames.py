"""The messages between the keeper and the workers of one node, as bytes.

A frame is a head and a payload, everything big-endian::

    head      u32 bytes of the payload, u8 kind, u32 number

    1 HELLO        u8 version of this format (2), u8 0: messages, 1: queries, u16 index of the worker, u32 process id,
                   and the token of a process with a user of its own (pool_rights.py)
    2 READY        u32 process id of the keeper; everything is deployed
    3 POST         messages of a round, from a worker; number 0, or that of the ACKNOWLEDGE that it waits for
    4 ACKNOWLEDGE  the POST of that number is where the cluster's send options want it
    5 SHOW         messages about sessions of which the worker has a copy; number 1 when its listeners hear of them
    6 ASK          key, then a question (tribes/ledger/wire.py); number 1 when the request could go to another worker
    7 ANSWER       the ledger's message, empty when nobody knows the session; number 1 when others have a copy, and
                   2 + N, without a message, when the request could go to worker N, which has the session
    8 FORGET       key, then u32 n, n x [u16 length, id, u32 idle ms]: copies that a worker has dropped
    9 STOP         the node stops: end in order
    10 SHARED      key, then a session's bare id: another worker has a copy, too; POSTs about it are acknowledged
    11 GIVEN       the worker has given all the sessions that it has
    12 CALL        key: the name of a service, then JSON; from either side; the RESULT has the same number
    13 RESULT      JSON: {"value": ...} or {"error": text}
    14 OUTDATED    key, then a session's bare id: another node has taken it over; ask before it is used again
    15 ...         between two workers, about one request: relay_frames.py

    messages  key, then for each u32 length of its content, u8 event, u64 ms since 1970, u16 length, id, content
    key       u16 length, UTF-8: engine/host/context, which manager it is for

A message has the parts of a SessionMessage that its manager needs; the keeper makes Java's object of it, if there is a
group to hear it.

Both ends are processes of one node and one user. A frame that breaks this grammar ends the link all the same: it is
made anew then, and both sides compare what they have.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from catalina.errors import CatalinaError, ProtocolError
from catalina.ha.session.session_message import SessionMessage, new_message

__all__ = [
    "FORMAT",
    "MAX_PAYLOAD",
    "CallError",
    "Frame",
    "FrameReader",
    "Hello",
    "Kind",
    "decode_call",
    "decode_forgotten",
    "decode_hello",
    "decode_keyed",
    "decode_messages",
    "decode_result",
    "encode_call",
    "encode_forgotten",
    "encode_frame",
    "encode_hello",
    "encode_keyed",
    "encode_message",
    "encode_messages",
    "encode_result",
]

#: Version of this format. Both ends run the same code, but for the time of an upgrade in place.
FORMAT = 2
#: Bytes of one payload: as much as a round of requests with large sessions can bring.
MAX_PAYLOAD = 256 * 2**20
#: Characters of a token.
MAX_TOKEN = 64

_HEAD = struct.Struct(">IBI")
_HELLO = struct.Struct(">BBHI")
_MESSAGE = struct.Struct(">IBQH")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")


class Kind(enum.IntEnum):
    """The kinds of frames."""

    HELLO = 1
    READY = 2
    POST = 3
    ACKNOWLEDGE = 4
    SHOW = 5
    ASK = 6
    ANSWER = 7
    FORGET = 8
    STOP = 9
    SHARED = 10
    GIVEN = 11
    CALL = 12
    RESULT = 13
    OUTDATED = 14
    ACCEPTED = 15
    REQUEST = 16
    PULL = 17
    CONTINUE = 18
    BODY = 19
    BODY_END = 20
    HEAD = 21
    FLUSH = 22
    END = 23


_KINDS = {int(kind): kind for kind in Kind}


class CallError(CatalinaError):
    """The other process of the node could not do what it was called for."""


class Frame(NamedTuple):
    """One frame."""

    kind: Kind
    number: int
    payload: bytes


class Hello(NamedTuple):
    """The first frame of a link.

    Args:
        is_for_queries: the link carries ASK and ANSWER only.
        worker: its index, from 0.
        token: empty for a process that runs as the server does.
    """

    is_for_queries: bool
    worker: int
    pid: int
    token: str = ""


def encode_frame(kind: Kind, payload: bytes = b"", number: int = 0) -> bytes:
    """A frame.

    Raises:
        ValueError: the payload is longer than MAX_PAYLOAD.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{kind.name}: a payload of {len(payload)} bytes, at most {MAX_PAYLOAD} can be sent")
    return _HEAD.pack(len(payload), kind, number) + payload


class FrameReader:
    """Cuts a stream of bytes into frames, however it comes."""

    def __init__(self, limit: int = MAX_PAYLOAD) -> None:
        #: Bytes of the largest payload.
        self.limit = limit
        self._buffer = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes; yields the frames that are complete.

        Raises:
            ProtocolError: the bytes are no frames. The reader is of no use from then on.
        """
        buffer = self._buffer
        buffer += data
        position = 0
        try:
            while len(buffer) - position >= _HEAD.size:
                size, code, number = _HEAD.unpack_from(buffer, position)
                kind = _KINDS.get(code)
                if kind is None or size > self.limit:
                    raise ProtocolError(
                        f"byte {self._offset + position}: expected a frame of a known kind and of at most "
                        f"{self.limit} bytes, got kind {code} and {size} bytes"
                    )
                end = position + _HEAD.size + size
                if end > len(buffer):
                    break
                payload = bytes(buffer[position + _HEAD.size : end])
                position = end
                yield Frame(kind, number, payload)
        finally:
            del buffer[:position]
            self._offset += position


def encode_hello(hello: Hello) -> bytes:
    """The frame with which a worker begins a link."""
    head = _HELLO.pack(FORMAT, hello.is_for_queries, hello.worker, hello.pid)
    return encode_frame(Kind.HELLO, head + hello.token.encode())


def decode_hello(payload: bytes) -> Hello:
    """Raises ProtocolError: it is none, or of another format."""
    token = payload[_HELLO.size :]
    if len(payload) < _HELLO.size or payload[0] != FORMAT or payload[1] > 1 or len(token) > MAX_TOKEN:
        raise ProtocolError(f"expected a HELLO of format {FORMAT} and {_HELLO.size} bytes, got {payload[:16].hex()}")
    if not token.isascii():
        raise ProtocolError(f"expected a token of ASCII characters, got {token[:16].hex()}")
    _, is_for_queries, index, pid = _HELLO.unpack_from(payload)
    return Hello(bool(is_for_queries), index, pid, token.decode())


def encode_keyed(key: bytes, body: bytes) -> bytes:
    """A payload that begins with the key of a manager."""
    return _U16.pack(len(key)) + key + body


def decode_keyed(payload: bytes) -> tuple[bytes, bytes]:
    """The key and the rest of a payload. Raises ProtocolError."""
    if len(payload) < 2:
        raise ProtocolError(f"expected the key of a manager, got {len(payload)} bytes")
    end = 2 + _U16.unpack_from(payload)[0]
    if end > len(payload):
        raise ProtocolError(f"expected a key of {end - 2} bytes, got {len(payload) - 2}")
    return payload[2:end], payload[end:]


def encode_message(
    event: int,
    context_name: str | None,  # noqa: ARG001 -- the frame has a key
    session: bytes | None,
    session_id: str | None,
    unique_id: str | None,  # noqa: ARG001
    timestamp_ms: int | None,
) -> bytes:
    """A message of POST and SHOW, from what :func:`catalina.ha.session.session_message.encode_message` makes the
    group's of. Neither the name nor the unique id travels: the frame's key says which manager it is for.
    """
    content = session or b""
    name = (session_id or "").encode("utf-8", "surrogatepass")
    return _MESSAGE.pack(len(content), event, timestamp_ms or 0, len(name)) + name + content


def encode_messages(key: bytes, messages: Iterable[bytes]) -> bytes:
    """The payload of POST and SHOW, of messages that :func:`encode_message` has made."""
    return b"".join((_U16.pack(len(key)), key, *messages))


def decode_messages(payload: bytes) -> tuple[bytes, list[SessionMessage]]:
    """The key, and the messages in their order.

    Raises:
        ProtocolError: the lengths do not add up, or an id is no text.
    """
    size = len(payload)
    position = 2 + _U16.unpack_from(payload)[0] if size >= 2 else 2
    if position > size:
        raise ProtocolError(f"expected the key of a manager in {position} bytes, got {size}")
    key = payload[2:position]
    messages: list[SessionMessage] = []
    while position < size:
        start = position + _MESSAGE.size
        if start > size:
            raise ProtocolError(f"byte {position}: expected the head of a message, got {size - position} bytes")
        length, event, time_ms, id_size = _MESSAGE.unpack_from(payload, position)
        content = start + id_size
        position = content + length
        if position > size:
            raise ProtocolError(f"byte {start}: expected {id_size + length} bytes, got {size - start}")
        try:
            name = payload[start:content].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ProtocolError(f"byte {start}: expected an id in UTF-8: {error}") from error
        messages.append(new_message((event, None, payload[content:position], name or None, None, time_ms)))
    return key, messages


def encode_forgotten(key: bytes, sessions: Sequence[tuple[str, int]]) -> bytes:
    """The payload of FORGET.

    Args:
        sessions: ids, and for how many milliseconds nobody has used them.
    """
    parts = [_U32.pack(len(sessions))]
    for session_id, idle_ms in sessions:
        name = session_id.encode("utf-8", "surrogatepass")
        parts += (_U16.pack(len(name)), name, _U32.pack(min(max(idle_ms, 0), 2**32 - 1)))
    return encode_keyed(key, b"".join(parts))


def encode_call(service: str, argument: object) -> bytes:
    """The payload of CALL; the argument is what JSON can say."""
    return encode_keyed(service.encode(), json.dumps(argument).encode())


def decode_call(payload: bytes) -> tuple[str, Any]:
    """The service and the argument. Raises ProtocolError."""
    service, text = decode_keyed(payload)
    try:
        return service.decode(), json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected a service and JSON, got {len(payload)} bytes: {error}") from error


def encode_result(value: object = None, error: str | None = None) -> bytes:
    """The payload of RESULT."""
    return json.dumps({"value": value} if error is None else {"error": error}).encode()


def decode_result(payload: bytes) -> object:
    """The value.

    Raises:
        ProtocolError: it is no result.
        CallError: the other side could not do it.
    """
    try:
        result = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected JSON, got {len(payload)} bytes: {error}") from error
    if not isinstance(result, dict) or not result.keys() & {"value", "error"}:
        raise ProtocolError("expected an object with a value or an error")
    if "error" in result:
        raise CallError(str(result["error"]))
    return result["value"]


def decode_forgotten(payload: bytes) -> tuple[bytes, list[tuple[str, int]]]:
    """Read the bytes of :func:`encode_forgotten`. Raises ProtocolError."""
    key, rest = decode_keyed(payload)
    sessions: list[tuple[str, int]] = []
    try:
        (count,) = _U32.unpack_from(rest)
        position = _U32.size
        if count > len(rest) // (_U16.size + _U32.size):
            raise ProtocolError(f"expected {count} sessions, got {len(rest)} bytes")
        for _ in range(count):
            end = position + 2 + _U16.unpack_from(rest, position)[0]
            name = rest[position + 2 : end].decode("utf-8", "surrogatepass")
            sessions.append((name, _U32.unpack_from(rest, end)[0]))
            position = end + 4
    except (struct.error, UnicodeDecodeError) as error:
        raise ProtocolError(f"expected ids and idle times, got {len(rest)} bytes: {error}") from error
    if position != len(rest):
        raise ProtocolError(f"byte {position}: expected the end, got {len(rest) - position} bytes")
    return key, sessions
