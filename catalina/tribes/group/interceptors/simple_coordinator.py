"""A leader without messages (Tomcat: interceptors/SimpleCoordinator.java)."""

from __future__ import annotations

import logging

from catalina.reactor import Timer
from catalina.tribes.group.absolute_order import in_absolute_order
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["SimpleCoordinator"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.SimpleCoordinator")

#: The members must stay the same for this many periods of this many seconds.
_PERIODS, _PERIOD = 10, 0.25


class SimpleCoordinator(ChannelInterceptorBase):
    """Makes the first member in absolute order the coordinator once the members have not changed for 2.5 seconds.

    Nodes that see the same members get the same result. Nothing waits for it: until then ``coordinator`` is that of the
    previous view.
    """

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        #: All members, including this one, in absolute order; empty before the first view.
        self.view: tuple[Member, ...] = ()
        self._timer: Timer | None = None

    @property
    def coordinator(self) -> Member | None:
        """The first of the view."""
        return self.view[0] if self.view else None

    @property
    def is_coordinator(self) -> bool:
        """True when this node is the coordinator."""
        return self.coordinator == self.local_member if self.view else False

    def view_change(self, view: tuple[Member, ...]) -> None:
        """Called when a new view is installed; subclasses and instances may replace this. Only in the runner."""
        log.info("View of %d members, coordinator %s", len(view), view[0])

    def member_added(self, member: Member) -> None:
        """Start to wait anew."""
        super().member_added(member)
        self._wait()

    def member_disappeared(self, member: Member) -> None:
        """Start to wait anew."""
        super().member_disappeared(member)
        self._wait()

    def start(self, level: int) -> None:
        """Wait for the first view."""
        super().start(level)
        self.channel.running_reactor.call_soon(self._wait)

    def stop(self, level: int) -> None:
        """Forget the view."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().stop(level)
        self.view = ()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.channel.running_reactor.call_later(_PERIODS * _PERIOD, self._install)

    def _install(self) -> None:
        self._timer = None
        view = in_absolute_order([*self.members, self.local_member])
        if view != self.view:
            self.view = view
            self.view_change(view)
