"""The cost of the stages of a replicated request, each measured alone in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.session_message import EVT_SESSION_DELTA, SessionMessage, encode_message
from tests.ha.support import Node, two_nodes

__all__ = ["measure"]

_LOOPS = 20_000


def _micros(call: Callable[[], Any]) -> float:
    """The best of five runs, in microseconds per call: what is added by others is left out."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(_LOOPS // 5):
            call()
        best = min(best, (time.perf_counter() - began) / (_LOOPS // 5))
    return best * 1e6


def measure() -> dict[str, float]:
    """Stage -> microseconds."""
    logger = logging.getLogger("org.apache.catalina")
    level = logger.level
    logger.setLevel(logging.ERROR)  # two nodes of one process start one by one
    try:
        _, a, b = two_nodes()
        return {**_on_the_primary(a, b), **_on_the_backup(a, b)}
    finally:
        logger.setLevel(level)


def _on_the_primary(a: Node, b: Node) -> dict[str, float]:
    manager: DeltaManager = a.manager
    session: Any = manager.create_session()
    a.request(session)
    counter = iter(range(10**9))

    def change() -> None:
        session.set_attribute("count", session.get_attribute("count", 0) + 1)

    def delta() -> Any:
        session._changed["count"] = True
        session._attributes["count"] = next(counter)
        return session.take_delta()

    body = delta()
    cluster = a.cluster
    channel, cluster.channel = cluster.channel, SimpleNamespace(members=tuple(cluster.members))  # type: ignore[assignment]
    post, cluster.post_all = cluster.post_all, lambda *_, **__: None  # type: ignore[method-assign]

    def complete() -> None:
        change()
        manager.request_completed(session, None)

    numbers = {
        "find the session and note the access": _micros(lambda: (manager.find_session(session.id), session.access())),
        "read and set one attribute": _micros(change),
        "find what changed and encode it, as a delta": _micros(delta),
        "put the delta into a message": _micros(
            lambda: encode_message(EVT_SESSION_DELTA, "/app", body, session.id, f"{session.id}-1", 1)
        ),
        "all of the above at the end of a request": _micros(complete),
        "note the end of the access": _micros(session.end_access),
    }
    cluster.channel = channel
    cluster.post_all = post  # type: ignore[method-assign]
    return numbers


def _on_the_backup(a: Node, b: Node) -> dict[str, float]:
    manager: DeltaManager = a.manager
    session: Any = manager.create_session()
    session.set_attribute("count", 0)
    a.request(session)
    cluster = a.cluster
    posted: list[bytes] = []
    post = cluster.post_all
    cluster.post_all = lambda messages, *_, **__: posted.extend(bytes(data) for data, _ in messages)  # type: ignore[method-assign]
    for count in range(1, _LOOPS + 1):  # a message for each application, because an old version changes nothing
        session.set_attribute("count", count)
        manager.request_completed(session, None)
    cluster.post_all = post  # type: ignore[method-assign]
    body = SessionMessage.decode(posted[0]).session or b""
    sender = a.channel.local_member
    waiting = iter(posted)
    return {
        "backup: read the message": _micros(lambda: SessionMessage.decode(posted[0])),
        "backup: read the delta": _micros(lambda: DeltaRequest.decode(body)),
        "backup: read and apply": _micros(lambda: b.cluster.dispatch(SessionMessage.decode(next(waiting)), sender)),
    }
