"""Decides when a manager compares its records with which member: after an absence, and regularly with each in turn."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.ha.session.state_sender import MAX_FRESHENED
from catalina.tribes.ledger.wire import encode
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["Comparisons"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: Seconds between two comparisons in the background, each with the next member.
EVERY_SECONDS = 60.0
#: Seconds after which an unsettled comparison begins again, and the number of attempts.
AGAIN_SECONDS = 5.0
MAX_TRIES = 5


@dataclass(slots=True)
class _Due:
    at: float
    tries: int = 0


class Comparisons:
    """The comparisons of one manager that are due or under way. Any thread may call it; each step is one dictionary
    access.
    """

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager
        self._due: dict[Member, _Due] = {}
        #: Seconds between two comparisons in the background.
        self.every_seconds = EVERY_SECONDS
        self._last_at = manager.monotonic()
        self._turn = 0

    def clear(self) -> None:
        """Forget everything, because the manager stops."""
        self._due.clear()

    def due(self, member: Member, at_once: bool = True) -> None:
        """Compare with a member: immediately, or a moment later if it has just started, because it then asks by itself.

        The comparison begins again until the member says that it is settled.
        """
        self._due[member] = _Due(self._manager.monotonic() + AGAIN_SECONDS)
        if at_once:
            self.begin(member)

    def spread(self, source: Member) -> None:
        """A comparison with ``source`` has brought sessions: compare with the others, who may know that they have
        ended. Each comparison that brings nothing ends this.
        """
        cluster = self._manager.cluster
        for member in () if cluster is None else cluster.members:
            if member != source and member not in self._due and keeps_order(member):
                self.due(member, at_once=False)

    def begin(self, member: Member, is_starting: bool = False) -> None:
        """Send the first message of a comparison."""
        self.when_fresh(member, lambda: self._begin(member, is_starting))

    def _begin(self, member: Member, is_starting: bool) -> None:
        manager = self._manager
        with manager.lock:
            message = manager.reconciler.begin(is_starting)
        manager.post_ledger(encode(message), member)

    def when_fresh(self, member: Member, step: Callable[[], None]) -> None:
        """Take a step that needs the sums of all buckets.

        It runs immediately when few records have changed since the sums were computed, otherwise once the state
        sender's thread has computed them, so that no request waits for that.
        """
        manager = self._manager
        with manager.lock:
            is_fresh = manager.reconciler.refresh(MAX_FRESHENED)
        if is_fresh and not manager.state_sender.is_busy_with(member):
            step()
        else:
            manager.state_sender.freshen(member, step)

    def goes_on(self, member: Member) -> None:
        """Records come from the member, so a comparison that is under way need not begin again yet."""
        due = self._due.get(member)
        if due is not None:
            due.at = self._manager.monotonic() + AGAIN_SECONDS

    def is_due(self, member: Member) -> bool:
        """True when a comparison with a member is not finished."""
        return member in self._due

    def settled(self, member: Member) -> None:
        """The member has sent everything that a comparison asked of it."""
        self._due.pop(member, None)

    def tick(self) -> None:
        """Begin the comparisons that are due. The background tick calls this."""
        manager = self._manager
        now = manager.monotonic()
        members = [] if manager.cluster is None else [each for each in manager.cluster.members if keeps_order(each)]
        for member, due in list(self._due.items()):
            if member not in members or due.tries >= MAX_TRIES:
                self._due.pop(member, None)
            elif due.at <= now:
                due.at, due.tries = now + AGAIN_SECONDS, due.tries + 1
                self.begin(member)
        if now >= self._last_at + self.every_seconds and members:
            self._last_at = now
            self._turn += 1
            self.begin(members[self._turn % len(members)])
