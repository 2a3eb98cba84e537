"""HTML of the managers: pieces that escape their content (markupsafe), and one frame for all pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from catalina.manager.asked import Environ, StartResponse
from catalina.manager.style import STYLE, STYLE_SOURCE
from catalina.util.server_info import SERVER_INFO

__all__ = ["Html", "Links", "form", "html_answer", "liveness", "manager_pages", "page", "table"]

Html = Markup

#: Nothing from other sites, no script in a page, no frame around it.
POLICY = (
    f"default-src 'self'; style-src {STYLE_SOURCE}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'"
)

_FRAME = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
{script}
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><h1>{title}</h1><nav aria-label="Pages">{nav}</nav></header>
<main id="content">
{body}</main>
<footer>{server}</footer>
</body>
</html>
""")


class Links:
    """Addresses of the application, with the nonce of the CSRF filter where the filter asks for one.

    Args:
        environ: the request's environ, in which the filter has left the nonce.
    """

    def __init__(self, environ: Environ) -> None:
        self.base: str = environ["catalina.context"].context_path
        nonce = environ.get("org.apache.catalina.filters.CSRF_REQUEST_NONCE")
        name = environ.get("org.apache.catalina.filters.CSRF_NONCE_PARAM_NAME")
        self._nonce = f"{name}={nonce}" if nonce else ""

    def to(self, path: str, query: str = "") -> str:
        """The address of ``/html/list`` with a query that is encoded already."""
        parts = [part for part in (query, self._nonce) if part]
        return f"{self.base}{path}" + ("?" + "&".join(parts) if parts else "")


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], kind: str = "", ids: Sequence[str] = (),
) -> Html:  # fmt: skip
    """A table; cells that are no Html are escaped.

    Args:
        ids: of the rows, for a table whose rows come and go while it is shown.
    """
    heads = Html("").join(Html('<th scope="col">{}</th>').format(text) for text in head)
    body = Html("").join(
        Html("<tr{}>{}</tr>\n").format(
            Html(' id="{}"').format(ids[place]) if ids else "",
            Html("").join(Html("<td>{}</td>").format(cell) for cell in row),
        )
        for place, row in enumerate(rows)
    )
    return Html(
        '<div class="wide"><table class="{}"><caption>{}</caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody>'
        "</table></div>\n"
    ).format(kind, caption, heads, body)


def form(
    action: str, button: str, fields: Iterable[Html] = (), hidden: Mapping[str, str] | None = None, kind: str = "",
    label: str = "",
) -> Html:  # fmt: skip
    """A form that is posted.

    Args:
        label: what the button does, for a screen reader, where its text alone does not say.
    """
    inputs = Html("").join(
        Html('<input type="hidden" name="{}" value="{}">').format(name, value) for name, value in (hidden or {}).items()
    )
    return Html('<form method="post" action="{}" class="{}">{}{}<button{}>{}</button></form>').format(
        action, kind, inputs, Html("").join(fields), Html(' aria-label="{}"').format(label) if label else "", button
    )


def manager_pages(links: Links) -> list[tuple[str, str]]:
    """The pages of the manager, for the top of each: text and address."""
    return [
        ("Applications", links.to("/html/list")),
        ("Cluster", f"{links.base}/cluster"),
        ("Server status", f"{links.base}/status"),
        ("Complete status", f"{links.base}/status/all"),
    ]


def page(links: Links, title: str, nav: Iterable[tuple[str, str]], body: Html, script: str = "") -> bytes:
    """A whole page.

    Args:
        script: a file of the application; the page must work without it.
        nav: text and address of each link above the page.
    """
    entries = Html(" ").join(Html('<a href="{}">{}</a>').format(address, text) for text, address in nav)
    loads = Html('<script src="{}/{}" defer></script>').format(links.base, script) if script else ""
    return _FRAME.format(
        title=title, style=Html(STYLE), script=loads, nav=entries, body=body, server=SERVER_INFO
    ).encode()


def liveness(way: str, source: str, again: str, moment: float) -> Html:
    """The line that says how new the page is; its script makes the page move from there.

    Args:
        way: ``events`` for a stream of them, ``poll`` for the page again and again.
        source: where to get them; ``again``: the page.
        moment: of the page, in seconds since the epoch.
    """
    return Html(
        '<p class="lead" id="liveness" role="status" data-{}="{}">As of {}. <a href="{}">Look again</a></p>\n'
    ).format(way, source, time.strftime("%H:%M:%S", time.localtime(moment)), again)


def html_answer(start_response: StartResponse, content: bytes) -> list[bytes]:
    """Answer with a page that no cache keeps."""
    headers = [
        ("Content-Type", "text/html;charset=utf-8"),
        ("Content-Security-Policy", POLICY),
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(content))),
    ]
    start_response("200 OK", headers)
    return [content]
