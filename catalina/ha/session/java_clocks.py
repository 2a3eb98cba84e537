"""Versions for the messages of Java nodes, which carry none: made of the message's own time and its sender.

A Java node's clock may be wrong, so its times are used only to tell how long a message was on its way: what a message
needs is never negative, so the smallest difference seen lately between a node's clock and ours is nearly the difference
of the clocks. A message that came at once is later than all that is known here, as a client that goes from this node to
that one expects; one that an outage has held back for half a minute has a version half a minute old. Two messages of
one node keep the order of its own clock, in whatever order they come.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from catalina.tribes.ledger.version import CLOCK_SIZE, VERSION_SIZE, Version, version_at
from catalina.tribes.member import Member

__all__ = ["JavaClocks"]

#: Seconds after which a difference that was seen is forgotten: a clock that was set counts within twice this time.
WINDOW_SECONDS = 60.0
#: Java's times are whole milliseconds: a message may be that much younger than it says.
RESOLUTION_US = 1000
#: A difference that has grown by more means that the clock was set.
SET_US = 5_000_000
#: Members that are remembered.
MAX_MEMBERS = 1000


@dataclass(slots=True)
class _Seen:
    """All that is known of one node's clock; times in microseconds.

    Args:
        before_us, smallest_us: the smallest differences to our clock, in the window before and in this one.
        latest_us: the latest time that one of its messages had, and ``version_us`` the clock of that one's version.
    """

    tag: bytes
    began: float
    before_us: int | None
    smallest_us: int
    latest_us: int = 0
    version_us: int = 0

    @property
    def difference_us(self) -> int:
        return self.smallest_us if self.before_us is None else min(self.smallest_us, self.before_us)


class JavaClocks:
    """All that is known of the clocks of Java nodes. The carrier's lock guards it."""

    def __init__(self) -> None:
        self._seen: dict[Member, _Seen] = {}

    def version(
        self, sender: Member, timestamp_ms: int | None, now_us: int, next_us: int, now: float, age_ms: int = 0
    ) -> Version:
        """The version of what a message says.

        Args:
            timestamp_ms: the message's own time; None: it has none, and counts as written now.
            now_us: this node's clock.
            next_us: the clock of the next version of this node, which is later than all that it knows.
            now: monotonic seconds.
            age_ms: how long before the message that happened of which it tells.
        """
        written_us = now_us if timestamp_ms is None else timestamp_ms * 1000
        seen = self._look(sender, now_us - written_us, now)
        delay_us = max(0, now_us - written_us - seen.difference_us - RESOLUTION_US)
        clock_us = next_us - delay_us
        if written_us > seen.latest_us:
            clock_us = max(clock_us, seen.version_us + 1)
            seen.latest_us, seen.version_us = written_us, clock_us
        else:
            clock_us = min(clock_us, seen.version_us - (seen.latest_us - written_us))
        return version_at(clock_us - max(0, age_ms) * 1000, seen.tag)

    def _look(self, sender: Member, difference_us: int, now: float) -> _Seen:
        seen = self._seen.get(sender)
        if seen is None:
            if len(self._seen) >= MAX_MEMBERS:
                self._seen.pop(next(iter(self._seen)))
            seen = self._seen[sender] = _Seen(_tag_of(sender), now, None, difference_us)
        elif now - seen.began >= WINDOW_SECONDS:
            known_us = seen.difference_us
            seen.began, seen.before_us, seen.smallest_us = now, seen.smallest_us, difference_us
            if seen.difference_us > known_us + SET_US:
                seen.latest_us = 0  # its clock was set back: its times begin anew
        elif difference_us < seen.smallest_us:
            seen.smallest_us = difference_us
        return seen


def _tag_of(member: Member) -> bytes:
    name = member.host + member.port.to_bytes(4, "big") + member.unique_id
    return hashlib.blake2b(b"java" + name, digest_size=VERSION_SIZE - CLOCK_SIZE).digest()
