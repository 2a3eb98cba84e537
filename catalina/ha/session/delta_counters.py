"""Counts the messages of each kind that a DeltaManager has sent and received, under the names of Tomcat's bean."""

from __future__ import annotations

from collections import Counter

from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    EVT_CHANGE_SESSION_ID,
    EVT_GET_ALL_SESSIONS,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
)
from catalina.operations import Long, readable

__all__ = ["DeltaCounters"]


def _sent(name: str, event: int) -> property:
    @readable(f"counterSend_EVT_{name}", doc="Messages of that kind that this node has sent.")
    def count(self: DeltaCounters) -> Long:
        return self.sent[event]

    return property(count)


def _received(name: str, event: int) -> property:
    @readable(f"counterReceive_EVT_{name}", doc="Messages of that kind that this node has received.")
    def count(self: DeltaCounters) -> Long:
        return self.received[event]

    return property(count)


class DeltaCounters:
    """Counters by ``EVT_`` number, for the bean to show."""

    sent: Counter[int]
    received: Counter[int]

    sent_created = _sent("SESSION_CREATED", EVT_SESSION_CREATED)
    sent_expired = _sent("SESSION_EXPIRED", EVT_SESSION_EXPIRED)
    sent_accessed = _sent("SESSION_ACCESSED", EVT_SESSION_ACCESSED)
    sent_delta = _sent("SESSION_DELTA", EVT_SESSION_DELTA)
    sent_new_id = _sent("CHANGE_SESSION_ID", EVT_CHANGE_SESSION_ID)
    sent_get_all = _sent("GET_ALL_SESSIONS", EVT_GET_ALL_SESSIONS)
    sent_all_data = _sent("ALL_SESSION_DATA", EVT_ALL_SESSION_DATA)
    sent_complete = _sent("ALL_SESSION_TRANSFERCOMPLETE", EVT_ALL_SESSION_TRANSFERCOMPLETE)
    sent_no_context = _sent("ALL_SESSION_NOCONTEXTMANAGER", EVT_ALL_SESSION_NOCONTEXTMANAGER)
    sent_ledger = _sent("LEDGER", EVT_LEDGER)
    received_created = _received("SESSION_CREATED", EVT_SESSION_CREATED)
    received_expired = _received("SESSION_EXPIRED", EVT_SESSION_EXPIRED)
    received_accessed = _received("SESSION_ACCESSED", EVT_SESSION_ACCESSED)
    received_delta = _received("SESSION_DELTA", EVT_SESSION_DELTA)
    received_new_id = _received("CHANGE_SESSION_ID", EVT_CHANGE_SESSION_ID)
    received_get_all = _received("GET_ALL_SESSIONS", EVT_GET_ALL_SESSIONS)
    received_all_data = _received("ALL_SESSION_DATA", EVT_ALL_SESSION_DATA)
    received_complete = _received("ALL_SESSION_TRANSFERCOMPLETE", EVT_ALL_SESSION_TRANSFERCOMPLETE)
    received_no_context = _received("ALL_SESSION_NOCONTEXTMANAGER", EVT_ALL_SESSION_NOCONTEXTMANAGER)
    received_ledger = _received("LEDGER", EVT_LEDGER)
