"""Gives all sessions of a manager to a node that asks (Tomcat: DeltaManager.handleGET_ALL_SESSIONS)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_data import SessionData, encode_sessions
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    SessionMessage,
)
from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["StateSender"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")

#: With sendAllSessions a block is still cut here: a peer applies it between two requests, and must acknowledge it
#: within the timeout of 3 s.
MAX_BLOCK_SESSIONS = 500
MAX_BLOCK_BYTES = 2**20
#: Nodes that may wait for their turn; one that asks twice waits once.
MAX_ASKERS = 64

_SYNCHRONOUS = SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK


class StateSender:
    """Serves one asker after the other in a thread of its own, which ends when nobody is waiting.

    Encoding thousands of sessions in the thread that reads the group's messages would stop every request meanwhile.
    """

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()
        self._askers: list[Member] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Be ready to serve, again after a stop."""
        self._stopping.clear()

    def answer(self, asker: Member) -> None:
        """Send the state to ``asker`` as soon as those before it have theirs. Any thread; returns at once."""
        with self._lock:
            if self._stopping.is_set() or asker in self._askers:
                return
            if len(self._askers) >= MAX_ASKERS:
                log.warning("Manager [%s]: %d nodes wait for the session state, [%s] must ask again",
                            self._manager.name, MAX_ASKERS, asker.name)  # fmt: skip
                return
            self._askers.append(asker)
            if self._thread is None:
                name = f"DeltaManager-state[{self._manager.name}]"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End after the block that is on its way, and join the thread."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._askers or self._stopping.is_set():
                    self._askers.clear()
                    self._thread = None
                    return
                asker = self._askers[0]
            try:
                self._serve(asker)
            except BaseException:
                log.exception(
                    "Manager [%s]: the session state could not be sent to [%s]", self._manager.name, asker.name
                )
            with self._lock:
                self._askers.pop(0)

    def _serve(self, asker: Member) -> None:
        manager = self._manager
        cluster = manager.cluster
        if cluster is None:
            return
        taken_ms = manager.now_ms()  # changes from now on reach the asker as messages of their own
        name = manager.name
        for number, block in enumerate(self._blocks()):
            if number and not manager.send_all_sessions:
                self._stopping.wait(manager.send_all_sessions_wait_time / 1000)
            if self._stopping.is_set():
                return
            data = SessionMessage(
                EVT_ALL_SESSION_DATA, name, encode_sessions(block), "SESSION-STATE", f"SESSION-STATE-{name}", taken_ms
            )
            if not cluster.send(data, asker, _SYNCHRONOUS):
                return
            manager.count_sent(EVT_ALL_SESSION_DATA)
        complete = SessionMessage(
            EVT_ALL_SESSION_TRANSFERCOMPLETE,
            name,
            None,
            "SESSION-STATE-TRANSFERRED",
            f"SESSION-STATE-TRANSFERRED{name}",
            taken_ms,
        )
        cluster.send(complete, asker)
        manager.count_sent(EVT_ALL_SESSION_TRANSFERCOMPLETE)

    def _blocks(self) -> Iterator[list[SessionData]]:
        """The valid sessions, cut as sendAllSessions says; with it and no session there is one empty block."""
        manager = self._manager
        in_one = manager.send_all_sessions
        most = MAX_BLOCK_SESSIONS if in_one else max(1, manager.send_all_sessions_size)
        block: list[SessionData] = []
        size = 0
        sent = False
        for session in manager.find_sessions():
            if not isinstance(session, DeltaSession) or not session.is_valid:
                continue
            data = session.to_data()
            block.append(data)
            size += sum(len(encoded.data) for encoded in data.attributes.values())
            if len(block) >= most or size >= MAX_BLOCK_BYTES:
                yield block
                block, size, sent = [], 0, True
        if block or (in_one and not sent):
            yield block
