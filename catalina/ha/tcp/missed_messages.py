"""Which members did not get what they should have, and are still there.

A member that reads nothing for a while (its machine swaps, a cable is loose) loses messages and stays in the group:
TcpFailureDetector finds it alive. Its copies of the sessions are stale from then on, and it would serve them after a
failover. So it is noted here, and given the state again on the cluster's next background tick.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.errors import ChannelError
    from catalina.tribes.channel import Delivery

__all__ = ["MissedMessages"]

log = logging.getLogger("org.apache.catalina.ha.tcp.SimpleTcpCluster")


class MissedMessages:
    """The error handler of a cluster's messages. Any thread; each method is one step on a dictionary."""

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}

    def handle_error(self, error: ChannelError, unique_id: bytes) -> None:
        """A message that was sent in the background did not reach some members."""
        self._note(error.faulty, error)

    def handle_completion(self, unique_id: bytes) -> None:
        """A message that was sent in the background has reached everybody: nothing to do."""

    def delivered(self, delivery: Delivery) -> None:
        """A message that an answer waited for is done, for better or worse."""
        if delivery.faulty:
            self._note(delivery.faulty, next(iter(delivery.faulty.values())))

    def not_sent(self, members: Iterable[Member], error: BaseException) -> None:
        """A change never left: its members have missed it like one that was lost on the way."""
        self._note(members, error)

    def _note(self, members: Iterable[object], error: BaseException) -> None:
        for member in members:
            if not isinstance(member, Member):
                continue
            if member in self._members:
                log.debug("Unable to send message through cluster sender to [%s]: %s", member.name, error)
            else:  # once for each time of trouble, not for each message
                self._members[member] = None
                log.error("Unable to send message through cluster sender to [%s]: %s", member.name, error)

    def take(self, present: Iterable[Member]) -> list[Member]:
        """The members of ``present`` that have missed something, in their order; all are forgotten."""
        noted, self._members = self._members, {}
        return [member for member in present if member in noted]
