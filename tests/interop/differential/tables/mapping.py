"""The application and servlet that answer, their filters, and the redirects."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, request, servlet_xml

CONTEXTS = ("/map", "/rooted", "/catch", "/owndefault", "/foo/bar", "/v", "/errors", "/m", "/m/n", "/m%23n", "/none")
PATHS = (
    "", "/", "/exact", "/exact/", "/exact/x", "/pre", "/pre/", "/pre/x", "/pre/deep", "/pre/deep/x", "/a.foo",
    "/x/a.foo", "/pre/a.foo", "/a.bar", "/star/x", "/files", "/files/", "/welcomed/", "/static/a.txt",
    "/fooish/", "/nothing/", "/with space", "/WEB-INF/web.xml", "/general", "/a.txt", "/index.html", "/dir", "/dir/",
    "/dir/index.html",
)  # fmt: skip
FORMS = ("{}", "{};p=1", "/.{}", "/x/..{}", "{}?q=1", "{}%20", "{}/.", "{}/..", "/{}")
HOSTS = (
    "localhost", "LOCALHOST", "one.example", "ONE.EXAMPLE", "www.one.example", "alias.example", "a.wild.example",
    "a.b.wild.example", "wild.example", "other.example", "one.example:81", "one.example.", "127.0.0.1", "[::1]",
    "xone.example",
)  # fmt: skip
DISPATCHES = (
    "/static.txt", "/static.txt?x=1", "/prefix/a", "/prefix/a%3Fb", "/prefix/a;p=1", "/prefix/a?q=2", "/exact",
    "/exact?q=2", "/a.ext", "/nope", "/WEB-INF/inner.txt", "/dir/", "/prefix/%C3%A9", "/prefix/a%20b",
    "/prefix/../exact", "/../x", "/", "/prefix",
)  # fmt: skip
FRONTS = ("/snoop", "/snoop/x", "/snoop/a%3Fb", "/front", "/front.do", "/snoop/%C3%A9")


def _paths() -> list[Case]:
    cases = [
        request("GET", context + form.format(path.replace(" ", "%20")))
        for context, path, form in product(CONTEXTS, PATHS, FORMS[:3])
    ]
    cases += [
        request("GET", context + form.format(path.replace(" ", "%20")))
        for context, path, form in product(CONTEXTS[:4], PATHS[:14], FORMS[3:])
    ]
    cases += [
        request(method, context + path)
        for method, context, path in product(("HEAD", "POST"), CONTEXTS, ("", "/", "/exact", "/dir"))
    ]
    return cases


def _hosts() -> list[Case]:
    paths = ("/x", "/m/x", "/m/n/x", "/none", "/")
    return [request("GET", path, host=host) for host, path in product(HOSTS, paths)]


def _dispatches() -> list[Case]:
    return [
        request(method, f"/dispatch{front}?{kind}={target.replace('&', '%26')}")
        for method, kind, front, target in (
            *product(("GET",), ("forward", "include"), FRONTS, DISPATCHES),
            *product(("POST", "HEAD"), ("forward", "include"), FRONTS[:2], DISPATCHES[:8]),
        )
    ]


SNOOP = servlet_xml("{snoop}", "/exact", "*.foo", "/pre/*", name="one") + servlet_xml(
    "{snoop}", "/pre/deep/*", "/star/*", name="two"
)
SHARED: dict[str, dict[str, str | bytes]] = {
    "shared/ROOT": {
        "WEB-INF/web.xml": servlet_xml("{snoop}", "/x", "/snoop/*", "/", name="root")
        + "".join(servlet_xml("{snoop}", f"/{name}") for name in ("headers", "params", "session", "cookies", "body"))
    },
    "wild/m": {"WEB-INF/web.xml": servlet_xml("{snoop}", "/*", name="m")},
    "wild/ROOT": {"x": b"wild x"},
    "hosts/ROOT": {"index.html": b"one", "x": b"one x"},
    "hosts/m#n": {"x": b"one mn"},
}
APPS: dict[str, dict[str, str | bytes]] = {
    "m": {"WEB-INF/web.xml": SNOOP, "dir/index.html": b"m dir", "index.html": b"m", "a.txt": b"m a"},
    "m#n": {"WEB-INF/web.xml": SNOOP, "dir/index.html": b"mn dir"},
    "dispatch": {
        "WEB-INF/web.xml": servlet_xml("{dispatch}", "/snoop/*", "/front", "*.do", name="front")
        + servlet_xml("{address}", "/prefix/*", "/exact", "*.ext", name="back"),
        "static.txt": b"static",
        "WEB-INF/inner.txt": b"inner",
        "dir/index.html": b"dir",
        "index.html": b"index",
    },
    **SHARED,
}
XML = (
    '<Host name="one.example" appBase="hosts" unpackWARs="false" autoDeploy="false"><Alias>alias.example</Alias></Host>'
    '<Host name="wild" appBase="wild" unpackWARs="false" autoDeploy="false"><Alias>*.wild.example</Alias></Host>'
)
TABLES = [Table("paths", _paths(), APPS, XML), Table("hosts", _hosts()), Table("dispatching", _dispatches())]
