"""A piece of a file that goes to the other nodes (Tomcat: ha/deploy/FileMessage.java).

::

    class FileMessage, suid 2                            super ClusterMessageBase, suid 1: long timestamp
        int dataLength, int messageNumber, long totalNrOfMsgs, String contextName, byte[] data, String fileName

Java sends its whole buffer of 10240 bytes each time; only ``dataLength`` bytes of it count. For a file whose size is a
multiple of 10240, Java announces one message more than it sends.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalina.errors import ProtocolError
from catalina.ha.session.session_message import CLUSTER_MESSAGE_BASE
from catalina.tribes.channel import ObjectBytes
from catalina.tribes.io.java.descriptors import byte_array, describe, string
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassData, JavaArray, JavaObject, text_of
from catalina.tribes.io.java.object_input_stream import ObjectInputStream

__all__ = ["CHUNK_SIZE", "FileMessage"]

CLASS_NAME = "org.apache.catalina.ha.deploy.FileMessage"
#: The number of bytes that Java sends at once.
CHUNK_SIZE = 10240

_CLASS = describe(
    CLASS_NAME,
    2,
    fields="I dataLength, I messageNumber, J totalNrOfMsgs, Ljava/lang/String; contextName, [B data, "
    "Ljava/lang/String; fileName",
    super_desc=CLUSTER_MESSAGE_BASE,
)
_NAME_HEAD = STREAM_HEADER + b"\x73" + encode_node(_CLASS).data[: 3 + len(CLASS_NAME)]


@dataclass(frozen=True, slots=True)
class FileMessage:
    """One piece of a file.

    Args:
        file_name: the file's name, which comes from outside: check it before using it as a path.
        context_name: the application, such as ``/app`` or ``/a##2``.
        data: the bytes of this piece.
        message_number: from 1.
        total_messages: the number of pieces that the sender announces, which may be one too many (see above).
        timestamp_ms: 0 in practice.
        padding: the bytes behind the piece in Java's buffer, which are sent and ignored.
    """

    file_name: str
    context_name: str
    data: bytes
    message_number: int
    total_messages: int
    timestamp_ms: int = 0
    padding: bytes = b""

    def encode(self) -> ObjectBytes:
        """The whole message of a channel package."""
        fields: dict[str, object] = {
            "dataLength": len(self.data),
            "messageNumber": self.message_number,
            "totalNrOfMsgs": self.total_messages,
            "contextName": string(self.context_name),
            "data": byte_array(self.data + self.padding),
            "fileName": string(self.file_name),
        }
        base = ClassData(CLUSTER_MESSAGE_BASE, {"timestamp": self.timestamp_ms})
        node = JavaObject(_CLASS, [base, ClassData(_CLASS, fields)])  # type: ignore[arg-type]  # as described above
        return ObjectBytes(encode_node(node).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return data.startswith(_NAME_HEAD)

    @classmethod
    def decode(cls, data: bytes) -> FileMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no FileMessage, or its numbers contradict each other.
        """
        node = ObjectInputStream(data).read_node()
        if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
        content = node.get("data")
        size, number, total = node.get("dataLength"), node.get("messageNumber"), node.get("totalNrOfMsgs")
        timestamp = node.get("timestamp")
        if not isinstance(content, JavaArray) or not isinstance(content.values, bytes):
            raise ProtocolError(f"data: expected a byte[], got {content!r}")
        if not (isinstance(size, int) and 0 <= size <= len(content.values)):
            raise ProtocolError(f"dataLength: expected at most {len(content.values)}, got {size!r}")
        if not isinstance(number, int) or not isinstance(total, int) or not 1 <= number <= total:
            raise ProtocolError(f"messageNumber {number!r} of totalNrOfMsgs {total!r}")
        file_name = text_of(node.get("fileName"), "fileName")
        context_name = text_of(node.get("contextName"), "contextName")
        if file_name is None or context_name is None:
            raise ProtocolError(f"expected fileName and contextName, got {file_name!r} and {context_name!r}")
        return cls(
            file_name,
            context_name,
            content.values[:size],
            number,
            total,
            timestamp if isinstance(timestamp, int) else 0,
            content.values[size:],
        )
