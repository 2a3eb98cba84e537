"""Versions decide which of two changes is the later one, alike on every node and in whatever order it hears of them.

A version is 16 bytes: a clock in microseconds (8 bytes, big-endian), which is never behind a version that the node has
heard, and the tag of the node's life (8 bytes). Versions are unique and compare as bytes. A wrong wall clock can only
misorder changes that truly cross: a node that has heard a change makes later versions than that change, whatever its
clock says.
"""

from __future__ import annotations

import hashlib

__all__ = ["CLOCK_SIZE", "NO_VERSION", "VERSION_SIZE", "Version", "VersionClock", "clock_of", "life_tag", "version_at"]

Version = bytes

CLOCK_SIZE = 8
VERSION_SIZE = 16
#: Earlier than every version.
NO_VERSION = b""
#: A peer's clock beyond this is ignored; the limit leaves room for all versions that may follow.
MAX_CLOCK = 1 << 62


_BEYOND: Version = (MAX_CLOCK + 1).to_bytes(CLOCK_SIZE, "big")


def life_tag(node: bytes, born_us: int) -> bytes:
    """The tag of one life of a node, made from the node's name and the time at which this life began."""
    return hashlib.blake2b(
        node + born_us.to_bytes(8, "big", signed=True), digest_size=VERSION_SIZE - CLOCK_SIZE
    ).digest()


def version_at(clock_us: int, tag: bytes) -> Version:
    """The version of a change for which only its time and its node are known, such as a Java node's.

    Args:
        clock_us: microseconds since the epoch; a value out of range counts as the nearest possible clock.
        tag: 8 bytes.
    """
    return min(max(clock_us, 0), MAX_CLOCK).to_bytes(CLOCK_SIZE, "big") + tag


def clock_of(version: Version) -> int:
    """The clock of a version in microseconds, 0 for ``NO_VERSION``."""
    return int.from_bytes(version[:CLOCK_SIZE], "big")


class VersionClock:
    """Makes the versions of one life of one node.

    Args:
        tag: the tag of that life, from :func:`life_tag`.
    """

    __slots__ = ("_heard", "_last", "tag")

    def __init__(self, tag: bytes) -> None:
        if len(tag) != VERSION_SIZE - CLOCK_SIZE:
            raise ValueError(f"expected a tag of {VERSION_SIZE - CLOCK_SIZE} bytes, got {len(tag)}")
        self.tag = tag
        self._last = 0
        #: The latest version that was heard since the last tick.
        self._heard: Version = NO_VERSION

    def tick(self, now_us: int) -> Version:
        """A version later than every one made or heard here.

        Args:
            now_us: the wall clock, in microseconds.
        """
        last = self._last + 1
        if self._heard:
            last = max(last, clock_of(self._heard) + 1)
            self._heard = NO_VERSION
        self._last = last = last if last > now_us else now_us
        return last.to_bytes(CLOCK_SIZE, "big") + self.tag

    def peek(self, now_us: int) -> int:
        """The lowest clock that the next version can have."""
        return max(self._last + 1, clock_of(self._heard) + 1, now_us)

    def heard(self, version: Version) -> None:
        """Note a peer's version, so that the next one made here is later. A version beyond ``MAX_CLOCK`` is ignored."""
        if self._heard < version < _BEYOND:
            self._heard = version
