"""What is in the session, and what can be done with one."""

from datetime import datetime, timezone

from catalina.webapp import NotReplicableError, send_error

from examples.page import escape, form_fields, page, redirect, respond

#: What a typed-in text becomes: each travels to the other nodes, Java's among them.
KINDS = {"text": str, "whole number": int, "number": float, "words": str.split, "moment": lambda _: datetime.now(timezone.utc)}


def application(environ, start_response):
    """``/session/`` shows it; the forms post to ``set``, ``remove``, ``change-id``, ``invalidate`` and ``unsendable``."""
    action = environ["PATH_INFO"].strip("/")
    if environ["REQUEST_METHOD"] == "POST":
        return change(environ, start_response, action)
    if action:
        return send_error(environ, start_response, 404)
    return respond(start_response, page(environ, "Session", show(environ), "session"))


def change(environ, start_response, action):
    session = environ["catalina.session"]
    fields = form_fields(environ)
    match action:
        case "set" if fields.get("name"):
            try:
                session[fields["name"]] = KINDS[fields.get("kind", "text")](fields.get("value", ""))
            except (KeyError, ValueError):
                return send_error(environ, start_response, 400, f"{fields.get('value')!r} is no {fields.get('kind')}")
        case "remove":
            if fields.get("name") in session:
                del session[fields["name"]]
        case "change-id":
            if session.id is not None:
                session.change_id()
        case "invalidate":
            session.invalidate()
        case "unsendable":
            return refuse(environ, start_response)
        case _:
            return send_error(environ, start_response, 400, "There is no such action")
    return redirect(environ, start_response, "/session/")


def refuse(environ, start_response):
    """A value that cannot travel fails at the line that sets it, where sessions travel."""
    session = environ["catalina.session"]
    try:
        session["callback"] = {"when": [lambda: None]}
    except NotReplicableError as exc:
        body = f"<p>Setting a function into the session failed at once, as it should:</p><pre>{escape(str(exc))}</pre>"
        return respond(start_response, page(environ, "Refused", body, "session"))
    del session["callback"]
    body = "<p>It was taken: this node is in no cluster, so the session stays here. In a cluster it is refused.</p>"
    return respond(start_response, page(environ, "Taken", body, "session"))


def moment(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC") if seconds else ""


def form(action, text, quiet=False, **hidden):
    inputs = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    style = ' class="quiet"' if quiet else ""
    return f'<form method="post" action="{action}">{inputs}<button{style}>{text}</button></form>'


def show(environ):
    session = environ["catalina.session"]
    attributes = environ["catalina.context"].attributes
    facts = [
        ("Id", session.id or "none yet: reading does not make one"),
        ("New", "yes" if session.is_new else "no"),
        ("Made", moment(session.creation_time)),
        ("Last asked for", moment(session.last_accessed_time)),
        ("Ends when idle for", f"{session.max_inactive_interval} s" if session.max_inactive_interval else ""),
        ("Sessions begun on this node", attributes["examples.sessions_created"]),
    ]
    rows = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in facts)
    return f"<table>{rows}</table>{contents(session)}{controls()}"


def contents(session):
    rows = "".join(
        f"<tr><td>{escape(str(name))}</td><td><code>{escape(repr(session[name]))}</code></td>"
        f"<td>{escape(type(session[name]).__name__)}</td>"
        f"<td class=number>{form('remove', 'remove', quiet=True, name=str(name))}</td></tr>"
        for name in sorted(session, key=str)
    )
    if not rows:
        return '<p class="empty">Nothing is in it.</p>'
    return (
        "<h2 class='later'>Values</h2><table><thead><tr><th>Name</th><th>Value</th><th>Type</th><th></th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def controls():
    kinds = "".join(f"<option>{kind}</option>" for kind in KINDS)
    return (
        '<form class="fields" method="post" action="set"><input type="text" name="name" placeholder="name" required>'
        f'<input type="text" name="value" placeholder="value"><select name="kind">{kinds}</select><button>Set</button></form>'
        f'<div class="actions">{form("change-id", "New id")}{form("invalidate", "End the session")}'
        f'{form("unsendable", "Set a value that cannot travel")}</div>'
    )
