"""Tomcat's filters by the names in web.xml: the same answers as those of the real Tomcat."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.interop.access.twin_sites import Site, both
from tests.interop.differential.raw_client import Answer, ask

pytestmark = pytest.mark.interop

FILES = {
    "index.html": "<p>index</p>\n",
    "a.txt": "a\n",
    "b.css": "b {}\n",
    "c.js": "c\n",
    "d.png": "d",
    "sub/e.txt": "e\n",
}


def filtered(class_name: str, pattern: str = "/*", **parameters: str) -> dict[str, str]:
    given = "".join(
        f"<init-param><param-name>{name.replace('__', ' ')}</param-name><param-value>{value}</param-value></init-param>"
        for name, value in parameters.items()
    )
    web_xml = (
        f"<filter><filter-name>f</filter-name><filter-class>org.apache.catalina.filters.{class_name}</filter-class>"
        f"{given}</filter>"
        f"<filter-mapping><filter-name>f</filter-name><url-pattern>{pattern}</url-pattern></filter-mapping>"
    )
    return {**FILES, "WEB-INF/web.xml": web_xml}


#: Content types have characters that no Python name has.
BY_TYPE = filtered("ExpiresFilter", ExpiresDefault="access plus 1 month", ExpiresExcludedResponseStatusCodes="304, 302")
BY_TYPE["WEB-INF/web.xml"] = BY_TYPE["WEB-INF/web.xml"].replace(
    "</filter>",
    "<init-param><param-name>ExpiresByType text/css</param-name>"
    "<param-value>access plus 1 hour 5 minutes</param-value></init-param>"
    "<init-param><param-name>ExpiresByType image</param-name><param-value>modification plus 10 years</param-value>"
    "</init-param></filter>",
    1,
)

APPS = {
    "cors": filtered(
        "CorsFilter",
        **{
            "cors.allowed.origins": "http://a.example,https://b.example:8443",
            "cors.allowed.methods": "GET,POST,HEAD,OPTIONS,PUT",
            "cors.allowed.headers": "Content-Type,X-Requested-With,Accept",
            "cors.exposed.headers": "X-One,X-Two",
            "cors.support.credentials": "true",
            "cors.preflight.maxage": "10",
        },
    ),
    "corsany": filtered("CorsFilter", **{"cors.allowed.origins": "*"}),
    "corsnone": filtered("CorsFilter"),
    "corsempty": filtered(
        "CorsFilter",
        **{
            "cors.allowed.origins": "*, http://a.example",
            "cors.preflight.maxage": "",
            "cors.support.credentials": "",
            "cors.request.decorate": "",
        },
    ),
    "safebad": filtered(
        "HttpHeaderSecurityFilter", antiClickJackingOption="ALLOW-FROM", antiClickJackingUri="http://a b"
    ),
    "safe": filtered("HttpHeaderSecurityFilter"),
    "safemore": filtered(
        "HttpHeaderSecurityFilter",
        hstsEnabled="true",
        hstsMaxAgeSeconds="31536000",
        hstsIncludeSubDomains="true",
        antiClickJackingOption="ALLOW-FROM",
        antiClickJackingUri="http://a.example/x",
        blockContentTypeSniffingEnabled="false",
        xssProtectionEnabled="true",
    ),
    "expires": BY_TYPE,
    "restcsrf": filtered("RestCsrfPreventionFilter", pathsAcceptingParams="/a.txt"),
    "csrf": filtered("CsrfPreventionFilter", entryPoints="/index.html,/", denyStatus="404"),
    "charset": filtered("AddDefaultCharsetFilter"),
    "charsetutf": filtered("AddDefaultCharsetFilter", encoding="utf-8"),
    "addrok": filtered("RemoteAddrFilter", allow=r"127\.\d+\.\d+\.\d+|::1"),
    "addrno": filtered("RemoteAddrFilter", deny=r"127\..*", denyStatus="404"),
    "addrelse": filtered("RemoteAddrFilter", allow=r"10\..*"),
    "hostno": filtered("RemoteHostFilter", deny=r".*"),
    "cidrok": filtered("RemoteCIDRFilter", allow="127.0.0.0/8, ::1"),
    "cidrno": filtered("RemoteCIDRFilter", deny="127.0.0.1"),
    "failed": filtered("FailedRequestFilter"),
    "session": filtered("SessionInitializerFilter"),
    "encoding": filtered("SetCharacterEncodingFilter", encoding="UTF-8", ignore="true"),
    "webdav": filtered("WebdavFixFilter"),
    "rate": filtered("RateLimitFilter", bucketRequests="3", bucketDuration="3600"),
    "dumper": filtered("RequestDumperFilter", pattern="*.txt"),
}

ORIGINS = (
    "http://a.example", "https://b.example:8443", "http://b.example", "null", "http://a.example/path", "http://",
    "not an origin", "http://A.EXAMPLE", "http://localhost", "file://", "http://a.example http://b.example", "",
)  # fmt: skip
TYPES = ("text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
PREFLIGHTS: tuple[tuple[str | None, str | None], ...] = (
    ("GET", None), ("PUT", None), ("DELETE", None), ("NONSENSE", None), ("", None), ("POST", "x-requested-with"),
    ("POST", "X-Other"), ("POST", "Accept, Content-Type"), ("POST", ""), ("get", "accept"), (None, "accept"),
)  # fmt: skip

Case = tuple[str, str, tuple[str, ...], bytes]


def cors_cases(app: str) -> Iterator[Case]:
    yield ("GET", f"/{app}/a.txt", (), b"")
    for origin in ORIGINS:
        yield ("GET", f"/{app}/a.txt", (f"Origin: {origin}",), b"")
        yield ("OPTIONS", f"/{app}/a.txt", (f"Origin: {origin}",), b"")
    for kind in TYPES:
        yield ("POST", f"/{app}/a.txt", ("Origin: http://a.example", f"Content-Type: {kind}"), b"x")
    for method in ("HEAD", "PUT", "DELETE", "TRACE", "BREW"):
        yield (method, f"/{app}/a.txt", ("Origin: http://a.example",), b"")
    for asked, names in PREFLIGHTS:
        fields = ["Origin: http://a.example"]
        if asked is not None:
            fields.append(f"Access-Control-Request-Method: {asked}")
        if names is not None:
            fields.append(f"Access-Control-Request-Headers: {names}")
        yield ("OPTIONS", f"/{app}/a.txt", tuple(fields), b"")


def cases() -> Iterator[Case]:
    for app in APPS:
        for path in ("", "/", "/index.html", "/a.txt", "/b.css", "/d.png", "/sub", "/nope") if app != "rate" else ():
            yield ("GET", f"/{app}{path}", (), b"")
        if app != "rate":
            yield ("POST", f"/{app}/a.txt", ("Content-Type: application/x-www-form-urlencoded",), b"a=1")
            yield ("OPTIONS", f"/{app}/a.txt", (), b"")
            yield ("HEAD", f"/{app}/a.txt", (), b"")
        if app.startswith("cors"):
            yield from cors_cases(app)
    for query in ("a=1&b", "a=%zz", "a=%C3%A4", "=x", "a=%", "&&", "=", "a=%ff"):
        yield ("GET", f"/failed/a.txt?{query}", (), b"")
    for agent in ("Microsoft-WebDAV-MiniRedir/5.1.2600", "Microsoft Data Access Internet Publishing Provider"):
        for path in ("/webdav/", "/webdav/a.txt"):
            yield ("OPTIONS", path, (f"User-Agent: {agent}",), b"")
            yield ("PROPFIND", path, (f"User-Agent: {agent}",), b"")
    yield ("GET", "/expires/a.txt", ("If-Modified-Since: Tue, 01 Dec 2037 12:00:00 GMT",), b"")
    for nonce in ("Fetch", "fetch", "Required", "0" * 32, ""):
        for method in ("GET", "POST", "PUT", "DELETE"):
            yield (method, "/restcsrf/b.css", (f"X-CSRF-Token: {nonce}",), b"")
    yield ("GET", "/csrf/a.txt?org.apache.catalina.filters.CSRF_NONCE=" + "0" * 32, (), b"")
    for _ in range(5):
        yield ("GET", "/rate/a.txt", (), b"")


CASES = list(cases())
IGNORED = {"date", "connection", "keep-alive", "server", "last-modified", "etag", "transfer-encoding", "content-length"}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    with both(tmp_path_factory.mktemp("filters"), APPS) as running:
        yield running


def shape(site: Site, answer: Answer) -> object:
    fields: dict[str, list[str]] = {}
    for name, value in answer.headers:
        if name in IGNORED:
            continue
        text = value.replace(f":{site.port}", ":PORT")
        text = re.sub(r";jsessionid=\w+", "", text)  # ours are never in a URL that we write
        text = re.sub(r"\b[0-9A-Fa-f]{32}\b", "ID", text)
        if name == "expires":
            text = re.sub(r"\d\d:\d\d:\d\d", "TIME", text)
        if name == "cache-control":
            text = re.sub(r"\d+", lambda match: str(round(int(match[0]) / 86400)), text)  # in days
        if name in ("allow", "vary") or name.startswith("access-control-"):
            text = ",".join(sorted(re.split(r",\s*", text)))
        fields.setdefault(name, []).append(text)
    body = re.sub(rb"<h3>[^<]*</h3>", b"", answer.body)
    return answer.status, dict(sorted(fields.items())), body


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case[0]}-{case[1]}" for number, case in enumerate(CASES)])
def test_the_answer_is_that_of_the_real_tomcat(sites: tuple[Site, Site], case: Case) -> None:
    java, ours = (shape(site, ask(site.port, *case)) for site in sites)
    assert ours == java
