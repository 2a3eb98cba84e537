"""Notes members that missed a message although they are still there.

A member that reads nothing for a while (because its machine swaps, or a cable is loose) loses messages but stays in the
group, because TcpFailureDetector finds it alive. From then on its copies of sessions are stale, and it would serve them
after a failover. So it is noted here, and the managers compare their sessions with it.

A member is silent when it did not acknowledge a message that an answer waited for: no other answer waits for it until
it has acknowledged a probe. So a frozen member costs each request that was under way one time-out, and later requests
nothing.
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
        #: Members that have not acknowledged a message; each acknowledged probe removes one. Every sender reads this.
        self.silent: dict[Member, None] = {}

    def handle_error(self, error: ChannelError, unique_id: bytes) -> None:
        """A message that was sent in the background did not reach some members."""
        self._note(error.faulty, error)

    def handle_completion(self, unique_id: bytes) -> None:
        """Nothing to do: a message that was sent in the background has reached every member."""

    def delivered(self, delivery: Delivery) -> None:
        """A message that an answer waited for is done, successfully or not."""
        if delivery.faulty:
            self.silent.update(dict.fromkeys(delivery.faulty))
            self._note(delivery.faulty, next(iter(delivery.faulty.values())))

    def heard(self, member: Member) -> None:
        """A silent member has acknowledged a probe, or has gone."""
        self.silent.pop(member, None)

    def not_sent(self, members: Iterable[Member], error: BaseException) -> None:
        """A change never left this node, so its members have missed it, as if it were lost on the way."""
        self._note(members, error)

    def _note(self, members: Iterable[object], error: BaseException) -> None:
        for member in members:
            if not isinstance(member, Member):
                continue
            if member in self._members:
                log.debug("Unable to send message through cluster sender to [%s]: %s", member.name, error)
            else:  # once for each outage, not for each message
                self._members[member] = None
                log.error("Unable to send message through cluster sender to [%s]: %s", member.name, error)

    def take(self, present: Iterable[Member]) -> list[Member]:
        """The members of ``present`` that have missed a message, in their order; all are forgotten except the silent
        ones.
        """
        noted, self._members = self._members, dict(self.silent)
        return [member for member in present if member in noted and member not in self.silent]
