"""Members and what they say, for tests of the page of the group."""

from __future__ import annotations

from typing import Any

from catalina.ha.tcp.live_facts import LiveApplication, LiveNode
from catalina.manager.cluster.picture import Seen
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import ORDERED_PEER

__all__ = ["application", "java", "member", "node", "said"]


def member(last: int, payload: bytes = ORDERED_PEER, alive_ms: int = 1000) -> Member:
    return Member(bytes((10, 0, 0, last)), 4000, unique_id=bytes([last]) * 16, payload=payload, alive_ms=alive_ms)


def application(name: str = "localhost/shop", **values: Any) -> LiveApplication:
    given = {"runs": True, "privileged": False, "failure": "", "manager": "DeltaManager", "primary": 0, "backup": 0,
             "proxy": 0, "owed": 0, "received": -1, "expected": -1}  # fmt: skip
    return LiveApplication(name, **{**given, **values})


def said(route: str, now: float = 1.0, **values: Any) -> LiveNode:
    given = {"software": "Catalina", "python": "CPython 3.11", "uptime": 60.0, "draining": False, "turnover": "on",
             "operable": True, "requests": 0, "errors": 0, "running": 0, "given": 0, "done": 0}  # fmt: skip
    return LiveNode(now=now, route=route, **{**given, **values})


def node(last: int, now: float = 1.0, *, is_local: bool = False, **values: Any) -> Seen:
    """A node ``n<last>`` that answers."""
    return Seen(member(last), is_local, said(f"n{last}", now, **values), silence=None if is_local else 0.2)


def java(last: int) -> Seen:
    return Seen(member(last, b"", alive_ms=90_000), False, silence=0.4)
