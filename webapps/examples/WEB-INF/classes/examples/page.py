"""What the pages share: the frame, escaping, forms and redirects."""

import os
import socket
from html import escape
from urllib.parse import parse_qs

__all__ = ["escape", "form_fields", "node_name", "page", "redirect", "respond", "wants_html"]

LINKS = (("counter", "Counter"), ("cart/", "Shopping cart"), ("session/", "Session"), ("request/", "Request"))
#: A form of these pages is small; more is not read.
MAX_FORM = 64 * 1024


def node_name(environ):
    """Who answers: the session id's route where there is one, and the process."""
    session_id = environ["catalina.session"].id or ""
    route = session_id.partition(".")[2]
    where = f"{socket.gethostname()}:{environ['SERVER_PORT']}, process {os.getpid()}"
    return f"{route} ({where})" if route else where


def page(environ, title, body, here=""):
    """A whole page as bytes; ``title`` is text, ``body`` is HTML."""
    base = environ["catalina.context"].context_path
    links = "".join(
        f'<a href="{base}/{path}"{" class=here" if path.rstrip("/") == here else ""}>{name}</a>' for path, name in LINKS
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="icon" href="{base}/static/favicon.svg">\n<link rel="stylesheet" href="{base}/static/style.css">\n'
        f'</head>\n<body>\n<nav><a href="{base}/">Examples</a>{links}</nav>\n'
        f"<header><h1>{escape(title)}</h1></header>\n<main>\n{body}\n"
        f'<p class="node">Answered by {escape(node_name(environ))}</p>\n</main>\n</body>\n</html>\n'
    ).encode()


def respond(start_response, body, content_type="text/html;charset=UTF-8", status="200 OK"):
    """Answer with bytes that nobody shall keep."""
    start_response(
        status,
        [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")],
    )
    return [body]


def redirect(environ, start_response, path):
    """After a form: the browser asks for the page again, and a reload of it changes nothing."""
    location = environ["catalina.context"].context_path + path
    start_response("303 See Other", [("Location", location), ("Content-Length", "0")])
    return []


def form_fields(environ):
    """The fields of a posted form, the first value of each."""
    length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_FORM)
    text = environ["wsgi.input"].read(length).decode("utf-8", "replace")
    return {name: values[0].strip() for name, values in parse_qs(text, keep_blank_values=True).items()}


def wants_html(environ):
    """Browsers do, curl does not."""
    return "text/html" in environ.get("HTTP_ACCEPT", "")
