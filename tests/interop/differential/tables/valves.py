"""Valves of a host."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, host_xml, pairwise, request
from tests.interop.differential.tables.filters import FORWARDED, NAMES, PORTS, PROTOCOLS

V = "org.apache.catalina.valves."
HOSTS = {
    "addrdeny": f'<Valve className="{V}RemoteAddrValve" deny="127\\..*"/>',
    "addrallow": f'<Valve className="{V}RemoteAddrValve" allow="127\\..*"/>',
    "addrother": f'<Valve className="{V}RemoteAddrValve" allow="10\\..*" denyStatus="404"/>',
    "addrnone": f'<Valve className="{V}RemoteAddrValve"/>',
    "addrport": f'<Valve className="{V}RemoteAddrValve" allow="127\\.0\\.0\\.1;\\d+" addConnectorPort="true"/>',
    "addrauth": f'<Valve className="{V}RemoteAddrValve" deny="127\\..*" invalidAuthenticationWhenDeny="true"/>',
    "addrboth": f'<Valve className="{V}RemoteAddrValve" deny="10\\..*" allow="11\\..*"/>',
    "hostdeny": f'<Valve className="{V}RemoteHostValve" deny=".*"/>',
    "cidrdeny": f'<Valve className="{V}RemoteCIDRValve" deny="127.0.0.0/8"/>',
    "cidrallow": f'<Valve className="{V}RemoteCIDRValve" allow="127.0.0.1,10.0.0.0/8"/>',
    "cidrother": f'<Valve className="{V}RemoteCIDRValve" allow="10.0.0.0/8"/>',
    "health": f'<Valve className="{V}HealthCheckValve" path="/health"/>',
    "report": f'<Valve className="{V}ErrorReportValve" showReport="false" showServerInfo="false"/>',
    "reportfull": f'<Valve className="{V}ErrorReportValve" showServerInfo="false"/>',
    "reportjson": f'<Valve className="{V}JsonErrorReportValve"/>',
    "semaphore": f'<Valve className="{V}SemaphoreValve" concurrency="0" block="false"/>',
    "crawler": f'<Valve className="{V}CrawlerSessionManagerValve"/>',
    "ssl": f'<Valve className="{V}SSLValve"/>',
    "drain": f'<Valve className="{V}LoadBalancerDrainingValve"/>',
    "stuck": f'<Valve className="{V}StuckThreadDetectionValve" threshold="5"/>',
    "rip": f'<Valve className="{V}RemoteIpValve"/>',
    "ripall": f'<Valve className="{V}RemoteIpValve" protocolHeader="X-Forwarded-Proto" '
    f'portHeader="X-Forwarded-Port" hostHeader="X-Forwarded-Host" changeLocalName="true" changeLocalPort="true"/>',
    "riptrust": f'<Valve className="{V}RemoteIpValve" internalProxies="127\\.0\\.0\\.1|10\\..*" '
    f'trustedProxies="192\\.168\\..*" protocolHeader="X-Proto" protocolHeaderHttpsValue="SSL" '
    f'httpServerPort="8080" httpsServerPort="8443" remoteIpHeader="X-Forwarded-For" proxiesHeader="X-By"/>',
    "ripnone": f'<Valve className="{V}RemoteIpValve" internalProxies="1\\.1\\.1\\.1"/>',
    "ripthendeny": f'<Valve className="{V}RemoteIpValve"/><Valve className="{V}RemoteAddrValve" deny="1\\.2\\.3\\.4"/>',
    "ripthencidr": f'<Valve className="{V}RemoteIpValve"/><Valve className="{V}RemoteCIDRValve" '
    f'deny="1.2.0.0/16,::1"/>',
}
PATHS = (
    "/x",
    "/health",
    "/headers",
    "/params?a=1",
    "/params?a=1&b=2&c=3",
    "/session",
    "/session?new",
    "/nope/",
    "/x;jsessionid=A",
    "/%",
)
FIELDS = (
    (),
    ("X-Forwarded-For: 1.2.3.4",),
    ("User-Agent: Googlebot",),
    ("Cookie: JSESSIONID=ABC",),
    ("ssl_client_cert: x", "ssl_cipher: AES"),
)


def _valves() -> list[Case]:
    cases = [
        request("GET", path, *fields, host=host) for host, (path, fields) in product(HOSTS, product(PATHS, FIELDS))
    ]
    return [
        *cases,
        *(
            request(method, path, host=host)
            for host, method, path in product(HOSTS, ("POST", "HEAD", "OPTIONS"), PATHS[:3])
        ),
    ]


def _remote_ip() -> list[Case]:
    rows = pairwise(FORWARDED, PROTOCOLS, PORTS, NAMES)
    names = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Proto", "X-Forwarded-Port", "X-Forwarded-Host")
    return [
        request(
            "GET",
            "/headers",
            *(
                f"{name}: {value}"
                for name, value in zip(names, (row[0], row[1], row[1], row[2], row[3]), strict=True)
                if value is not None
            ),
            host=host,
        )
        for host in HOSTS
        if host.startswith("rip")
        for row in rows
    ]


XML = "".join(host_xml(name, inner) for name, inner in HOSTS.items())
TABLES = [Table("valves", _valves(), hosts=XML), Table("remote ip valves", _remote_ip())]
