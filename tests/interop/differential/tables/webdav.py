"""WebDAV: each case has a directory of its own."""

from __future__ import annotations

from tests.interop.differential.case import Case, Table, pairwise, request
from tests.interop.differential.site import DAV, MTIME

TAG = f'W/"6-{MTIME}000"'
LOCKINFO = (
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:%s/></D:lockscope><D:locktype><D:write/>'
    b"</D:locktype><D:owner>me</D:owner></D:lockinfo>"
)
RESOURCES = ("/a.txt", "/d", "/d/", "/nope", "/no/such", "", "/d/x.txt", "/%C3%A9.txt", "/b%20c.txt")
DEPTHS = (None, "0", "1", "infinity", "Infinity", "2", "x", "", "-1")
DESTINATIONS = (
    "{here}/new.txt", "http://localhost{here}/new.txt", "http://LOCALHOST{here}/new.txt",
    "http://localhost:80{here}/new.txt", "http://localhost:81{here}/new.txt", "https://localhost{here}/new.txt",
    "http://other{here}/new.txt",
    "{here}/d", "{here}/d/x.txt", "{here}/a.txt", "{here}", "{here}/", "{here}/no/such/x", "{here}/new/",
    "{here}/d/../new.txt", "{here}/%2e%2e/new.txt", "{here}//new.txt", "/", "/dx", "/other/x", "/dx/WEB-INF/x",
    "/dx/WEB-INF", "/dx/META-INF/x",
    "", None, "{here}/new%20name.txt", "{here}/%C3%A9", "{here}/new.txt?q=1", "new.txt", "//g", "http://", ":",
    "{here}/%zz", "{here}/a b", "{here}/d/inside/x",
)  # fmt: skip
OVERWRITES = (None, "T", "F", "t", "f", "x", "")
IFS = (
    None,
    "garbage",
    "()",
    "(<urn:x>)",
    "(Not <urn:x>)",
    f"([{TAG}])",
    "(<urn:x",
    "</a> (<urn:x>)",
    "<urn:x>",
    '(["x"])',
)
CONDITIONS = (
    None,
    "If-Match: *",
    'If-Match: "x"',
    f"If-None-Match: {TAG}",
    "If-None-Match: *",
    "If-Match: x",
    "If-Unmodified-Since: Wed, 01 Jan 2020 12:00:00 GMT",
)
PROPFINDS = (
    b"", b"<D:propfind xmlns:D='DAV:'><D:allprop/></D:propfind>",
    b"<D:propfind xmlns:D='DAV:'><D:propname/></D:propfind>",
    b"<D:propfind xmlns:D='DAV:'><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>",
    b"<D:propfind xmlns:D='DAV:'><D:prop/></D:propfind>", b"<D:propfind xmlns:D='DAV:'/>", b"<propfind/>", b"garbage",
    b"<D:propfind xmlns:D='DAV:'><D:allprop/><D:propname/></D:propfind>",
    b"<D:propfind xmlns:D='DAV:'><x/></D:propfind>",
    b"<!DOCTYPE x [<!ENTITY e 'x'>]><D:propfind xmlns:D='DAV:'><D:allprop/></D:propfind>",
    b"<D:other xmlns:D='DAV:'/>",
    b"<D:propfind xmlns:D='DAV:'><D:prop><D:nope/><y:z xmlns:y='urn:y'/></D:prop></D:propfind>",
)  # fmt: skip
PROPPATCHES = (
    b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><x:c xmlns:x='urn:x'>v</x:c></D:prop></D:set>"
    b"</D:propertyupdate>", b"<D:propertyupdate xmlns:D='DAV:'><D:remove><D:prop><x:c "
    b"xmlns:x='urn:x'/></D:prop></D:remove></D:propertyupdate>",
    b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><D:getetag>v</D:getetag></D:prop></D:set></D:propertyupdate>",
    b"<D:propertyupdate xmlns:D='DAV:'/>", b"", b"garbage", b"<x/>",
    b"<D:propertyupdate xmlns:D='DAV:'><D:set/></D:propertyupdate>",
)  # fmt: skip
LOCKS = (
    LOCKINFO % b"exclusive",
    LOCKINFO % b"shared",
    LOCKINFO % b"other",
    LOCKINFO.replace(b"<D:%s/>", b""),
    b"",
    b"garbage",
    b"<x/>",
    LOCKINFO.replace(b"write", b"read") % b"exclusive",
)
TIMEOUTS = (None, "Second-10", "Infinite", "Second-x", "x, Second-5", "")


