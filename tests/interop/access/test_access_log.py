"""The same requests to the real Tomcat and to ours: every access log has the same lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from tests.interop.access.twin_sites import Site, both, tomcat_version
from tests.interop.differential.raw_client import ask

pytestmark = pytest.mark.interop

#: className -> patterns; each gets a valve of its own.
PATTERNS = {
    "AccessLogValve": [
        "common",
        "combined",
        '%h %l %u %t "%r" %s %b %B',
        "%a|%A|%p|%{local}p|%v|%H|%m|%q|%U",
        "%{peer}a %{remote}a %{local}a",
        "%{User-Agent}i|%{Content-Type}o|%{Location}o|%{X-None}i|%{X-None}o",
        "%{Content-Length}o|%{content-length}o|%m %U %s",
        "%{X-Twice}i|%{Host}i|%{host}i|%{Accept-Ranges}o|%{Content-Length}o",
        "%{theme}c|%{none}c|%{Theme}c|%c",
        "%{org.apache.catalina.AccessLog.RemoteAddr}r|%{none}r",
        "%{x}s",
        "%S|%X",
        "%{begin:yyyy}t|%{end:yyyy}t|%{EEE, d MMM yyyy}t|%{begin:sec}t|%{msec}t",
        "(%D|%T|%F|%{us}T|%{ms}T|%{ns}T|%{s}T|%{fracsec}T|%{msec_frac}t)",
        "%%|%z|%",
        "%{open|%h",
        "plain text",
        "%s %{x}z %h",
        "%I",
    ],
    "ExtendedAccessLogValve": [
        "c-ip cs-method cs-uri-stem cs-uri-query sc-status bytes",
        "cs(User-Agent) sc(Content-Type) cs(X-None) cs-uri cs(Host)",
        "date time time-taken c-dns s-ip s-dns",
        "x-H(authType) x-H(protocol) x-H(scheme) x-H(secure) x-H(remoteUser) x-H(requestedSessionId)",
        "x-H(contentLength) x-H(characterEncoding) x-H(requestedSessionIdFromCookie) x-H(requestedSessionIdValid)",
        "x-P(a) x-P(none) x-C(theme) x-C(none) x-A(none) x-S(none) x-R(none)",
        "cs-method x-threadname s-port",
    ],
    "JsonAccessLogValve": [
        "common",
        "combined",
        "%h %u %m %U %q %s %b %{User-Agent}i %{Content-Type}o %{theme}c",
    ],
}
if tomcat_version() < (10, 1, 58):  # until then %% was unknown, and a cookie that is not there left nothing
    PATTERNS["AccessLogValve"].remove("%%|%z|%")
    PATTERNS["ExtendedAccessLogValve"].remove("x-P(a) x-P(none) x-C(theme) x-C(none) x-A(none) x-S(none) x-R(none)")
CONDITIONS = {
    "conditionUnless": 'conditionUnless="none"',
    "conditionIf": 'conditionIf="none"',
    "attributes": 'requestAttributesEnabled="true"',
    "ipv6": 'ipv6Canonical="true"',
}
#: Parts that cannot be the same twice.
MASKS = (
    (re.compile(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"), "[DATE]"),
    (re.compile(r"\b\d{10,13}\b"), "EPOCH"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b"), "WHEN"),
    (re.compile(r"\b[0-9A-F]{32}\b"), "SESSION"),
    (re.compile(r"^#Software: .*"), "#Software"),
    (re.compile(r"(http-nio-127\.0\.0\.1|catalina)(-\S+)?-exec-\d+|worker-\d+"), "THREAD"),
)
#: A line of nothing but times.
TIMES = re.compile(r"^\([0-9.|]*\)$")

APPS = {
    "ROOT": {"index.html": "root\n", "a.txt": "hello\n", "empty.txt": "", "sub/b.css": "b {}\n"},
    "guarded": {
        "a.txt": "guarded\n",
        "WEB-INF/web.xml": """<security-constraint>
  <web-resource-collection><web-resource-name>all</web-resource-name><url-pattern>/*</url-pattern></web-resource-collection>
  <auth-constraint><role-name>user</role-name></auth-constraint></security-constraint>
  <login-config><auth-method>BASIC</auth-method></login-config><security-role><role-name>user</role-name></security-role>""",
    },
}
AGENT = 'User-Agent: Mozilla/5.0 (X11) "quoted" back\\slash'
REQUESTS: list[tuple[str, str, tuple[str, ...], bytes]] = [
    ("GET", "/", (), b""),
    ("GET", "/a.txt", (AGENT, "Cookie: theme=dark; other=1"), b""),
    ("GET", "/a.txt?a=1&b=%20x", ("Referer: http://example.org/?q=\"x\"",), b""),
    ("GET", "/a.txt?", (), b""),
    ("HEAD", "/a.txt", (), b""),
    ("GET", "/empty.txt", (), b""),
    ("GET", "/nope", (), b""),
    ("GET", "/nope/%C3%BC?x=%22", (), b""),
    ("GET", "/sub", (), b""),
    ("GET", "//a.txt", (), b""),
    ("GET", "/sub/../a.txt", (), b""),
    ("GET", "/a.txt;v=1", (), b""),
    ("POST", "/a.txt", ("Content-Type: application/x-www-form-urlencoded",), b"a=1&b=2"),
    ("PUT", "/new.txt", (), b"content"),
    ("DELETE", "/a.txt", (), b""),
    ("OPTIONS", "/a.txt", (), b""),
    ("TRACE", "/a.txt", (), b""),
    ("BREW", "/a.txt", (), b""),
    ("GET", "/a.txt", ("If-Modified-Since: Tue, 01 Dec 2037 12:00:00 GMT",), b""),
    ("GET", "/a.txt", ("Range: bytes=0-1",), b""),
    ("GET", "/a.txt", ("Range: bytes=90-99",), b""),
    ("GET", "/a.txt", ("X-Twice: one", "X-Twice: two"), b""),
    ("GET", "/a.txt", ("User-Agent: tab\tand \xfcml\xe4ut \u00ff", "Cookie: theme=a\\b; theme=second"), b""),
    ("GET", "/a.txt", ("Cookie: theme=\"quoted\"; JSESSIONID=ABC",), b""),
    ("GET", "/guarded/a.txt", (), b""),
    ("GET", "/guarded/a.txt", ("Authorization: Basic am9lOnNlY3JldA==",), b""),
    ("GET", "/guarded/a.txt", ("Authorization: Basic am9lOndyb25n",), b""),
    ("GET", "/guarded/a.txt", ("Authorization: Basic bWF4Ong=",), b""),
    ("GET", "/guarded/none", ("Authorization: Basic am9lOnNlY3JldA==",), b""),
    ("GET", "/WEB-INF/web.xml", (), b""),
    ("GET", "/", ("Host: other.example:8123",), b""),
    ("GET", "/a.txt?jsessionid=1", ("Accept: */*",), b""),
]  # fmt: skip


