"""The messages that a cluster understands, by the Java class at the head of their object stream.

Only these are decoded; other messages are left to other listeners of the channel (ARCHITECTURE.md: decoding never runs
code).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

__all__ = ["ClusterMessage", "class_name_of", "decoder_for"]


class ClusterMessage(Protocol):
    """A message that ``SimpleTcpCluster.send`` takes."""

    def encode(self) -> bytes:
        """The whole Java object stream, starting with aced0005."""


#: Java class -> the module and class whose ``decode(data)`` reads it, imported when the first message arrives.
_DECODERS = {
    b"org.apache.catalina.ha.session.SessionMessageImpl": ("catalina.ha.session.session_message", "SessionMessage"),
    b"org.apache.catalina.ha.deploy.FileMessage": ("catalina.ha.deploy.file_message", "FileMessage"),
    b"org.apache.catalina.ha.deploy.UndeployMessage": ("catalina.ha.deploy.undeploy_message", "UndeployMessage"),
}
#: Stream header, TC_OBJECT, TC_CLASSDESC.
_OBJECT = bytes.fromhex("aced00057372")


def class_name_of(data: bytes) -> bytes:
    """The class of the one object in a Java object stream, empty when the bytes begin differently."""
    if data[:6] != _OBJECT:
        return b""
    return data[8 : 8 + int.from_bytes(data[6:8], "big")]


@cache
def decoder_for(class_name: bytes) -> Callable[[bytes], Any] | None:
    """The function that decodes messages of that class, None when a cluster does not know the class."""
    if class_name not in _DECODERS:
        return None
    module, name = _DECODERS[class_name]
    decode: Callable[[bytes], Any] = getattr(importlib.import_module(module), name).decode
    return decode