def _optional(**fields: str | None) -> list[str]:
    return [f"{name}: {value}" for name, value in fields.items() if value is not None]


class _Cases:
    """Numbers the cases, and gives each its directory."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.files: dict[str, str | bytes] = {}

    def add(self, app: str, method: str, resource: str, fields: list[str], body: bytes = b"") -> None:
        number = len(self.cases)
        here = f"/{app}/c{number}"
        self.files |= {f"c{number}/a.txt": b"hello\n", f"c{number}/d/x.txt": b"hello\n", f"c{number}/b c.txt": b"b"}
        fields = [field.replace("{here}", here) for field in fields]
        self.cases.append(request(method, here + resource, *fields, body=body))
        if method not in ("PROPFIND", "GET", "OPTIONS"):
            self.cases.append(request("PROPFIND", here + "/", "Depth: infinity", body=PROPFINDS[3], looks=True))


def _table() -> Table:
    made = _Cases()
    for app, resource, depth, body, condition in pairwise(("dx", "drx"), RESOURCES, DEPTHS, PROPFINDS, CONDITIONS):
        made.add(app, "PROPFIND", resource, _optional(Depth=depth) + ([condition] if condition else []), body)
    for method, resource, destination, overwrite, depth, held in pairwise(
        ("COPY", "MOVE"), RESOURCES[:6], DESTINATIONS, OVERWRITES, DEPTHS, IFS
    ):
        made.add("dx", method, resource, _optional(Destination=destination, Overwrite=overwrite, Depth=depth, If=held))
    for method, destination in ((method, destination) for method in ("COPY", "MOVE") for destination in DESTINATIONS):
        made.add("dx", method, "/a.txt", _optional(Destination=destination))
    for method, depth, overwrite in pairwise(("COPY", "MOVE"), DEPTHS, OVERWRITES):
        made.add("dx", method, "/d", _optional(Destination="{here}/new", Depth=depth, Overwrite=overwrite))
        made.add("dx", method, "/a.txt", _optional(Destination="{here}/d/x.txt", Overwrite=overwrite))
    for app, method, resource, held, condition in pairwise(
        ("dx", "drx"), ("PUT", "DELETE", "MKCOL", "PROPPATCH", "UNLOCK", "GET", "OPTIONS"), RESOURCES, IFS, CONDITIONS
    ):
        body = {"PUT": b"new", "PROPPATCH": PROPPATCHES[0]}.get(method, b"")
        made.add(app, method, resource, _optional(If=held) + ([condition] if condition else []), body)
    for method, resource in (
        (method, resource)
        for method in ("PUT", "DELETE", "MKCOL", "OPTIONS", "GET", "HEAD", "POST", "FOO")
        for resource in RESOURCES
    ):
        made.add("dx", method, resource, [], b"new" if method == "PUT" else b"")
    for app, resource, depth, body, timeout in pairwise(("dx", "drx"), RESOURCES, DEPTHS, LOCKS, TIMEOUTS):
        made.add(app, "LOCK", resource, _optional(Depth=depth, Timeout=timeout), body)
    for body in LOCKS:
        made.add("dx", "LOCK", "/a.txt", [], body)
    for resource, body in pairwise(RESOURCES, PROPPATCHES):
        made.add("dx", "PROPPATCH", resource, [], body)
    for field in (None, "garbage", "<opaquelocktoken:x>", "", "<urn:x>"):
        made.add("dx", "UNLOCK", "/a.txt", _optional(**{"Lock-Token": field}))
    apps = {
        app: {
            **made.files,
            "WEB-INF/web.xml": DAV[DAV.index("<servlet>") : DAV.index("</web-app>")].replace("{readonly}", readonly),
        }
        for app, readonly in (("dx", "false"), ("drx", "true"))
    }
    return Table("webdav", made.cases, apps, statuses_only=True)


TABLES = [_table()]
