"""Checks farewells before they are believed.

A farewell carries no proof: anybody who can send heartbeats can send one in the name of a member. A member that was
removed would come back with its next heartbeat and have its sessions transferred, again and again. So a farewell only
makes the member doubtful. It is removed as soon as its receiver accepts no connection, which takes milliseconds after a
real farewell, or when it was silent for a few heartbeats, because another process may already answer at its address.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from catalina.reactor import Timer
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.member import Member

__all__ = ["Farewells", "Probe"]

log = logging.getLogger("org.apache.catalina.tribes.membership.McastServiceImpl")

#: Seconds after the farewell at which the receiver is probed again.
_LOOKS = (0.2, 1.0)
#: Seconds for which further farewells of a member are ignored after a false one.
_DEAF_SECONDS = 10.0
#: Farewells that are checked at the same time; no group has more members.
_MAX_CLAIMS = 1000


class Asked(Protocol):
    """A probe that is on its way."""

    def cancel(self) -> None: ...


#: Checks if a member accepts a connection.
Probe = Callable[[Member, Callable[[bool], None]], Asked]


class _Reactor(Protocol):
    def call_later(self, seconds: float, callback: Callable[[], None], /) -> Timer: ...


class Farewells:
    """Checks the farewells of all members. All methods are called in the runner.

    Args:
        reactor: the loop.
        probe: checks if a member accepts a connection.
        silence: returns the seconds since a member was heard; None when it is no member any more.
        enough: seconds of silence after which a farewell is believed.
        gone: called once with a member whose farewell was true.
        now: the channel's clock.
    """

    def __init__(
        self,
        reactor: _Reactor,
        probe: Probe,
        silence: Callable[[Member], float | None],
        enough: float,
        gone: Callable[[Member], None],
        now: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._probe = probe
        self._silence = silence
        self._enough = enough
        self._gone = gone
        self._now = now
        self._claims: dict[Member, float] = {}
        self._false: dict[Member, float] = {}
        self._asked: dict[Member, Asked] = {}
        self._repeated = RepeatedMessages(log, clock=now)

    def heard(self, member: Member) -> None:
        """Somebody has sent a farewell in the name of a present member."""
        now = self._now()
        self._false = {each: at for each, at in self._false.items() if now - at < _DEAF_SECONDS}
        if member in self._claims or member in self._false or len(self._claims) >= _MAX_CLAIMS:
            return
        self._claims[member] = now
        self._ask(member, now)
        for seconds in _LOOKS:
            self._reactor.call_later(seconds, partial(self._ask, member, now))
        self._reactor.call_later(self._enough, partial(self._look, member, now))

    def clear(self) -> None:
        """Stop checking. Only in the runner."""
        self._claims.clear()
        asked, self._asked = self._asked, {}
        for each in asked.values():
            each.cancel()

    def _ask(self, member: Member, claimed: float) -> None:
        if self._claims.get(member) == claimed and member not in self._asked:
            self._asked[member] = self._probe(member, partial(self._judge, member, claimed))

    def _judge(self, member: Member, claimed: float, alive: bool) -> None:
        self._asked.pop(member, None)
        if not alive and self._claims.get(member) == claimed:
            self._believe(member)

    def _look(self, member: Member, claimed: float) -> None:
        if self._claims.get(member) != claimed:
            return
        silence = self._silence(member)
        if silence is None:
            del self._claims[member]
        elif silence >= self._enough:
            self._believe(member)
        elif self._now() - claimed >= 2 * self._enough:
            self._disbelieve(member)
        else:
            self._reactor.call_later(self._enough - silence + 0.005, partial(self._look, member, claimed))

    def _believe(self, member: Member) -> None:
        del self._claims[member]
        self._gone(member)

    def _disbelieve(self, member: Member) -> None:
        """Drop the doubt: the member accepts connections and is heard."""
        del self._claims[member]
        self._false[member] = self._now()
        self._repeated.log(
            logging.WARNING,
            "farewells of members that are still there",
            "Somebody has said farewell in the name of [%s], which is still there",
            member,
        )
