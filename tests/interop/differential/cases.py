"""The requests: (method, target, header fields, body)."""

from __future__ import annotations

from tests.interop.differential.site import MTIME

__all__ = ["CASES", "Case"]

Case = tuple[str, str, tuple[str, ...], bytes]

TAG = f'W/"6-{MTIME}000"'
DATE = "Sun, 01 Jun 2025 12:00:00 GMT"
LATER = "Tue, 01 Dec 2037 12:00:00 GMT"
EARLIER = "Wed, 01 Jan 2020 12:00:00 GMT"


def _get(*targets: str) -> list[Case]:
    return [("GET", target, (), b"") for target in targets]


def _with(method: str, target: str, *headers: tuple[str, ...]) -> list[Case]:
    return [(method, target, each, b"") for each in headers]


STATIC = [
    "/", "/index.html", "/a.txt", "/empty.txt", "/s.css", "/s.js", "/d.json", "/bin.dat", "/noext", "/UPPER.TXT",
    "/x.xml", "/p.svg", "/p.png", "/with%20space.txt", "/%C3%BCml.txt", "/a+b.txt", "/a%2Bb.txt", "/semi%3Bcolon.txt",
    "/semi;colon.txt", "/utf16.txt", "/bom.txt", "/big.bin", "/sub", "/sub/", "/sub/index.htm", "/sub/x.txt",
    "/sub/deep",
    "/sub/deep/", "/sub/deep/y.txt", "/empty", "/empty/", "/dot.dir", "/dot.dir/", "/.hidden", "/nope", "/nope/",
    "/nope/x.txt", "/a.txt/", "/A.TXT", "/Sub/", "/link.txt", "/sub?x=1", "/sub/?x=1", "/a.txt?x=1&y=2", "/a.txt?",
    "/sub;v=1", "/sub;v=1/", "/sub/;v=1", "/a.txt;v=1", "/nope?x=%3Cscript%3E", "/%3Cscript%3E", "/a.txt#frag",
    "/META-INF", "/META-INF/", "/META-INF/secret.txt", "/WEB-INF", "/WEB-INF/", "/WEB-INF/secret.txt",
    "/web-inf/secret.txt",
    "/WEB-INF/nope", "/meta-inf/secret.txt", "/WEB-INF/classes/", "/WEB-INF;x/secret.txt", "/%57EB-INF/secret.txt",
    "/WEB-INF./secret.txt", "/x/../WEB-INF/secret.txt", "/WEB-INFO", "/META-INFX/a",
]  # fmt: skip
NORMAL = [
    "//a.txt", "///a.txt", "/./a.txt", "/sub/../a.txt", "/sub/./x.txt", "/sub//x.txt", "/x/y/../../a.txt", "/..",
    "/../a.txt", "/sub/../../a.txt", "/sub/..", "/sub/.", "/sub/deep/..", "/sub/deep/.", "/sub/deep/../", "/.",
    "/map/.", "/map/pre/..", "/%61.txt", "/%2e/a.txt", "/sub/%2e%2e/a.txt", "/%2e%2e/a.txt",
    "/a%2Ftxt", "/sub%2fx.txt", "/a%5Ctxt", "/a%00txt", "/%", "/%zz", "/%6", "/a.txt%20", "/a.txt.", "/sub/...",
    "/...", "/.../a.txt", "/a;x=1/../a.txt", "/;x/a.txt", "/;/a.txt", "/;a=b;c=d/a.txt", "/sub;x=1/x.txt",
    "/sub/..;/a.txt", "/sub/.;x/x.txt", "/%FF.txt", "/%E2%82%AC", "/a%09b", "/%7Ea", "/~a", "/a:b", "/a@b", "/a,b",
    "/a!b",
    "/a'b", "/a(b)", "/a*b", "/a=b", "/a&b", "/a$b",
]  # fmt: skip
MAPPED = [
    "/map", "/map/", "/map/exact", "/map/exact/", "/map/exact/two", "/map/exact/more", "/map/exact.foo", "/map/pre",
    "/map/pre/", "/map/pre/x", "/map/pre/x/y/z", "/map/pre/a.foo", "/map/pre/deep", "/map/pre/deep/",
    "/map/pre/deep/x",
    "/map/pre/deeper", "/map/pre/hidden.txt", "/map/prefix", "/map/a.foo", "/map/b.foo", "/map/x/y.foo",
    "/map/a.foo/b",
    "/map/.foo", "/map/x.foo?q=1", "/map/x.foo;p=1", "/map/a.FOO", "/map/a.foo.txt", "/map/static/a.txt",
    "/map/static",
    "/map/static/", "/map/welcomed", "/map/welcomed/", "/map/files", "/map/files/", "/map/fooish", "/map/fooish/",
    "/map/nothing", "/map/nothing/", "/map/with%20space", "/map/with+space", "/map/%C3%BCn%C3%AFcode",
    "/map/%C3%BCn%C3%AFcode/x%20y", "/map/off", "/map/nope", "/map/exact?a=b&c=%20d", "/map/exact?", "/map//exact",
    "/map/./exact", "/map/pre/../exact", "/map/e%78act", "/map;x=1/exact", "/map/exact;jsessionid=ABC", "/MAP/exact",
    "/map/EXACT", "/mapp", "/mapp/exact", "/map/WEB-INF/web.xml", "/map/pre/WEB-INF/x", "/map/pre/%2e%2e/exact",
    "/map?x=1", "/map;x=1", "/map/welcomed?x=1", "/map/missing", "/map/missing",
    "/rooted", "/rooted/", "/rooted/sub", "/rooted/sub/", "/rooted/star", "/rooted/star/", "/rooted/star/x",
    "/rooted/nope",
    "/rooted/index.html", "/catch", "/catch/", "/catch/x", "/catch/index.html", "/catch/WEB-INF/x", "/catch/x.foo",
    "/owndefault", "/owndefault/", "/owndefault/a.txt", "/owndefault/x/y", "/foo/bar", "/foo/bar/", "/foo", "/foo/",
    "/foo/bar/x", "/foo%23bar/", "/v", "/v/", "/v/x", "/v%23%232/", "/broken", "/broken/", "/broken/x",
    "/badpattern/",
]  # fmt: skip
FAILING = [
    *(f"/{app}/fail?{kind}={status}" for app in ("errors", "plain") for kind, status in (
        ("error", 400), ("error", 401), ("error", 403), ("error", 404), ("error", 405), ("error", 409), ("error", 410),
        ("error", 418), ("error", 429), ("error", 500), ("error", 501), ("error", 503), ("error", 599), ("status", 404),
        ("status", 403), ("status", 500), ("status", 204), ("status", 304), ("body", 404), ("body", 500), ("body", 201),
        ("partial", 404), ("partial", 500),
    )),
    "/errors/fail?message=1", "/plain/fail?message=1", "/errors/fail?raise=lookup", "/errors/fail?raise=value",
    "/errors/fail?raise=other", "/errors/nope", "/errors/nope/x", "/errors/WEB-INF/x", "/errors/page/x",
    "/plain/nope",
    "/errors/missing.html", "/errors/link.txt",
    "/plain/fail?redirect=x", "/plain/fail?redirect=/x", "/plain/fail?redirect=http://example.org/",
    "/plain/fail?redirect=?q",
    "/defaultpage/nope", "/defaultpage/fail?error=403", "/defaultpage/fail?error=500",
    "/defaultpage/fail?raise=other",
    "/defaultpage/fail?status=404", "/defaultpage/WEB-INF/x",
]  # fmt: skip
METHODS = [
    (method, target, (), b"x" if method in ("POST", "PUT", "PATCH") else b"")
    for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "PATCH", "FOO")
    for target in ("/", "/a.txt", "/nope", "/sub", "/map/exact", "/map/off", "/errors/nope", "/map")
    # The methods that a Java servlet allows depend on those that its class overrides.
    if method != "TRACE" or not target.startswith("/map/")
]
CONDITIONS = [
    *_with(
        "GET", "/a.txt",
        (f"If-None-Match: {TAG}",), ("If-None-Match: *",), ('If-None-Match: "x"',), (f'If-None-Match: "x", {TAG}',),
        (f"If-None-Match: {TAG[2:]}",), ("If-None-Match: garbage",), ("If-None-Match:",), (f"If-Match: {TAG}",),
        ('If-Match: "x"',), ("If-Match: *",), (f"If-Modified-Since: {DATE}",), (f"If-Modified-Since: {LATER}",),
        (f"If-Modified-Since: {EARLIER}",), ("If-Modified-Since: garbage",), (f"If-Unmodified-Since: {DATE}",),
        (f"If-Unmodified-Since: {LATER}",), (f"If-Unmodified-Since: {EARLIER}",), ("If-Unmodified-Since: garbage",),
        (f"If-None-Match: {TAG}", f"If-Modified-Since: {EARLIER}"),
        ('If-None-Match: "x"', f"If-Modified-Since: {LATER}"),
        (f"If-Match: {TAG}", f"If-None-Match: {TAG}"), ("If-Match: *", f"If-Unmodified-Since: {EARLIER}"),
        ("If-Modified-Since: Sunday, 01-Jun-25 12:00:00 GMT",), ("If-Modified-Since: Sun Jun  1 12:00:00 2025",),
    ),
    *_with("HEAD", "/a.txt", (f"If-None-Match: {TAG}",), (f"If-Modified-Since: {LATER}",), ("Range: bytes=1-2",)),
    *_with("POST", "/a.txt", (f"If-None-Match: {TAG}",), (f"If-Modified-Since: {LATER}",), ("Range: bytes=1-2",)),
    *_with("GET", "/nope", ("If-None-Match: *",), ("If-Match: *",), ('If-Match: "x"',), ("If-Match: x",),
    (f"If-Modified-Since: {LATER}",)),
    *_with("GET", "/sub/", (f"If-Modified-Since: {LATER}",), ("If-None-Match: *",)),
    *_with("GET", "/errors/nope", ("If-None-Match: *",), (f"If-Modified-Since: {LATER}",), ("Range: bytes=0-1",)),
]  # fmt: skip
RANGES = [
    *_with(
        "GET", "/a.txt",
        *((f"Range: {value}",) for value in (
            "bytes=1-2", "bytes=0-", "bytes=0-0", "bytes=-2", "bytes=-100", "bytes=-0", "bytes=5-", "bytes=6-",
            "bytes=9-",
            "bytes=0-100", "bytes=1-2,4-4", "bytes=1-2, 4-4", "bytes=0-0,-1", "bytes=1-2,2-3", "bytes=0-5,0-5",
            "bytes=a-b",
            "bytes=2-1", "bytes=", "bytes", "bytes=-", "bytes=1-2,", "items=1-2", "Bytes=1-2", "bytes= 1-2",
            "bytes =1-2",
            "bytes=1-2,9-9", "bytes=0-1,1-2,2-3", "bytes=0-5,1-1,3-3", "bytes=3-4,1-2,0-0",
            "bytes=0-0,1-1,2-2,3-3,4-4,5-5",
        )),
        ("Range: bytes=1-2", f"If-Range: {TAG}"), ("Range: bytes=1-2", 'If-Range: "x"'),
        ("Range: bytes=1-2", f"If-Range: {DATE}"), ("Range: bytes=1-2", f"If-Range: {LATER}"),
        ("Range: bytes=1-2", "If-Range: garbage"), ("Range: bytes=1-2", f"If-None-Match: {TAG}"),
        ("Range: bytes=1-2", "If-Match: *"),
    ),
    *_with("GET", "/big.bin", ("Range: bytes=100000-100009",), ("Range: bytes=-5",), ("Range: bytes=0-3,204796-",)),
    *_with("GET", "/empty.txt", ("Range: bytes=0-",), ("Range: bytes=0-0",)),
    *_with("GET", "/noext", ("Range: bytes=0-1,3-4",)),
    *_with("GET", "/map/exact", ("Range: bytes=0-1",)),
]  # fmt: skip
LISTED = [
    *_get(*(f"/listed/dir/?C={column};O={order}" for column in "NSMX" for order in "ADZ"), "/listed/dir/?C=N",
    "/listed/?x"),
    *_get("/listed/", "/listed/dir", "/listed/dir/inner/", "/listed/nope/", "/listed/z.txt", "/listed/z.txt.gz"),
    *_with(
        "GET", "/listed/z.txt",
        ("Accept-Encoding: gzip",), ("Accept-Encoding: br",), ("Accept-Encoding: gzip, br",),
        ("Accept-Encoding: br;q=0.5, gzip",), ("Accept-Encoding: *",),
        ("Accept-Encoding: identity",), ("Accept-Encoding: gzip;q=0.5, identity",), ("Accept-Encoding: deflate",),
        ("Accept-Encoding: gzip", "Range: bytes=0-2"),
    ),
    ("PUT", "/listed/new.bin", (), b"new"), ("PUT", "/listed/new.bin", (), b"newer"), *_get("/listed/new.nope"),
    ("PUT", "/listed/new.bin", ("Content-Range: bytes 1-2/5",), b"EW"),
    ("PUT", "/listed/new.bin", ("Content-Range: bytes 9-2/5",), b"EW"),
    ("PUT", "/listed/new.bin", ("Content-Range: garbage",), b"EW"),
    ("PUT", "/listed/new.bin", ("If-None-Match: *",), b"x"), ("PUT", "/listed/dir", (), b"x"),
    ("PUT", "/listed/dir/", (), b"x"), ("PUT", "/listed/no/such/dir.txt", (), b"x"),
    ("PUT", "/listed/WEB-INF/web.xml", (), b"x"), ("DELETE", "/listed/new.bin", (), b""),
    ("DELETE", "/listed/new.bin", (), b""), ("DELETE", "/listed/dir", (), b""), ("DELETE", "/listed/WEB-INF/web.xml",
    (), b""),
    ("OPTIONS", "/listed/", (), b""), ("OPTIONS", "/listed/z.txt", (), b""), ("OPTIONS", "/listed/nope", (), b""),
]  # fmt: skip
REWRITTEN = [
    *_get(
        *(f"/rew{path}" for path in (
            "", "/", "/find", "/find/x", "/xfind", "/a/x%20y", "/a/x?k=v", "/a/%C3%BC", "/a/100%25", "/a/x%3By",
            "/a/x%3Fy",
            "/a/x;p=1", "/q/n", "/q/n?k=v", "/q/%C3%BC", "/q/a%26b", "/q/a%25b", "/q/a%20b", "/q/a%23b", "/q/a+b",
            "/qsa/n?k=v", "/qsa/n", "/qsd/n?k=v", "/r/x", "/r/x%20y?k=v%20w", "/r/a%25b", "/r/a%26b=c:d@e", "/r/%C3%BC",
            "/r301/x", "/rperm/x", "/rsee/x", "/rq/x?k=v", "/rq/x", "/rqsa/x?k=v", "/rqsa/x", "/rqend/x",
            "/rqsd/x?k=v", "/abs/x?k=v", "/sp/z", "/NC/x", "/nc/x", "/env/a,b", "/c1/x1", "/c1/y", "/c2/x", "/s/1",
            "/cond/a?x=12", "/cond/a?x=y", "/cond/a", "/ua", "/not/a", "/not/xa", "/zzz", "/less", "/vars", "/vars?a=b",
            "/map/aBc", "/mapl/aBc", "/t/x", "/n/azzz", "/n/a", "/sub/x.txt", "/sub", "/file.txt",
            "/WEB-INF/rewrite.config",
        )),
    ),
    *_with("GET", "/rew/ua", ("User-Agent: bot",), ("User-Agent: BOT",), ("User-Agent: a bot",), ("X-Bot: yes",)),
    ("POST", "/rew/cond/a?x=12", (), b"x"), ("POST", "/rew/r/x", (), b"x"),
]  # fmt: skip
PROP = '<D:propfind xmlns:D="DAV:"><D:prop>%s</D:prop></D:propfind>'
UPDATE = '<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:%s><D:prop>%s</D:prop></D:%s></D:propertyupdate>'
LOCKINFO = (
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:%s/></D:lockscope><D:locktype><D:write/></D:locktype>'
    "<D:owner>me</D:owner></D:lockinfo>"
)


