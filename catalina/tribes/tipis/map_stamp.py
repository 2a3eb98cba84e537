"""Stamps decide which of two claims on an entry is the later one, alike on every node and in whatever order it hears of
them.

A version is 16 bytes: a clock that is never behind a version that the node has heard (microseconds, or one more than
the latest), and a tag of the node's map in its present life, from one start to the next. Versions compare as bytes. No
entry has the same version twice; entries that change in the same round of the loop share one. A stamp has the versions
that a message is about::

    birth     when the entry was put; a removal ends an entry of that birth, whatever changes cross it
    claim     when its owner last said to all that it owns it
    content   when the value last changed

The stamp stands behind the key in the message's keydata, as block data of the same Java object stream: Java reads the
key and stops there. Java writes no stamp, and a message without one counts as later than everything heard before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
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
    "new_stamp",
    "stamp_key",
    "unstamp_key",
]

VERSION_SIZE = 16
_CLOCK_SIZE = 8
NO_VERSION = b""

_MAGIC = b"Pv"
#: The bytes with which the block of an entry's names begins.
NAMES_MAGIC = b"Pn"
_BLOCK_DATA = 0x77
_TC_STRING = 0x74
_ABSENT = bytes(VERSION_SIZE)
#: Size of the head before three or four versions: code, length, magic.
_HEAD_SIZE = 2 + 2
_HEADS = {count: bytes([_BLOCK_DATA, 2 + count * VERSION_SIZE]) + _MAGIC for count in (3, 4)}
_HEAD_OF_SIZE = {_HEAD_SIZE + count * VERSION_SIZE: head for count, head in _HEADS.items()}


class Stamp(NamedTuple):
    """The versions of a message; ``base`` is the content that a difference applies to, empty for a whole value."""

    birth: bytes = NO_VERSION
    claim: bytes = NO_VERSION
    content: bytes = NO_VERSION
    base: bytes = NO_VERSION

    @property
    def rank(self) -> tuple[bytes, bytes]:
        """The part of the stamp that decides between two claims."""
        return self[:2]


#: Makes a stamp of four versions, as the class does, without a call of Python.
new_stamp = partial(tuple.__new__, Stamp)

#: The stamp of a message from Java.
NO_STAMP = Stamp()


def is_same_life(one: bytes, other: bytes) -> bool:
    """True when two versions are of the same node, and it has not restarted its map between them."""
    return one[_CLOCK_SIZE:] == other[_CLOCK_SIZE:]


class VersionClock:
    """Makes the versions of one node's map; the map's lock guards it."""

    def __init__(self) -> None:
        self._last = 0
        self._first = 0
        self._node: tuple[Member | None, bytes] = (None, b"")

    def tick(self, node: Member, now_us: int) -> bytes:
        """A version later than every one made or heard here.

        Args:
            now_us: microseconds since the epoch; wrong clocks can only misorder changes that cross.
        """
        self._first = self._first or now_us
        last = self._last + 1
        self._last = last = last if last > now_us else now_us
        known, tag = self._node
        return last.to_bytes(_CLOCK_SIZE, "big") + (tag if known is node else self._tag(node))

    def _tag(self, node: Member) -> bytes:
        """A tag made of the node and the time at which its map's life began, by its own clock."""
        life = self._first.to_bytes(8, "big", signed=True)
        address = node.host + node.port.to_bytes(4, "big") + node.unique_id
        tag = hashlib.blake2b(address + life, digest_size=VERSION_SIZE - _CLOCK_SIZE).digest()
        self._node = (node, tag)
        return tag

    def end_life(self) -> None:
        """End the map's life: later versions get a new tag."""
        self._first, self._node = 0, (None, b"")

    def heard(self, stamp: Stamp) -> None:
        """Note a stamp's versions, so that every version made later is greater."""
        latest = int.from_bytes(max(stamp)[:_CLOCK_SIZE], "big")
        if latest > self._last:
            self._last = min(latest, (1 << 63) - 1)


def stamp_key(key: bytes, stamp: Stamp, names: bytes = b"") -> bytes:
    """The keydata of a message: the key's stream, behind the key its names (``map_names``), and the stamp."""
    if not stamp.birth:
        return key + names
    versions: Sequence[bytes] = stamp if stamp.base else stamp[:3]
    if NO_VERSION in versions:
        versions = [version or _ABSENT for version in versions]
    return b"".join((key, names, _HEADS[len(versions)], *versions))


def unstamp_key(keydata: bytes) -> tuple[bytes, Stamp, bytes]:
    """Split keydata into the key's stream, the stamp and the block of names."""
    if len(keydata) > 6 and keydata[4] == _TC_STRING:  # the key is a text, as nearly all are
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
    """The versions from ``at`` to the end."""
    second, third = start + VERSION_SIZE, start + 2 * VERSION_SIZE
    fourth = third + VERSION_SIZE
    versions = [data[start:second], data[second:third], data[third:fourth], data[fourth:]]  # the last may be absent
    if _ABSENT in versions:
        versions = [NO_VERSION if version == _ABSENT else version for version in versions]
    return new_stamp(versions)


def _end_of_key(keydata: bytes, at: int) -> int:
    """The end of the key if the data behind it ends at ``at``; negative when there can be none.

    Nearly every key is a text, which gives its own length; names may follow it.
    """
    if at < 5 or keydata[4] != _TC_STRING:
        return at if at >= 5 else -1
    end = 7 + int.from_bytes(keydata[5:7], "big")
    if end < at:
        name_magic = NAMES_MAGIC in (keydata[end + 2 : end + 4], keydata[end + 5 : end + 7])
        return end if name_magic else -1
    return end if end == at else -1
