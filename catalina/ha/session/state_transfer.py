"""Gets the sessions of the group before the application starts (Tomcat: DeltaManager.getAllClusterSessions).

It asks a Python node first, whose records stream in while changes of other nodes arrive; versions tell which are later.
A Java node sends its whole state at once. The wait ends ``stateTransferTimeout`` after the last block that came, not
after the beginning, so that a large state may take its time.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
from enum import Enum
from typing import TYPE_CHECKING

from catalina.ha.session.session_message import EVT_GET_ALL_SESSIONS, SessionMessage
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order
from catalina.util.java_dates import java_date

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["StateTransfer", "get_all_sessions"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: Seconds of silence of the asked member after which another one is asked, too.
SILENCE_SECONDS = 10.0
#: Seconds after which a Java node that asked back is asked again: it waits itself, and has dropped our question.
ASK_AGAIN_SECONDS = 1.0
#: Seconds between two checks that the asked member is still there.
LOOK_SECONDS = 0.5
#: The number of records from which on a state is large.
MANY_RECORDS = 5000
#: Seconds between two log lines about the progress.
REPORT_SECONDS = 5.0


def get_all_sessions(name: str, now_ms: int) -> SessionMessage:
    """The question for the state of the manager ``name``, in Java's form."""
    return SessionMessage(EVT_GET_ALL_SESSIONS, name, None, "GET-ALL", f"GET-ALL-{name}", now_ms)


class _Outcome(Enum):
    COMPLETE = "all of it came"
    NO_CONTEXT = "that node has no such application"
    GONE = "that node has left"
    SILENT = "nothing came for a while"
    TIMED_OUT = "stateTransferTimeout is over"
    STOPPED = "the manager stops"


