"""A piece of a file that goes to the other nodes (Tomcat: ha/deploy/FileMessage.java; docs/wire.md 7.1).

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
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.object_form import ObjectForm

__all__ = ["CHUNK_SIZE", "FileMessage"]

#: The number of bytes that Java sends at once.
CHUNK_SIZE = 10240

_FORM = ObjectForm(
    describe(
        "org.apache.catalina.ha.deploy.FileMessage",
        2,
        fields="I dataLength, I messageNumber, J totalNrOfMsgs, Ljava/lang/String; contextName, [B data, "
        "Ljava/lang/String; fileName",
        super_desc=CLUSTER_MESSAGE_BASE,
    )
)


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
        numbers = (self.timestamp_ms, len(self.data), self.message_number, self.total_messages)
        return ObjectBytes(_FORM.stream(numbers, (self.context_name, self.data + self.padding, self.file_name)))

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return _FORM.matches(data)

    @classmethod
    def decode(cls, data: bytes) -> FileMessage:
        """Read the message of a channel package.

        Raises:
            ProtocolError: the bytes are no FileMessage, or its numbers contradict each other.
        """
        try:
            timestamp_ms, size, number, total, context_name, content, file_name = _FORM.read(data)
        except FAULTS as fault:
            raise broken("a file message", fault) from fault
        if content is None or file_name is None or context_name is None:
            raise ProtocolError(
                f"expected data, fileName and contextName, got {content!r:.50}, {file_name!r} and {context_name!r}"
            )
        if not 0 <= size <= len(content):
            raise ProtocolError(f"dataLength: expected at most {len(content)}, got {size!r}")
        if not 1 <= number <= total:
            raise ProtocolError(f"messageNumber {number!r} of totalNrOfMsgs {total!r}")
        return cls(file_name, context_name, content[:size], number, total, timestamp_ms, content[size:])
