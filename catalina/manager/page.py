"""HTML of the managers: pieces that escape their content (markupsafe), and one frame for all pages."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from catalina.manager.asked import Environ, StartResponse
from catalina.util.server_info import SERVER_INFO

__all__ = ["Html", "Links", "form", "html_answer", "liveness", "manager_pages", "page", "table"]

Html = Markup

STYLE = """
:root {
  --ink: #1d2433; --soft: #5b6578; --line: #d9dde5; --paper: #ffffff; --back: #f5f6f9; --mark: #9a4212; --good: #1f6b3d;
  --bad: #a32020; --c0: #0b62a4; --c1: #b3560b; --c2: #1c7c4d; --c3: #8a2f8f; --c4: #8a6d00; --c5: #b02a4c;
  --c6: #0f7c86; --c7: #555f70; color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e7eaf1; --soft: #a5afc2; --line: #364055; --paper: #171d29; --back: #10151e; --mark: #f4a06d;
    --good: #7fd6a3; --bad: #ff9c9c; --c0: #6cb6ff; --c1: #f4a06d; --c2: #7fd6a3; --c3: #d59be0; --c4: #e0c25a;
    --c5: #ff8fab; --c6: #6fd3dc; --c7: #a5afc2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 84rem; margin: 0 auto; padding: .9rem 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .5rem 2rem; padding-top: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.2rem 0 .5rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
a { color: var(--mark); }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .3rem .6rem; }
.lead { color: var(--soft); margin: 0 0 .8rem; }
.wide { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--paper); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .7rem .9rem .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem; border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
pre { font: .9em/1.5 ui-monospace, monospace; background: var(--paper); border: 1px solid var(--line);
  border-radius: .5rem; padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; margin: 0 0 1rem; }
pre.good { border-left: .35rem solid var(--good); }
pre.bad { border-left: .35rem solid var(--bad); }
form.inline { display: inline-flex; flex-wrap: wrap; gap: .35rem; align-items: center; margin: 0 .6rem .3rem 0; }
form.stacked { display: grid; gap: .55rem; max-width: 34rem; }
form.stacked label { display: grid; gap: .15rem; }
input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--soft);
  border-radius: .35rem; padding: .25rem .6rem; }
input[type="number"] { width: 5.5rem; }
button { cursor: pointer; background: var(--paper); }
button:hover { border-color: var(--mark); }
.careful button { color: var(--bad); border-color: var(--bad); }
progress { width: 100%; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2.5rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; }
.tiles div, figure { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .9rem; }
.tiles div { min-width: 9.5rem; }
dt, small, time, .scale { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .7rem; }
figure { margin: 0; }
figcaption { font-weight: 600; }
figure svg { display: block; width: 100%; height: 5.5rem; }
figure ul { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .3rem 0 0; padding: 0;
  font-variant-numeric: tabular-nums; }
figure i { display: inline-block; width: 1rem; height: .25rem; margin-right: .4rem; vertical-align: middle;
  background: currentColor; }
.scale { display: flex; justify-content: space-between; margin: 0; }
polyline { fill: none; stroke: currentColor; stroke-width: 2; vector-effect: non-scaling-stroke; }
.base { stroke: var(--line); vector-effect: non-scaling-stroke; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.c4 { color: var(--c4); } .c5 { color: var(--c5); } .c6 { color: var(--c6); } .c7 { color: var(--c7); }
#live td { font-variant-numeric: tabular-nums; white-space: nowrap; }
#live th, #live td { padding: .4rem .55rem; }
#live th:first-child, #live td:first-child { padding-left: .9rem; }
#live td button + button { margin-left: .3rem; }
#live td progress { width: 8rem; }
.state { font-weight: 600; white-space: nowrap; }
.state::before { content: "\\25CF\\00A0"; }
.state.here { color: var(--good); }
.state.draining { color: var(--mark); }
.state.draining::before { content: "\\25D0\\00A0"; }
.state.gone, .state.no-answer, b.bad { color: var(--bad); }
.state.gone::before, .state.no-answer::before { content: "\\2715\\00A0"; }
.events { list-style: none; margin: 0; padding: .5rem .9rem; max-height: 13rem; overflow-y: auto;
  background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
.events:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.events li { padding: .15rem 0; }
.events time { margin-right: .6rem; font-variant-numeric: tabular-nums; }
footer { color: var(--soft); font-size: .9rem; }
"""
#: The Content-Security-Policy source that lets a browser accept this style, and no other, inside a page.
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"

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
