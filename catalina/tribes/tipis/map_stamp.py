"""Which of two claims on an entry is the later one: the same answer on every node, in whatever order they are heard.

A version is 16 bytes: a clock that never stands behind what was heard (microseconds, or one more than the latest), and
the node's map in its present life, from one start to the next. It is unique, and versions compare as bytes. A stamp
says of a message which versions it speaks of::

    birth     when the entry was put; a removal ends an entry of that birth, whatever changes cross it
    claim     when its owner last said to all that it owns it
    content   when the value last changed

It stands behind the key in the message's keydata, as block data of the same Java object stream: Java reads the key and
stops there. Java writes none, and what has none is later than all that was heard.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from catalina.tribes.member import Member

__all__ = [
    "NAMES_MAGIC",
    "NO_STAMP",
    "NO_VERSION",
    "VERSION_SIZE",
    "Stamp",
    "VersionClock",
    "is_same_life",
    "stamp_key",
    "unstamp_key",
]

VERSION_SIZE = 16
_CLOCK_SIZE = 8
NO_VERSION = b""

_MAGIC = b"Pv"
#: What the block of an entry's names begins with.
NAMES_MAGIC = b"Pn"
_BLOCK_DATA = 0x77
_TC_STRING = 0x74
_ABSENT = bytes(VERSION_SIZE)
#: Block data of three versions, or four: code, length, magic, versions.
_HEAD_SIZE = 2 + 2
_HEADS = {count: bytes([_BLOCK_DATA, 2 + count * VERSION_SIZE]) + _MAGIC for count in (3, 4)}
_HEAD_OF_SIZE = {_HEAD_SIZE + count * VERSION_SIZE: head for count, head in _HEADS.items()}


class Stamp(NamedTuple):
    """The versions of a message; ``base`` is the content that a difference changes, empty for a whole value."""

    birth: bytes = NO_VERSION
    claim: bytes = NO_VERSION
    content: bytes = NO_VERSION
    base: bytes = NO_VERSION

    @property
    def rank(self) -> tuple[bytes, bytes]:
        """What decides between two claims."""
        return self[:2]


#: Of a message of Java.
NO_STAMP = Stamp()


def is_same_life(one: bytes, other: bytes) -> bool:
    """Whether two versions are of the same node, and its map was not started anew between them."""
    return one[_CLOCK_SIZE:] == other[_CLOCK_SIZE:]


class VersionClock:
    """Makes the versions of one node's map; the map's lock guards it."""

    def __init__(self) -> None:
        self._last = 0
        self._first = 0
        self._node: tuple[Member | None, bytes] = (None, b"")

    def tick(self, node: Member, now_us: int) -> bytes:
        """A version later than every one that was made or heard here.

        Args:
            now_us: microseconds since the epoch; clocks that differ cost nothing but the order of what crosses.
        """
        self._first = self._first or now_us
        self._last = max(self._last + 1, now_us)
        return self._last.to_bytes(_CLOCK_SIZE, "big") + self._tag(node)

    def _tag(self, node: Member) -> bytes:
        """The node and when its map's life began, by its own clock."""
        known, tag = self._node
        if known is not node:
            life = self._first.to_bytes(8, "big", signed=True)
            address = node.host + node.port.to_bytes(4, "big") + node.unique_id
            tag = hashlib.blake2b(address + life, digest_size=VERSION_SIZE - _CLOCK_SIZE).digest()
            self._node = (node, tag)
        return tag

    def end_life(self) -> None:
        """What is made from now on is told from what was made before."""
        self._first, self._node = 0, (None, b"")

    def heard(self, stamp: Stamp) -> None:
        """Never make a version before one of these."""
        latest = int.from_bytes(max(stamp)[:_CLOCK_SIZE], "big")
        if latest > self._last:
            self._last = min(latest, (1 << 63) - 1)


def stamp_key(key: bytes, stamp: Stamp, names: bytes = b"") -> bytes:
    """The keydata of a message: the key's stream, behind the key its names (``map_names``), and the stamp."""
    if not stamp.birth:
        return key + names
    versions = stamp if stamp.base else stamp[:3]
    return b"".join((key, names, _HEADS[len(versions)], *[version or _ABSENT for version in versions]))


def unstamp_key(keydata: bytes) -> tuple[bytes, Stamp, bytes]:
    """The key's stream, and the stamp and the block of names that stand behind it."""
    if len(keydata) > 6 and keydata[4] == _TC_STRING:  # as nearly all are
        end = 7 + keydata[5] * 256 + keydata[6]
        behind = keydata[end:]
        head = _HEAD_OF_SIZE.get(len(behind))
        if head is not None and behind.startswith(head):
            return keydata[:end], _stamp_at(behind, _HEAD_SIZE), b""
    for count, head in _HEADS.items():
        at = len(keydata) - len(head) - count * VERSION_SIZE
        if keydata[at : at + len(head)] == head:
            end = _end_of_key(keydata, at)
            if end >= 0:
                return keydata[:end], _stamp_at(keydata, at + len(head)), keydata[end:at]
    end = _end_of_key(keydata, len(keydata))
    return (keydata, NO_STAMP, b"") if end < 0 else (keydata[:end], NO_STAMP, keydata[end:])


def _stamp_at(data: bytes, start: int) -> Stamp:
    """The versions from there to the end."""
    versions = [data[at : at + VERSION_SIZE] for at in range(start, len(data), VERSION_SIZE)]
    if _ABSENT in versions:
        versions = [NO_VERSION if version == _ABSENT else version for version in versions]
    return Stamp(*versions)


def _end_of_key(keydata: bytes, at: int) -> int:
    """Where the key ends if what belongs to it ends at ``at``; negative when it cannot.

    A text, as nearly every key is, says where it ends; there may be names behind it.
    """
    if at < 5 or keydata[4] != _TC_STRING:
        return at if at >= 5 else -1
    end = 7 + int.from_bytes(keydata[5:7], "big")
    if end < at:
        name_magic = NAMES_MAGIC in (keydata[end + 2 : end + 4], keydata[end + 5 : end + 7])
        return end if name_magic else -1
    return end if end == at else -1
