"""The sessions of an application in HTML: a list that can be sorted, and one session with its attributes.

A value of one of the interpreter's own types is shown as text; for any other only the class is shown, so that looking
runs no code of an application. A value that is still bytes stays bytes.
"""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalina.manager.asked import Asked, Refused
from catalina.manager.page import Html, Links, form, table
from catalina.mbeans.secrets import shown
from catalina.session.standard_session import UNDECODED
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.session.session import Session

__all__ = ["session_detail", "session_list", "sessions_query"]

#: Sessions on one page.
MOST = 1000
_PLAIN = (bool, int, float, complex, str, bytes, bytearray, type(None), datetime.date, datetime.timedelta)
_text = reprlib.Repr()
_text.maxlevel, _text.maxstring, _text.maxother = 3, 200, 200
_text.maxlist = _text.maxdict = _text.maxset = _text.maxtuple = 20

SORTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "id": ("Session id", lambda session: session.id),
    "CreationTime": ("Created", lambda session: session.creation_time_ms),
    "LastAccessedTime": ("Last used", lambda session: session.this_accessed_time_ms),
    "UsedTime": ("Used for", lambda session: session.this_accessed_time_ms - session.creation_time_ms),
    "InactiveTime": ("Idle for", lambda session: session.idle_ms()),
    "TTL": ("Ends in", lambda session: _rest(session)),
}


def sessions_query(name: ContextName) -> str:
    """The query that names an application: ``path=/shop&version=2``."""
    version = f"&version={quote(name.version)}" if name.version else ""
    return f"path={quote(name.path or '/')}{version}"


def session_list(context: StandardContext, name: ContextName, asked: Asked, links: Links) -> Html:
    """The page's content."""
    if context.manager is None:
        raise Refused(f"No manager exists for path [{name.display_name}]")
    sessions: list[Any] = list(context.manager.find_sessions())
    sort, descending = asked["sort"] or "LastAccessedTime", (asked["order"] or "DESC").upper() != "ASC"
    if sort in SORTS:
        sessions.sort(key=SORTS[sort][1], reverse=descending)
    query = sessions_query(name)
    heads = [_heading(key, text, sort, descending, links, query) for key, (text, _) in SORTS.items()]
    rows = [_row(session, links, query) for session in sessions[:MOST]]
    left = len(sessions) - len(rows)
    note = Html("<p>{} more are not shown.</p>").format(left) if left else Html("")
    content = table(
        f"{len(sessions)} sessions of {name.display_name}", [*heads, "Type", "User", "Attributes", "End"], rows
    )
    minutes = Html(
        '<label>idle for at least <input name="idle" type="number" min="0" value="30" required> minutes</label>'
    )
    expire = form(links.to("/html/expire", query), "End sessions", [minutes])
    return content + note + expire


def _heading(key: str, text: str, sort: str, descending: bool, links: Links, query: str) -> Html:
    order = "ASC" if sort == key and descending else "DESC"
    address = links.to("/html/sessions", f"{query}&sort={key}&order={order}")
    arrow = "" if sort != key else " \N{BLACK DOWN-POINTING TRIANGLE}" if descending else (
        " \N{BLACK UP-POINTING TRIANGLE}"
    )  # fmt: skip
    return Html('<a href="{}">{}{}</a>').format(address, text, arrow)


def _row(session: Session, links: Links, query: str) -> list[object]:
    detail = links.to("/html/sessions", f"{query}&action=sessionDetail&sessionId={quote(session.id)}")
    rest = _rest(session)
    user = session.principal.name if session.principal is not None else ""
    end = form(
        links.to("/html/sessions", query), "End", hidden={"action": "invalidateSessions", "sessionIds": session.id},
        label=f"End session {session.id}",
    )  # fmt: skip
    return [
        Html('<a href="{}">{}</a>').format(detail, session.id),
        _when(session.creation_time_ms),
        _when(session.this_accessed_time_ms),
        _lasting(session.this_accessed_time_ms - session.creation_time_ms),
        _lasting(session.idle_ms()),
        "never" if rest == float("inf") else _lasting(int(rest)),
        _type(session),
        user,
        len(session.attribute_names()),
        end,
    ]


def session_detail(context: StandardContext, name: ContextName, session_id: str, links: Links) -> Html:
    """One session. Raises Refused when there is none of that id."""
    manager: Any = context.manager
    session: Any = manager.look_at(session_id) if manager is not None else None
    if session is None or not session.alive:
        raise Refused(f"Session not found [{session_id}]")
    query = sessions_query(name)
    user = session.principal.name if session.principal is not None else "nobody"
    facts = table(
        f"Session of {name.display_name}",
        ["", ""],
        [
            ("Session id", session.id),
            ("Created", _when(session.creation_time_ms)),
            ("Last used", _when(session.this_accessed_time_ms)),
            ("Idle for", _lasting(session.idle_ms())),
            ("May be idle for", f"{session.max_inactive_interval} s"),
            ("User", user),
            ("New", "yes" if session.is_new else "no"),
            ("Type", _type(session)),
        ],
    )
    rows = []
    for attribute in session.attribute_names():
        remove = form(
            links.to("/html/sessions", query), "Remove",
            hidden={"action": "removeSessionAttribute", "sessionId": session.id, "attributeName": attribute},
            label=f"Remove attribute {attribute}",
        )  # fmt: skip
        rows.append((attribute, *described(attribute, session.raw_attribute(attribute)), remove))
    return facts + table(f"{len(rows)} attributes", ["Name", "Class", "Value", "Remove"], rows)


def described(name: str, value: object) -> tuple[str, str]:
    """Class and text of an attribute's value."""
    if value is UNDECODED:
        return "", "(still as it came; no request has read it yet)"
    kind = type(value)
    where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    text = shown(name, _text.repr(value)) if _is_plain(value) else ""
    return where + kind.__qualname__, text


def _is_plain(value: object, depth: int = 4) -> bool:
    """True when only the interpreter's own code makes the text of a value."""
    if type(value) in (list, tuple, set, frozenset, dict):
        inside = [*value.items()] if isinstance(value, dict) else list(value)  # type: ignore[call-overload]  # as told
        return depth > 0 and all(_is_plain(item, depth - 1) for item in inside[:100])
    return type(value) in (*_PLAIN, datetime.datetime, datetime.time)


def _type(session: Session) -> str:
    """The type of a session: primary here, or served by another node."""
    return "Primary" if session.manager.serves(session) else "Backup"


def _rest(session: Session) -> float:
    limit = session.max_inactive_interval
    return max(0, limit * 1000 - session.idle_ms()) if limit > 0 else float("inf")


def _when(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


def _lasting(ms: int) -> str:
    return str(datetime.timedelta(seconds=max(0, ms) // 1000))