class StateTransfer:
    """Asks for the state and waits for it; one transfer at a time.

    The thread that reads the group's messages calls ``received_*``; a thread that may wait calls :meth:`fetch`.

    Attributes:
        is_waiting: a transfer is under way.
        received: the number of records that have come in this transfer.
        expected: the number of records that the asked member has; 0 while it is unknown.
    """

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager
        self._news = manager.surroundings.event()
        self._monotonic = manager.monotonic
        self._answer: _Outcome | None = None
        self._stopping = False
        self._asked: Member | None = None
        self._last_block = 0.0
        self._asked_back_at = float("inf")
        self.is_waiting = False
        self._collector = threading.Lock()
        self._paused_collections = False
        self.received = 0
        self.expected = 0

    def stop(self) -> None:
        """Make a waiting fetch give up."""
        self._stopping = True
        self._news.set()

    # -- in the reading thread -----------------------------------------------------------------------------------

    def expect(self, sender: Member, records: int) -> None:
        """A member says how many records it has."""
        if sender == self._asked:
            self.expected = records

    def asked_back(self, sender: Member) -> None:
        """A member asks for this node's state."""
        if self.is_waiting and sender == self._asked and not keeps_order(sender):
            self._asked_back_at = self._monotonic()

    def received_data(self, records: int = 0) -> None:
        """A block of the state came."""
        self.received += records
        if self.received >= MANY_RECORDS:
            self._pause_collections()
        self._last_block = self._monotonic()
        self._asked_back_at = float("inf")
        self._news.set()

    def received_complete(self, sender: Member) -> None:
        """A member has sent all its sessions."""
        if self.is_waiting and sender == self._asked:
            self._answer = _Outcome.COMPLETE
            self._manager.state_transferred = True
            self._news.set()

    def received_no_context(self) -> None:
        """The asked node does not run this application."""
        self._answer = _Outcome.NO_CONTEXT
        self._news.set()

    # -- in the thread that starts the application ---------------------------------------------------------------

    def fetch(self) -> bool:
        """Get the state from any member that has it; returns True if it came."""
        manager = self._manager
        self._stopping = False
        self.received = self.expected = 0
        began = self._last_block = self._monotonic()
        began_ms = manager.now_ms()
        tried: list[Member] = []
        self.is_waiting = True
        try:
            while (member := self._next_member(tried)) is not None:
                outcome = self._ask(member)
                tried.append(member)
                waited_ms = int((self._monotonic() - began) * 1000)
                if self._is_final(outcome, began_ms, waited_ms):
                    return outcome is _Outcome.COMPLETE
            return False
        finally:
            self.is_waiting = False
            self._asked = None
            self._go_on_collecting()
            self._compare_with_the_others()

    # A state is millions of objects, and none of them is garbage. While they come, the collector would look at all of
    # them again and again, which takes longer than receiving them, and once more at each later full collection.

    def _pause_collections(self) -> None:
        with self._collector:
            if self.is_waiting and not self._paused_collections and gc.isenabled():
                self._paused_collections = True
                gc.collect(1)  # collect young garbage first, so that it is not kept
                gc.disable()

    def _go_on_collecting(self) -> None:
        with self._collector:
            if self._paused_collections:
                self._paused_collections = False
                gc.freeze()
                gc.enable()

    def _compare_with_the_others(self) -> None:
        """Compare with the other members: they may have sent changes before they saw this node, which are not in the
        state.
        """
        cluster = self._manager.cluster
        for member in () if cluster is None or self._stopping else cluster.members:
            if keeps_order(member):
                self._manager.comparisons.due(member)

    def _is_final(self, outcome: _Outcome, began_ms: int, waited_ms: int) -> bool:
        """Log the outcome; returns True when no other member need be asked."""
        name = self._manager.name
        sent_at = java_date(began_ms)
        if outcome is _Outcome.COMPLETE:
            log.info("Manager [%s]; session state sent at [%s] received in [%s] ms.", name, sent_at, f"{waited_ms:,}")
        elif outcome is _Outcome.TIMED_OUT:
            if self._manager.state_transfer_timeout > 0:
                log.error(
                    "Manager [%s]: No session state sent at [%s] received, timing out after [%s] ms.",
                    name, sent_at, f"{waited_ms:,}",
                )  # fmt: skip
        elif outcome is _Outcome.NO_CONTEXT:
            log.warning(
                "Manager [%s]: In reply to the 'Get all session data' message sent at [%s], a 'No matching context "
                "manager' message was received after [%s] ms.",
                name, sent_at, f"{waited_ms:,}",
            )  # fmt: skip
            return False
        elif outcome in (_Outcome.GONE, _Outcome.SILENT):
            log.warning("Manager [%s]: no session state so far, %s; asking the next member", name, outcome.value)
            return False
        return True

    def _next_member(self, tried: list[Member]) -> Member | None:
        """The oldest Python member that was not asked yet, then the oldest Java member."""
        cluster = self._manager.cluster
        members = () if cluster is None else cluster.members
        for member in sorted(members, key=lambda each: not keeps_order(each)):  # the sort keeps the order of age
            if member not in tried:
                return member
        silent = [member for member in members if member in tried and self._answer is not _Outcome.NO_CONTEXT]
        if not silent:
            return None
        tried.clear()  # all were silent: begin again, until stateTransferTimeout is over
        return silent[0]

    def _ask(self, member: Member) -> _Outcome:
        manager = self._manager
        cluster = manager.cluster
        if cluster is None:
            return _Outcome.GONE
        self._answer = None
        self._asked, self._asked_back_at = member, float("inf")
        self._news.clear()
        if keeps_order(member):
            manager.comparisons.begin(member, is_starting=True)
        else:
            cluster.post(get_all_sessions(manager.name, manager.now_ms()), member, SEND_OPTIONS_ASYNCHRONOUS)
            manager.count_sent(EVT_GET_ALL_SESSIONS)
        log.info(
            "Manager [%s], requesting session state from [%s]. This operation will timeout if no session state has "
            "been received within [%s] seconds.",
            manager.name, member.name, manager.state_transfer_timeout,
        )  # fmt: skip
        reactor = cluster.channel.reactor if cluster.channel is not None else None
        with reactor.blocking() if reactor is not None else contextlib.nullcontext():
            return self._wait(member)

    def _wait(self, member: Member) -> _Outcome:
        asked_at = reported_at = self._monotonic()
        timeout = self._manager.state_transfer_timeout
        while True:
            if self._stopping:
                return _Outcome.STOPPED
            if self._answer is not None:
                return self._answer
            now = self._monotonic()
            deadline = self._last_block + timeout if timeout >= 0 else float("inf")
            if now >= deadline:
                return _Outcome.TIMED_OUT
            cluster = self._manager.cluster
            if cluster is None or member not in cluster.members:
                return _Outcome.GONE
            is_silent = now - max(asked_at, self._last_block) >= SILENCE_SECONDS
            if is_silent or now - self._asked_back_at >= ASK_AGAIN_SECONDS:
                return _Outcome.SILENT
            if now - reported_at >= REPORT_SECONDS:
                reported_at = now
                log.info("Manager [%s]: [%s] of [%s] sessions received from [%s]", self._manager.name,
                         f"{self.received:,}", f"{self.expected:,}" if self.expected else "?", member.name)  # fmt: skip
            if not self._news.wait(min(LOOK_SECONDS, deadline - now)):
                self._go_on_collecting()  # no records come at the moment
            self._news.clear()
