"""A request or reply between RPC channels (Tomcat: tribes/group/RpcMessage.java; docs/wire.md 4.4).

::

    class RpcMessage, externalizable:                 boolean reply, int n, uuid, int n, rpc id, then the message
    class RpcMessage$NoRpcChannelReply, super RpcMessage:       int n, uuid, int n, rpc id

The message is any object; it stays encoded here. The uuid pairs a reply with its request, the rpc id names the channel
that takes it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from catalina.errors import ProtocolError
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue
from catalina.tribes.io.java.grammar import STREAM_HEADER, TC_ENDBLOCKDATA, TC_OBJECT
from catalina.tribes.io.java.node_writer import encode_node, write_block
from catalina.tribes.io.java.object_input_stream import ObjectInputStream

__all__ = ["NoRpcChannelReply", "RpcMessage"]

CLASS_NAME = "org.apache.catalina.tribes.group.RpcMessage"
NO_CHANNEL_CLASS_NAME = "org.apache.catalina.tribes.group.RpcMessage$NoRpcChannelReply"

_CLASS = describe(CLASS_NAME, 8154458786660410633, EXTERNALIZABLE)
_NO_CHANNEL_CLASS = describe(NO_CHANNEL_CLASS_NAME, 8911374288427899814, EXTERNALIZABLE, super_desc=_CLASS)


def _head(name: str) -> bytes:
    desc = _CLASS if name == CLASS_NAME else _NO_CHANNEL_CLASS
    return STREAM_HEADER + bytes((TC_OBJECT,)) + encode_node(desc).data


_HEAD = _head(CLASS_NAME)
_NO_CHANNEL_HEAD = _head(NO_CHANNEL_CLASS_NAME)
#: The bytes up to the end of the class's name; the name of the one class begins with that of the other.
_NAME_END = len(STREAM_HEADER) + 4 + len(CLASS_NAME)
_STARTS = (_HEAD[:_NAME_END], _NO_CHANNEL_HEAD[: _NAME_END + 18])
_LENGTH = struct.Struct(">i")
#: Ids are 16 bytes and short names; a message with a longer one is no RPC.
MAX_ID = 4096


@dataclass(frozen=True, slots=True)
class RpcMessage:
    """One request or reply.

    Args:
        rpc_id: the name of the RPC channel.
        uuid: 16 bytes, the same in a request and its replies.
        message: the question or the answer; ``NULL`` for nothing.
        reply: True for an answer.
    """

    rpc_id: bytes
    uuid: bytes
    message: EncodedValue = NULL
    reply: bool = False

    def encode(self) -> ObjectBytes:
        """The whole message of a channel package."""
        out = bytearray(_HEAD)
        write_block(out, bytes((self.reply,)) + _ids(self))
        out += self.message.at_handle(2)  # two handles: the class and this object
        out.append(TC_ENDBLOCKDATA)
        return ObjectBytes(out)

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is a request or a reply, also a NoRpcChannelReply. A cheap test."""
        return data.startswith(_STARTS)

    @staticmethod
    def decode(data: bytes) -> RpcMessage | NoRpcChannelReply:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are neither a request nor a reply.
        """
        stream = ObjectInputStream(data)
        desc = stream.enter_object()
        if desc.name == NO_CHANNEL_CLASS_NAME:
            uuid, rpc_id = _read_id(stream), _read_id(stream)
            return NoRpcChannelReply(rpc_id, uuid)
        if desc.name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got a {desc.name}")
        reply = stream.read_boolean()
        uuid, rpc_id = _read_id(stream), _read_id(stream)
        return RpcMessage(rpc_id, uuid, stream.read_encoded(), reply)


@dataclass(frozen=True, slots=True)
class NoRpcChannelReply:
    """The answer of a node that has no such RPC channel: the asker need not wait for it."""

    rpc_id: bytes
    uuid: bytes

    def encode(self) -> ObjectBytes:
        """The whole message of a channel package."""
        out = bytearray(_NO_CHANNEL_HEAD)
        write_block(out, _ids(self))
        out.append(TC_ENDBLOCKDATA)
        return ObjectBytes(out)


def _ids(message: RpcMessage | NoRpcChannelReply) -> bytes:
    return b"".join((_LENGTH.pack(len(message.uuid)), message.uuid, _LENGTH.pack(len(message.rpc_id)), message.rpc_id))


def _read_id(stream: ObjectInputStream) -> bytes:
    size = stream.read_int()
    if not 0 <= size <= MAX_ID:
        raise ProtocolError(f"id of {size} bytes, limit {MAX_ID}", stream.position)
    return stream.read_bytes(size)
