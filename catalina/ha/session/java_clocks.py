"""Makes versions for messages of Java nodes, which carry none, from the message's own time and its sender.

A Java node's clock may be wrong, so its times only serve to tell how long a message was on its way. That time is never
negative, so the smallest recent difference between a node's clock and ours is nearly the difference between the clocks.
A message that came without delay is later than everything known here, as a client that goes from this node to that one
expects. A message that an outage has held back for half a minute gets a version half a minute old. Two messages of one
node keep the order of its own clock, in whatever order they come.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from catalina.tribes.ledger.version import CLOCK_SIZE, VERSION_SIZE, Version, version_at
from catalina.tribes.member import Member

__all__ = ["JavaClocks"]

#: Seconds after which a difference is forgotten: after a clock was set, twice this time passes until the new one
#: counts.
WINDOW_SECONDS = 60.0
#: Java's times are whole milliseconds, so a message may be younger than it says by this much.
RESOLUTION_US = 1000
#: A difference that has grown by more than this shows that the clock was set.
SET_US = 5_000_000
#: The number of members that are remembered.
MAX_MEMBERS = 1000


@dataclass(slots=True)
class _Seen:
    """The knowledge about one node's clock; times are in microseconds.

    Args:
        before_us, smallest_us: the smallest differences to our clock, in the previous window and in this one.
        latest_us: the latest time in one of its messages; ``version_us`` is the clock of that message's version.
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
    """The knowledge about the clocks of Java nodes. The carrier's lock guards it."""

    def __init__(self) -> None:
        self._seen: dict[Member, _Seen] = {}

    def version(
        self, sender: Member, timestamp_ms: int | None, now_us: int, next_us: int, now: float, age_ms: int = 0
    ) -> Version:
        """The version of a message's content.

        Args:
            timestamp_ms: the message's own time; None: it has none, and counts as written just now.
            now_us: this node's clock.
            next_us: the clock of this node's next version, which is later than all known versions.
            now: monotonic seconds.
            age_ms: the time between the event and the message about it.
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
                seen.latest_us = 0  # its clock was set back, so its times begin anew
        elif difference_us < seen.smallest_us:
            seen.smallest_us = difference_us
        return seen


def _tag_of(member: Member) -> bytes:
    name = member.host + member.port.to_bytes(4, "big") + member.unique_id
    return hashlib.blake2b(b"java" + name, digest_size=VERSION_SIZE - CLOCK_SIZE).digest()
