"""Reports the sessions of an application by idle time, and ends idle sessions by command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.manager.asked import Refused, html_escaped

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.util.context_name import ContextName

__all__ = ["session_report"]

#: Lines of a report, at most.
BUCKETS = 60


def session_report(context: StandardContext, name: ContextName, idle_minutes: int = -1) -> list[str]:
    """Count the sessions in steps of minutes, and end those that are idle for so long.

    Args:
        idle_minutes: end sessions idle for so many minutes; negative ends none.

    Raises:
        Refused: the application has no session manager.
    """
    manager = context.manager
    if manager is None:
        raise Refused(f"No manager exists for path [{html_escaped(name.display_name)}]")
    longest = context.session_timeout
    width = max(1, -(-longest // BUCKETS)) if longest > 0 else 1
    count = -(-longest // width) if longest > 0 else BUCKETS
    found: Counter[int] = Counter()
    expired = 0
    for session in manager.find_sessions():
        seconds = session.idle_ms() // 1000
        if 0 <= idle_minutes * 60 <= seconds:
            session.expire()
            expired += 1
        found[min(seconds // 60 // width, count)] += 1
    lines = [
        f"OK - Session information for application at context path [{name.display_name}]",
        f"Default maximum session inactive interval is [{longest}] minutes",
        *(f"Inactive for [{text}] minutes: [{number}] sessions" for text, number in _lines(found, width, count)),
    ]
    if idle_minutes >= 0:
        lines.append(f"Inactive for [>{idle_minutes}] minutes: [{expired}] sessions were expired")
    return lines


def _lines(found: Counter[int], width: int, count: int) -> Iterator[tuple[str, int]]:
    for bucket, number in sorted(found.items()):
        if bucket >= count:
            yield f">={count * width}", number
        elif bucket <= 0:
            yield f"<{width}", number
        else:
            yield f"{bucket * width} - <{(bucket + 1) * width}", number