def _dav(method: str, path: str, *headers: str, body: str = "") -> Case:
    destination = tuple(
        each.replace("{here}", "http://localhost") if each.startswith("Destination") else each for each in headers
    )
    return (method, path, destination, body.encode())


WEBDAV = [
    *(_dav("OPTIONS", f"/dav{path}") for path in ("/", "/a.txt", "/nope", "/d/", "/d")),
    *(_dav("OPTIONS", f"/davro{path}") for path in ("/", "/a.txt", "/nope")),
    *_get("/dav/a.txt", "/dav/nope", "/dav/WEB-INF/web.xml", "/dav/d", "/davro/a.txt"),
    _dav("PROPFIND", "/dav/a.txt", "Depth: 0"), _dav("PROPFIND", "/dav/a.txt", "Depth: 1"), _dav("PROPFIND",
    "/dav/a.txt"),
    _dav("PROPFIND", "/dav/d/", "Depth: 0"), _dav("PROPFIND", "/dav/d/", "Depth: 1"), _dav("PROPFIND", "/dav/d",
    "Depth: 1"),
    _dav("PROPFIND", "/dav/deep/"), _dav("PROPFIND", "/dav/deep/", "Depth: infinity"), _dav("PROPFIND", "/dav/nope"),
    _dav("PROPFIND", "/dav/WEB-INF/"), _dav("PROPFIND", "/dav/b%20&%20c.txt", "Depth: 0"), _dav("PROPFIND",
    "/davro/a.txt"),
    _dav("PROPFIND", "/dav/a.txt", body=PROP % '<D:getetag/><D:nope/><x:own xmlns:x="urn:x"/>'),
    _dav("PROPFIND", "/dav/a.txt", body=PROP % "<D:resourcetype/><D:getcontentlength/>"),
    _dav("PROPFIND", "/dav/d/", "Depth: 0", body=PROP % "<D:resourcetype/><D:getcontentlength/>"),
    _dav("PROPFIND", "/dav/a.txt", body='<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>'),
    _dav("PROPFIND", "/dav/a.txt", body='<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'),
    _dav("PROPFIND", "/dav/a.txt", body="garbage"), _dav("PROPFIND", "/dav/a.txt", body="<a/>"),
    _dav("MKCOL", "/dav/new"), _dav("MKCOL", "/dav/new"), _dav("MKCOL", "/dav/no/such"), _dav("MKCOL", "/dav/n2",
    body="x"),
    _dav("MKCOL", "/dav/a.txt"), _dav("MKCOL", "/davro/new"), _dav("PROPFIND", "/dav/new/", "Depth: 0",
    body=PROP % "<D:resourcetype/>"),
    _dav("COPY", "/dav/a.txt", "Destination: {here}/dav/b.txt"), _dav("COPY", "/dav/a.txt",
    "Destination: {here}/dav/b.txt"),
    _dav("COPY", "/dav/a.txt", "Destination: {here}/dav/b.txt", "Overwrite: F"), _dav("COPY", "/dav/a.txt"),
    _dav("COPY", "/dav/a.txt", "Destination: {here}/dav/no/such/b.txt"), _dav("COPY", "/dav/nope",
    "Destination: {here}/dav/z"),
    _dav("COPY", "/dav/a.txt", "Destination: {here}/dav/a.txt"), _dav("COPY", "/dav/a.txt",
    "Destination: /dav/rel.txt"),
    _dav("COPY", "/dav/a.txt", "Destination: http://other.example/dav/z.txt"), _dav("COPY", "/davro/a.txt",
    "Destination: /davro/b"),
    _dav("COPY", "/dav/a.txt", "Destination: {here}/dav/WEB-INF/z.txt"), _dav("COPY", "/dav/a.txt",
    "Destination: {here}/other/z"),
    _dav("COPY", "/dav/d", "Destination: {here}/dav/e"),
    _dav("COPY", "/dav/d", "Destination: {here}/dav/d/inside"),
    _dav("MOVE", "/dav/b.txt", "Destination: {here}/dav/c.txt"), *_get("/dav/b.txt"),
    _dav("MOVE", "/dav/e", "Destination: {here}/dav/f"), *_get("/dav/e/x.txt"), _dav("MOVE",
    "/davro/a.txt"),
    _dav("PUT", "/dav/put.txt", body="put"), _dav("PUT", "/dav/put.txt", body="again"), *_get("/dav/none.txt"),
    _dav("PUT", "/dav/no/such.txt", body="x"), _dav("PUT", "/davro/x", body="x"), _dav("DELETE", "/davro/a.txt"),
    _dav("PROPPATCH", "/dav/nope", body=UPDATE % ("set", "<x:color>red</x:color>", "set")), _dav("PROPPATCH",
    "/dav/a.txt", body="x"),
    _dav("PROPPATCH", "/davro/a.txt", body=UPDATE % ("set", "<x:color>red</x:color>", "set")),
    _dav("LOCK", "/dav/put.txt", "Depth: 0", "Timeout: Second-100", body=LOCKINFO % "exclusive"),
    _dav("PUT", "/dav/put.txt", body="locked"),
    _dav("DELETE", "/dav/put.txt"),
    _dav("UNLOCK", "/dav/put.txt"), _dav("LOCK", "/davro/a.txt", body=LOCKINFO % "exclusive"),
    _dav("LOCK", "/dav/a.txt", body="garbage"), _dav("LOCK", "/dav/no/such.txt", body=LOCKINFO % "shared"),
    _dav("DELETE", "/dav/new"), _dav("DELETE", "/dav/new"), _dav("DELETE", "/dav/f"), _dav("DELETE", "/dav/nope"),
    _dav("FOO", "/dav/a.txt"), _dav("PROPFIND", "/davhidden/a.txt"), _dav("OPTIONS", "/davhidden/a.txt"),
]  # fmt: skip
HOSTS: list[Case] = [
    ("GET", "/a.txt", ("Host: LOCALHOST",), b""),
    ("GET", "/a.txt", ("Host: localhost:9999",), b""),
    ("GET", "/a.txt", ("Host: unknown.example",), b""),
    ("GET", "/sub", ("Host: unknown.example:81",), b""),
    ("OPTIONS", "*", (), b""),
    ("GET", "http://localhost/a.txt", (), b""),
    ("GET", "http://other.example/sub", (), b""),
]

CASES: list[Case] = [
    *_get(*STATIC, *NORMAL, *MAPPED, *FAILING),
    *METHODS,
    *CONDITIONS,
    *RANGES,
    *LISTED,
    *REWRITTEN,
    *WEBDAV,
    *HOSTS,
    *_get("/noted", "/noted/sub", "/noted/sub?a=%22b", "/noted/sub/../sub", "/noted?x=<y>"),
]
