"""A number in the session."""

from examples.page import node_name, page, redirect, respond, wants_html


def application(environ, start_response):
    """GET and POST count; a browser gets a page, anything else one line."""
    session = environ["catalina.session"]
    if environ["REQUEST_METHOD"] == "POST":
        session["count"] = session.get("count", 0) + 1
        return redirect(environ, start_response, "/counter")
    if not wants_html(environ):
        session["count"] = session.get("count", 0) + 1
        line = f"count={session['count']} session={session.id} node={node_name(environ)}\n"
        return respond(start_response, line.encode(), "text/plain;charset=UTF-8")
    count = session.get("count", 0)
    body = (
        f'<p class="big">{count}</p>'
        '<form method="post" action="counter"><button>Count</button></form>'
        "<p class=node>The number is in your session. End the node that answers, press again, and it goes on.</p>"
    )
    return respond(start_response, page(environ, "Counter", body, "counter"))