def valve(kind: str, name: str, more: str) -> str:
    return (
        f'<Valve className="org.apache.catalina.valves.{kind}" directory="logs" prefix="{name}" suffix=".log"'
        f' rotatable="false" {more}/>'
    )


def names() -> Iterator[tuple[str, str, str]]:
    for kind, patterns in PATTERNS.items():
        for number, pattern in enumerate(patterns):
            yield f"{kind}-{number}", kind, f'pattern="{escape(pattern)}"'
    for name, condition in CONDITIONS.items():
        yield name, "AccessLogValve", f'pattern="%m %U %s" {condition}'


VALVES = list(names())


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Site]:
    """Both sites after the requests, stopped."""
    base: Path = tmp_path_factory.mktemp("access")
    valves = "".join(valve(kind, name, more) for name, kind, more in VALVES)
    more = '<Realm className="org.apache.catalina.realm.MemoryRealm"/>'
    # A report without the server's name, which is not of the same length.
    more += '<Valve className="org.apache.catalina.valves.ErrorReportValve" showServerInfo="false"/>'
    with both(base, APPS, host=more + valves) as sites:
        for site in sites:
            for request in REQUESTS:
                ask(site.port, *request)
    return sites


def lines_of(site: Site, name: str) -> list[str]:
    found = []
    for line in site.log(f"{name}.log"):
        text = (
            line.replace(f":{site.port}", ":PORT").replace(f"|{site.port}|", "|PORT|").replace(f" {site.port}", " PORT")
        )
        for mask, put in MASKS:
            text = mask.sub(put, text)
        found.append(TIMES.sub(lambda match: re.sub(r"\d+", "N", match[0]), text))
    return found


@pytest.mark.parametrize("name", [name for name, _, _ in VALVES])
def test_the_lines_are_those_of_the_real_tomcat(logs: tuple[Site, Site], name: str) -> None:
    java, ours = (lines_of(site, name) for site in logs)
    assert ours == java
