"""The request as an application sees it."""

from examples.page import escape, page, respond


def application(environ, start_response):
    """The environ in three tables: the request, its header fields, what the container adds."""
    tables = [("Request", []), ("Header fields", []), ("From the container", [])]
    for name in sorted(environ):
        place = 1 if name.startswith("HTTP_") else 0 if name.isupper() else 2
        tables[place][1].append((name, environ[name]))
    body = "".join(
        f"<h2 class='later'>{title}</h2><table>"
        + "".join(f"<tr><th>{escape(name)}</th><td>{escape(text(value))}</td></tr>" for name, value in rows)
        + "</table>"
        for title, rows in tables
    )
    return respond(start_response, page(environ, "Request", body, "request"))


def text(value):
    """Text as it is, anything else as Python writes it."""
    return value if isinstance(value, str) else repr(value)
