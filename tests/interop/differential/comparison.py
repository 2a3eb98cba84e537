"""The parts of two answers that must be equal."""

from __future__ import annotations

import gzip
import re
from typing import Any

from lxml import etree
from werkzeug.http import parse_date

from tests.interop.differential.raw_client import Answer
from tests.interop.differential.site import MTIME

__all__ = ["SESSION", "shape"]

CORS_LISTS = ("allow-methods", "allow-headers", "expose-headers")
COMPARED = (
    "accept-ranges", "allow", "content-encoding", "content-language", "content-range", "content-type", "etag",
    "dav", "last-modified", "location", "ms-author-via", "retry-after", "set-cookie", "vary", "x-filter",
    "www-authenticate",
)  # fmt: skip
#: Differences by design: the server's name, and the Java stack trace.
SERVER_NAME = re.compile(rb"<h3>(Apache Tomcat|Catalina for Python)/[^<]*</h3>")
#: When a file was made, and the name and the seconds of a lock, are each server's own; so are session ids and nonces.
MADE = re.compile(rb"<D:creationdate>[^<]*</D:creationdate>")
LEFT = re.compile(rb"Second-[0-9]+")
TOKEN = re.compile(rb"opaquelocktoken:[0-9A-Za-z-]+|urn:uuid:[0-9A-Za-z-]+")
TRACES = re.compile(rb"<p><b>(?:Exception|Root Cause)</b></p><pre>.*?</pre>", re.DOTALL)
SESSION = re.compile(r"[0-9A-F]{32}")
LIMITER = re.compile(r'"(fast|exact)-[0-9]+"')
NONCE = re.compile(r'(nonce|opaque)="[^"]*"')
MAX_AGE = re.compile(r"max-age=(\d+)")
LISTS = frozenset({"allow", "x-filter", "vary", *(f"access-control-{each}" for each in CORS_LISTS)})
#: Statuses with which a connector refuses what it cannot read, each in its own words.
REFUSALS = frozenset({400, 408, 413, 414, 417, 431, 501, 505})
#: The tag of a file that the test has just made.
FRESH_MS = (MTIME + 86_400) * 1000
FRESH_IN_BODY = re.compile(rb'W/(?:"|&quot;)(\d+)-(\d{13})(?:"|&quot;)')
FRESH_TAG = re.compile(r"^W/\"(\d+)-(\d{13})\"$")


def _fresh(found: re.Match[bytes]) -> bytes:
    return b'W/"%b-now"' % found[1] if int(found[2]) > FRESH_MS else found[0]


def canonical(body: bytes) -> Any:
    """A multi-status as nested tuples: prefixes, white space, order and empty lists of properties do not count."""
    return _node(etree.fromstring(body))


def _node(element: etree._Element) -> Any:
    children = [_node(child) for child in element]
    children = [child for child in children if not (child[0] == "{DAV:}propstat" and child[2][0][2] == ())]
    text = (element.text or "").strip()
    if element.tag == "{DAV:}getlastmodified" and parse_date_ms(text) > FRESH_MS:
        text = "now"
    return element.tag, text, tuple(sorted(children))


def _field(name: str, values: list[str], ports: dict[str, int]) -> list[str]:
    values = [NONCE.sub(r'\1="..."', SESSION.sub("SESSION", value)) for value in values]
    for port in ports.values():
        values = [value.replace(str(port), "PORT") for value in values]
    if name == "content-type":
        values = [value.replace("; ", ";") for value in values]
    if name == "cache-control":  # seconds until a moment that each server takes for itself
        values = [MAX_AGE.sub(lambda found: f"max-age={round(int(found[1]), -1)}", value) for value in values]
    if name in ("ratelimit", "ratelimit-policy"):  # a server counts its limiters, and ours may not be the first here
        values = [LIMITER.sub(r'"\1-n"', value) for value in values]
    if name == "etag":
        values = [
            f'W/"{fresh[1]}-now"' if (fresh := FRESH_TAG.match(value)) and int(fresh[2]) > FRESH_MS else value
            for value in values
        ]
    if name == "last-modified":
        values = ["now" if parse_date_ms(value) > FRESH_MS else value for value in values]
    return sorted(", ".join(values).replace(", ", ",").split(",")) if name in LISTS else sorted(values)


def parse_date_ms(value: str) -> int:
    """Milliseconds of an HTTP date, 0 for none."""
    date = parse_date(value)
    return 0 if date is None else int(date.timestamp() * 1000)


def shape(
    answer: Answer,
    more: tuple[str, ...] = (),
    ports: dict[str, int] | None = None,
    alone: bool = False,
    statuses_only: bool = False,
) -> dict[str, Any]:
    """The parts that must be equal.

    Args:
        more: names of further header fields that count.
        ports: of this server; they may be seen in the answer.
        alone: it is about the connector: a refusal is a refusal.
        statuses_only: of errors the page does not count.
    """
    if (alone and answer.status in REFUSALS) or (statuses_only and answer.status >= 400):
        return {"status": answer.status}
    fields: dict[str, object] = {}
    for name in (*COMPARED, *more):
        values = answer.all(name)
        if values:
            fields[name] = _field(name, values, ports or {})
    if answer.status == 400 and (b"<title>HTTP Status 400" in answer.body or not answer.body):
        # The connector's refusals: what is wrong with the request each says in its own words.
        return {"status": 400}
    is_packed = answer.get("content-encoding") == "gzip" and answer.body.startswith(b"\x1f\x8b")
    content = gzip.decompress(answer.body) if is_packed else answer.body
    body = SERVER_NAME.sub(b"<h3>server</h3>", TRACES.sub(b"", content))
    body = MADE.sub(
        b"<D:creationdate>then</D:creationdate>", TOKEN.sub(b"opaquelocktoken:some", LEFT.sub(b"Second-n", body))
    )
    body = FRESH_IN_BODY.sub(_fresh, body)
    if answer.status == 207:
        return {"status": 207, **fields, "body": canonical(body)}
    for port in (ports or {}).values():
        body = body.replace(str(port).encode(), b"PORT")
    return {"status": answer.status, **fields, "body": body}
