"""Valves of a Context by their class names: answers and access log as with the real Tomcat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.access.twin_sites import Site, both, tomcat_version
from tests.interop.differential.raw_client import Answer, ask

pytestmark = pytest.mark.interop


def application(*valves: str, context: str = 'useRelativeRedirects="false"') -> dict[str, str]:
    elements = "".join(f'<Valve className="org.apache.catalina.valves.{valve}/>' for valve in valves)
    return {
        "a.txt": "a\n",
        "sub/b.txt": "b\n",
        "META-INF/context.xml": f"<Context {context}>{elements}</Context>",
    }


ALL_HEADERS = 'hostHeader="X-Forwarded-Host" portHeader="X-Forwarded-Port" proxiesHeader="X-Forwarded-By"'
APPS = {
    "remoteip": application('RemoteIpValve" protocolHeader="X-Forwarded-Proto"'),
    "remoteipall": application(f'RemoteIpValve" {ALL_HEADERS} httpServerPort="8080" httpsServerPort="8443"'),
    "trusted": application(
        r'RemoteIpValve" internalProxies="127\.0\.0\.1" trustedProxies="proxy1|10\.9\..*" remoteIpHeader="X-Real"'
        ' protocolHeader="X-Proto" protocolHeaderHttpsValue="on"'
    ),
    "outside": application('RemoteIpValve" internalProxies="10\\..*"'),
    "hidden": application('RemoteIpValve" requestAttributesEnabled="false"'),
    "cidrproxies": application('RemoteIpValve" internalProxies="127.0.0.0/8,10.0.0.0/8"'),
    "behind": application('RemoteIpValve"', r'RemoteAddrValve" deny="192\.0\.2\..*"'),
    "addrdeny": application(r'RemoteAddrValve" deny="127\..*"'),
    "addrstatus": application(r'RemoteAddrValve" deny="127\..*" denyStatus="404"'),
    "addrallow": application(r'RemoteAddrValve" allow="10\..*|127\.0\.0\.1"'),
    "addrport": application(r'RemoteAddrValve" allow="127\.0\.0\.1;\d+" addConnectorPort="true"'),
    "addrnone": application('RemoteAddrValve"'),
    "hostdeny": application('RemoteHostValve" deny=".*"'),
    "cidr": application('RemoteCIDRValve" allow="127.0.0.0/8, ::1"'),
    "cidrdeny": application('RemoteCIDRValve" deny="127.0.0.1" denyStatus="503"'),
    "cidrmapped": application('RemoteIpValve"', 'RemoteCIDRValve" deny="198.51.100.0/24"'),
    "cidrmappedallow": application('RemoteIpValve"', 'RemoteCIDRValve" allow="198.51.100.0/24,127.0.0.0/8,1.2.0.0/24"'),
    "health": application('HealthCheckValve"'),
    "healthpath": application('HealthCheckValve" path="/up" checkContainersAvailable="false"'),
    "semaphore": application('SemaphoreValve" concurrency="1" fair="true" block="false"'),
    "nopermit": application('SemaphoreValve" concurrency="0" block="false" highConcurrencyStatus="503"'),
    "limited": application('ParameterLimitValve"')
    | {"WEB-INF/parameter_limit.config": "# by path\n/a.*=2\n/nope=1,5,512\n"},
    "parameters": application('ParameterLimitValve" urlPatternLimits="/a.*=2"'),
    "errors": application('ErrorReportValve" errorCode.404="webapps/errors/a.txt" showReport="false"'),
    "tea": application(r'RemoteAddrValve" deny="127\..*" denyStatus="418"'),
    "teapage": application(
        'ErrorReportValve" errorCode.0="webapps/tea/a.txt" errorCode.404="none"',
        r'RemoteAddrValve" deny="127\..*" denyStatus="599"',
    ),
    "json": application('JsonErrorReportValve"'),
    "crawler": application('CrawlerSessionManagerValve" crawlerUserAgents=".*[bB]ot.*"'),
}
FORWARDED: tuple[tuple[str, ...], ...] = (
    (), ("X-Forwarded-For: 192.0.2.7",), ("X-Forwarded-For: 192.0.2.7, 10.1.1.1",),
    ("X-Forwarded-For: 192.0.2.7, 198.51.100.1, 127.0.0.1",), ("X-Forwarded-For: 10.1.1.1, 10.1.1.2",),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 192.0.2.8"), ("X-Forwarded-For: ",), ("X-Forwarded-For: ,,",),
    ("X-Forwarded-For: 2001:db8::1",), ("X-Forwarded-For: not an address",),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https,https"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https,http"), ("X-Forwarded-Proto: https",),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: shop.example"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example:444"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Host: shop.example:99999"),
    ("X-Forwarded-For: 192.0.2.7, 198.51.100.1, 198.51.100.2", "X-Forwarded-By: a", "X-Forwarded-Host: [::1]:8"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 777"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Port: nonsense"),
    ("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Port: 8444"),
    ("X-Real: 192.0.2.7, proxy1, 10.9.1.1",), ("X-Real: 192.0.2.7, proxy2, proxy1", "X-Proto: on"),
    ("X-Real: proxy1", "X-Proto: https"), ("X-Forwarded-For: 10.1.1.1", "X-Forwarded-By: 10.2.2.2"),
)  # fmt: skip

Case = tuple[str, str, tuple[str, ...]]


def cases() -> Iterator[Case]:
    for app in ("remoteip", "remoteipall", "trusted", "outside", "hidden", "cidrproxies", "behind"):
        for headers in FORWARDED:
            yield "GET", f"/{app}/sub", headers
    for app in ("cidrmapped", "cidrmappedallow"):
        for client in ("198.51.100.7", "::ffff:198.51.100.7", "::FFFF:C633:6407", "::ffff:203.0.113.7", "1.2.3", "1.3"):
            yield "GET", f"/{app}/a.txt", (f"X-Forwarded-For: {client}",)
    for app in APPS:
        for path in ("/a.txt", "/health", "/up", "/nope", "/a.txt?a=1&b=2", "/a.txt?a=1&b=2&c=3"):
            yield "GET", f"/{app}{path}", ("User-Agent: Bot",)


VERSION = tomcat_version()
if VERSION < (10, 1, 56):
    del APPS["json"]  # the fields had another order
if VERSION < (10, 1, 58):  # it put back only the first of two fields
    FORWARDED = tuple(
        headers for headers in FORWARDED if len({line.partition(":")[0] for line in headers}) == len(headers)
    )

CASES = list(cases())
LOG = (
    '<Valve className="org.apache.catalina.valves.AccessLogValve" prefix="access" suffix=".log" rotatable="false"'
    ' requestAttributesEnabled="true" pattern="%a|%{peer}a|%h|%p|%v|%H|%s|%{X-Forwarded-For}i|%{X-Forwarded-By}i|%U"/>'
)


def shape(site: Site, answer: Answer) -> object:
    names = ("location", "content-type", "set-cookie", "cache-control")
    fields = {
        name: [re.sub(r"\b[0-9A-F]{32}\b", "ID", value.replace(f":{site.port}", ":PORT")) for value in answer.all(name)]
        for name in names
    }
    body = re.sub(rb"<h3>[^<]*</h3>", b"", answer.body)
    return answer.status, fields, body


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[object]], list[list[str]]]:
    """The answers and the log lines of both."""
    base: Path = tmp_path_factory.mktemp("valves")
    with both(base, APPS, host=LOG) as sites:
        answers = [[shape(site, ask(site.port, *case)) for case in CASES] for site in sites]
    lines = [[line.replace(str(site.port), "PORT") for line in site.log("access.log")] for site in sites]
    return answers, lines


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{number}-{case[1]}" for number, case in enumerate(CASES)])
def test_the_answer_is_that_of_the_real_tomcat(done: tuple[list[list[object]], list[list[str]]], number: int) -> None:
    (java, ours), (java_log, our_log) = done
    assert ours[number] == java[number]
    assert our_log[number] == java_log[number]
