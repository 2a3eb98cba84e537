"""Faults put into the product on purpose, each for one run: the simulation must find them.

Each takes away one rule. The table of ``test_mutations.py`` has the finding for each, with a seed that finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from catalina.ha.deploy.farm_introductions import FarmIntroductions
from catalina.ha.deploy.farm_state import FarmState
from catalina.ha.session.comparisons import Comparisons
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.tribes.io.x_byte_buffer import FrameDecoder
from catalina.tribes.ledger.graves import Graves
from catalina.tribes.ledger.ledger import Change, Ledger
from catalina.tribes.ledger.record import FieldChange, Record
from catalina.tribes.ledger.version import NO_VERSION, Version
from catalina.tribes.transport.nio.nio_replication_task import NioReplicationTask
from catalina.tribes.transport.nio.nio_sender import NioSender

__all__ = ["BELOW", "MUTATIONS", "OF_THE_FARM"]

Patch = pytest.MonkeyPatch


def _arrival_order(patch: Patch) -> None:
    """A change that comes is applied, whatever is known that is later."""

    def take(self: Ledger, record: Record, changes: Iterable[Change], version: Version) -> list[FieldChange]:
        self.clock.heard(version)
        taken: list[FieldChange] = []
        for name, value in changes:
            record.versions.pop(name, None)
            old, record.floor = record.value_of(name), NO_VERSION
            record.take(name, value, version)
            taken.append((name, old, value))
        self.changed_buckets.add(record.bucket)
        record.access = max(record.access, version)
        return taken

    patch.setattr(Ledger, "take", take)


def _values_in_hands_forgotten(patch: Patch) -> None:
    """A value that a request holds while another node replaces it is not compared with the form it was read in."""
    patch.setattr(DeltaSession, "_keep_replaced", lambda *_: None)


def _missed_messages_ignored(patch: Patch) -> None:
    """A member that a message did not reach is not told later what it has missed."""
    patch.setattr(DeltaManager, "member_missed_messages", lambda *_: None)


def _no_comparison_on_return(patch: Patch) -> None:
    """A member that is seen again is not compared with."""
    patch.setattr(DeltaManager, "member_added", lambda *_: None)


def _no_comparison_in_the_background(patch: Patch) -> None:
    """A comparison is begun for a reason only, never because a minute has passed."""
    begin = Comparisons.begin

    def only_due(self: Comparisons, member: Any, is_starting: bool = False) -> None:
        if is_starting or self.is_due(member):
            begin(self, member, is_starting)

    patch.setattr(Comparisons, "begin", only_due)


def _ends_forgotten(patch: Patch) -> None:
    """No end is remembered."""
    dig = Graves.dig

    def dig_and_forget(self: Graves, key: str, *what: Any) -> Any:
        result = dig(self, key, *what)
        self._take(key)
        return result

    patch.setattr(Graves, "dig", dig_and_forget)


def _alias_forgotten(patch: Patch) -> None:
    """The other names of a record lead nowhere."""
    patch.setattr(Ledger, "_index", lambda *_: None)


def _replaced_name_lives(patch: Patch) -> None:
    """The id that a login has replaced still lets its client in."""
    patch.setattr(Record, "leads_here", lambda self, bare: bare in self.names)


def _copy_expires(patch: Patch) -> None:
    """A copy that counts as idle ends the session for the group, whoever uses it."""
    heard_end = Ledger.heard_end

    def heard(self: Ledger, peer: Any, full_id: str, version: Version, access: Version | None, now: float) -> Any:
        record = self.addressed(full_id)
        return heard_end(self, peer, full_id, version, None if record is None else access and record.access, now)

    patch.setattr(Ledger, "heard_end", heard)


def _clock_behind(patch: Patch) -> None:
    """A node makes versions by its own wall clock, and does not hear those of others."""
    from catalina.tribes.ledger.version import VersionClock

    patch.setattr(VersionClock, "heard", lambda *_: None)


def _acknowledged_before_applied(patch: Patch) -> None:
    """The receiver acknowledges at once, and hands the message on a moment later. In level 3."""
    init = NioReplicationTask.__init__

    def begin(self: NioReplicationTask, sock: Any, peer: str, reactor: Any, deliver: Any, *rest: Any) -> None:
        init(self, sock, peer, reactor, lambda message: reactor.call_later(0.05, lambda: deliver(message)), *rest)

    patch.setattr(NioReplicationTask, "__init__", begin)


def _half_frames_forgotten(patch: Patch) -> None:
    """A frame that has come in part is dropped when more of it comes. In level 3."""
    receive = FrameDecoder.receive_data

    def receive_data(self: FrameDecoder, data: bytes) -> Any:
        self._buffer.clear()
        return receive(self, data)

    patch.setattr(FrameDecoder, "receive_data", receive_data)


def _not_sent_again(patch: Patch) -> None:
    """Messages that were not confirmed when a connection broke are taken for sent. In level 3."""
    patch.setattr(NioSender, "_unconfirmed", lambda *_: [])


def _farm_offers_nothing(patch: Patch) -> None:
    """A member that is seen again is not offered the archives that it may lack. In the farm."""
    patch.setattr(FarmIntroductions, "member_added", lambda *_: None)


def _farm_removals_forgotten(patch: Patch) -> None:
    """Offers do not name the archives that were taken away. In the farm."""
    patch.setattr(FarmState, "removals", [])


#: Those of the farm.
OF_THE_FARM = ("farm offers nothing", "farm removals forgotten")

#: Those that only level 3 can find: they are below the channel.
BELOW = ("acknowledged before applied", "half frames forgotten", "not sent again")

MUTATIONS: dict[str, Callable[[Patch], None]] = {
    each.__name__.strip("_").replace("_", " "): each
    for each in (
        _arrival_order,
        _values_in_hands_forgotten,
        _missed_messages_ignored,
        _no_comparison_on_return,
        _no_comparison_in_the_background,
        _ends_forgotten,
        _alias_forgotten,
        _replaced_name_lives,
        _copy_expires,
        _clock_behind,
        _acknowledged_before_applied,
        _half_frames_forgotten,
        _not_sent_again,
        _farm_offers_nothing,
        _farm_removals_forgotten,
    )
}
