"""Gets the sessions that the group already has, before this node takes requests.

Tomcat: DeltaManager.getAllClusterSessions, waitForSendAllSessions.

While it waits, messages about single sessions are queued; afterwards those are applied that are not older than the
state that came (wire reference 5.2). Beyond Tomcat: a member that is silent, leaves, or has no such application is not
the last word; the next one is asked.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from catalina.ha.session.session_message import EVT_GET_ALL_SESSIONS, SessionMessage
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["StateTransfer", "get_all_sessions"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: A member that has sent nothing of the state for so long: ask another one too.
SILENCE_SECONDS = 10.0
#: A member that asks back is waiting itself; if it has not answered after so long it has dropped the question.
ASK_AGAIN_SECONDS = 1.0
#: How often it is checked whether the member that was asked is still there.
LOOK_SECONDS = 0.5
#: Messages that wait for the state; the oldest are dropped, their sessions are in the state.
MAX_QUEUED = 200_000


def get_all_sessions(name: str, now_ms: int) -> SessionMessage:
    """The question for the state of the manager ``name``."""
    return SessionMessage(EVT_GET_ALL_SESSIONS, name, None, "GET-ALL", f"GET-ALL-{name}", now_ms)


class _Outcome(Enum):
    COMPLETE = "all of it came"
    NO_CONTEXT = "that node has no such application"
    GONE = "that node has left"
    SILENT = "nothing came for a while"
    TIMED_OUT = "stateTransferTimeout is over"
    STOPPED = "the manager stops"


class StateTransfer:
    """Asks, waits, and plays the queue; one transfer at a time.

    ``received_*`` are called in the thread that reads the group's messages, :meth:`fetch` in one that may wait.
    """

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()
        self._queue: deque[tuple[SessionMessage, Member]] = deque(maxlen=MAX_QUEUED)
        self._news = threading.Event()
        self._answer: _Outcome | None = None
        self._stopping = False
        self._reference_ms = 0
        self._asked: Member | None = None
        self._asked_back_at = float("inf")
        self.queueing = False

    def stop(self) -> None:
        """A fetch that waits gives up."""
        self._stopping = True
        self._news.set()

    # -- in the reading thread -----------------------------------------------------------------------------------

    def queued(self, message: SessionMessage, sender: Member) -> bool:
        """Keep the message for later if a transfer is under way; returns whether it was kept.

        The question of the very node that was asked is not kept: each would wait for the other. It is answered with
        what is here, and that node is asked again soon, for a Java node that waits itself drops questions.
        """
        if not self.queueing:
            return False
        if message.event == EVT_GET_ALL_SESSIONS and sender == self._asked:
            self._asked_back_at = time.monotonic()
            return False
        with self._lock:
            if self.queueing:
                self._queue.append((message, sender))
            return self.queueing

    def received_data(self) -> None:
        """A block of the state came."""
        self._news.set()

    def received_complete(self, timestamp_ms: int | None) -> None:
        """The state is complete; ``timestamp_ms`` is when it was taken."""
        if timestamp_ms is not None:
            self._reference_ms = timestamp_ms
        self._answer = _Outcome.COMPLETE
        self._news.set()

    def received_no_context(self) -> None:
        """The node that was asked does not run this application."""
        self._answer = _Outcome.NO_CONTEXT
        self._news.set()

    # -- in the thread that starts the application ---------------------------------------------------------------

    def fetch(self) -> bool:
        """Get the state from whoever has it, oldest member first; returns whether it came."""
        manager = self._manager
        self._stopping = False
        timeout = manager.state_transfer_timeout
        began = time.monotonic()
        deadline = began + timeout if timeout >= 0 else float("inf")
        began_ms = self._reference_ms = manager.now_ms()
        tried: list[Member] = []
        self.queueing = True
        try:
            while (member := self._next_member(tried)) is not None:
                outcome = self._ask(member, deadline)
                tried.append(member)
                waited_ms = int((time.monotonic() - began) * 1000)
                if self._is_final(outcome, began_ms, waited_ms):
                    return outcome is _Outcome.COMPLETE
            return False
        finally:
            self._play_queue()

    def _is_final(self, outcome: _Outcome, began_ms: int, waited_ms: int) -> bool:
        """Log the outcome; whether to stop asking."""
        name = self._manager.name
        sent_at = time.strftime("%a %b %d %H:%M:%S %Z %Y", time.localtime(began_ms / 1000))
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
        cluster = self._manager.cluster
        members = () if cluster is None else cluster.members
        for member in members:
            if member not in tried:
                return member
        silent = [member for member in members if tried.count(member) and self._answer is not _Outcome.NO_CONTEXT]
        if not silent:
            return None
        tried.clear()  # everybody was silent: from the start, until stateTransferTimeout
        return silent[0]

    def _ask(self, member: Member, deadline: float) -> _Outcome:
        manager = self._manager
        cluster = manager.cluster
        if cluster is None:
            return _Outcome.GONE
        name = manager.name
        self._answer = None
        self._asked, self._asked_back_at = member, float("inf")
        self._news.clear()
        message = get_all_sessions(name, manager.now_ms())
        cluster.post(message, member, SEND_OPTIONS_ASYNCHRONOUS)
        manager.count_sent(EVT_GET_ALL_SESSIONS)
        log.info(
            "Manager [%s], requesting session state from [%s]. This operation will timeout if no session state has "
            "been received within [%s] seconds.",
            name, member.name, manager.state_transfer_timeout,
        )  # fmt: skip
        reactor = getattr(cluster.channel, "reactor", None)
        with reactor.blocking() if reactor is not None else contextlib.nullcontext():
            return self._wait(member, deadline)

    def _wait(self, member: Member, deadline: float) -> _Outcome:
        last_news = time.monotonic()
        while True:
            if self._stopping:
                return _Outcome.STOPPED
            if self._answer is not None:
                return self._answer
            now = time.monotonic()
            if now >= deadline:
                return _Outcome.TIMED_OUT
            cluster = self._manager.cluster
            if cluster is None or member not in cluster.members:
                return _Outcome.GONE
            if now - last_news >= SILENCE_SECONDS or now - self._asked_back_at >= ASK_AGAIN_SECONDS:
                return _Outcome.SILENT
            if self._news.wait(min(LOOK_SECONDS, deadline - now)):
                self._news.clear()
                last_news, self._asked_back_at = time.monotonic(), float("inf")

    def _play_queue(self) -> None:
        """Apply what came meanwhile, in its order, until nothing is left; then messages go straight through."""
        manager = self._manager
        while True:
            with self._lock:
                if not self._queue:
                    self.queueing = False
                    return
                batch = list(self._queue)
                self._queue.clear()
            for message, sender in batch:
                if message.event == EVT_GET_ALL_SESSIONS:
                    manager.apply_message(message, sender)  # Tomcat drops it, and the asker waits in vain
                elif manager.state_timestamp_drop and (message.timestamp_ms or 0) < self._reference_ms:
                    log.warning(
                        "Manager [%s]: Drop message [%s] inside GET_ALL_SESSIONS sync phase start date [%s] message "
                        "date [%s]",
                        manager.name, message.event_name, self._reference_ms, message.timestamp_ms,
                    )  # fmt: skip
                else:
                    manager.apply_message(message, sender)
