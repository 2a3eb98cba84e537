"""The container's filters, each in an application of its own."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, filter_xml, pairwise, request, servlet_xml

PACKAGE = "org.apache.catalina.filters."
SNOOP = servlet_xml("{snoop}", "/*", name="any") + "".join(
    servlet_xml("{snoop}", f"/{name}") for name in ("headers", "params", "session")
)
CORS = {
    "corsall": {"cors.allowed.origins": "*"},
    "corssome": {
        "cors.allowed.origins": "http://a.example,https://b.example:8443",
        "cors.allowed.methods": "GET,PUT",
        "cors.allowed.headers": "X-A,Content-Type",
        "cors.exposed.headers": "X-E,X-F",
        "cors.support.credentials": "true",
        "cors.preflight.maxage": "10",
    },
    "corsnone": {},
}
ORIGINS = (
    None,
    "http://a.example",
    "https://b.example:8443",
    "https://b.example",
    "http://c.example",
    "http://localhost",
    "http://localhost:80",
    "https://localhost",
    "null",
    "",
    "http://A.example",
    "file://x",
    "garbage",
    "http://a.example/x",
    "http://a%.example",
)
ASKED = (None, "GET", "PUT", "DELETE", "", "get", "FOO")
FIELDS = (None, "X-A", "x-a, content-type", "X-B", "", "X-A,,X-A", "Accept")
TYPES = (None, "text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; x=y")
REMOTE_IP = {
    "ripdefault": {},
    "ripall": {
        "protocolHeader": "X-Forwarded-Proto",
        "portHeader": "X-Forwarded-Port",
        "hostHeader": "X-Forwarded-Host",
        "proxiesHeader": "X-By",
    },
    "riptrust": {
        "internalProxies": "127\\.0\\.0\\.1|10\\..*",
        "trustedProxies": "192\\.168\\..*",
        "protocolHeader": "X-Proto",
        "protocolHeaderHttpsValue": "SSL",
        "httpsServerPort": "8443",
        "proxiesHeader": "X-By",
    },
    "ripnone": {"internalProxies": "1\\.1\\.1\\.1"},
}
FORWARDED = (
    None,
    "1.2.3.4",
    "1.2.3.4, 10.0.0.1",
    "1.2.3.4, 192.168.1.1, 10.0.0.1",
    "10.0.0.1",
    "",
    "garbage",
    "1.2.3.4,5.6.7.8",
    "::1",
    "[::1]",
    "1.2.3.4:80",
    " 1.2.3.4 ",
    "127.0.0.1",
    "unknown",
    "1.2.3.4, , 10.0.0.1",
)
PROTOCOLS = (None, "https", "http", "HTTPS", "https,http", "https, https", "", "SSL", "ftp")
PORTS = (None, "8443", "x", "", "99999", "0")
NAMES = (None, "www.example.org", "www.example.org:8443", "", "[::1]:80", "a b")
EXPIRES = {
    "expdefault": {"ExpiresDefault": "access plus 1 hour"},
    "exptype": {
        "ExpiresByType text/plain": "access plus 60 seconds",
        "ExpiresByType text": "access plus 2 minutes",
        "ExpiresByType text/xml;charset=utf-8": "access plus 3 days",
        "ExpiresExcludedResponseStatusCodes": "404",
    },
    "expmod": {"ExpiresByType text/css": "modification plus 1 year", "ExpiresDefault": "A30"},
}
CONTENT = (
    "text/plain",
    "text/plain%3Bcharset=utf-8",
    "text/xml%3Bcharset=utf-8",
    "text/xml%3B%20charset=utf-8",
    "text/css",
    "image/png",
    "TEXT/PLAIN",
    "application/json",
)
SECURITY = {
    "secdefault": {},
    "secall": {
        "hstsEnabled": "true",
        "hstsMaxAgeSeconds": "10",
        "hstsIncludeSubDomains": "true",
        "hstsPreload": "true",
        "antiClickJackingOption": "SAMEORIGIN",
    },
    "secframe": {
        "antiClickJackingOption": "ALLOW-FROM",
        "antiClickJackingUri": "http://a.example",
        "blockContentTypeSniffingEnabled": "false",
    },
    "secnone": {"hstsEnabled": "false", "antiClickJackingEnabled": "false", "xssProtectionEnabled": "true"},
}
CHARSETS = {
    "csdefault": ("AddDefaultCharsetFilter", {}), "cssystem": ("AddDefaultCharsetFilter", {"encoding": "system"}),
    "csutf": ("AddDefaultCharsetFilter", {"encoding": "utf-8"}),
    "ceutf": ("SetCharacterEncodingFilter", {"encoding": "UTF-8"}), "celatin": ("SetCharacterEncodingFilter",
    {"encoding": "ISO-8859-1", "ignore": "true"}), "celax": ("SetCharacterEncodingFilter", {"encoding": "ISO-8859-1"}),
}  # fmt: skip
REFUSING = {
    "addrdeny": ("RemoteAddrFilter", {"deny": "127\\..*"}), "addrallow": ("RemoteAddrFilter", {"allow": "127\\..*"}),
    "addrother": ("RemoteAddrFilter", {"allow": "10\\..*", "denyStatus": "404"}), "addrnone": ("RemoteAddrFilter", {}),
    "cidrdeny": ("RemoteCIDRFilter", {"deny": "127.0.0.0/8"}), "cidrallow": ("RemoteCIDRFilter",
    {"allow": "127.0.0.1"}), "cidrother": ("RemoteCIDRFilter", {"allow": "10.0.0.0/8"}),
    "hostdeny": ("RemoteHostFilter", {"deny": ".*"}),
    "failed": ("FailedRequestFilter", {}), "restcsrf": ("RestCsrfPreventionFilter", {}),
    "restcsrf403": ("RestCsrfPreventionFilter", {"denyStatus": "401", "pathsAcceptingParams": "/p"}),
    "init": ("SessionInitializerFilter", {}),
    "rate": ("RateLimitFilter", {"bucketRequests": "1000000", "exposeHeaders": "true"}),
    "csrf": ("CsrfPreventionFilter", {"entryPoints": "/in"}),
}  # fmt: skip
QUERIES = ("", "?a=b", "?a=%zz", "?=b", "?a=%", "?&", "?X-CSRF-Token=x", "?org.apache.catalina.filters.CSRF_NONCE=x")


def _fields(**fields: str | None) -> list[str]:
    return [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]


def _cors() -> list[Case]:
    cases = [
        request(
            method,
            f"/{app}/x",
            *_fields(Origin=origin, Access_Control_Request_Method=asked, Access_Control_Request_Headers=fields),
        )
        for method, app, origin, asked, fields in pairwise(
            ("GET", "OPTIONS", "POST", "PUT", "HEAD"), tuple(CORS), ORIGINS, ASKED, FIELDS
        )
    ]
    cases += [
        request(
            "OPTIONS",
            f"/{app}/x",
            *_fields(Origin=origin, Access_Control_Request_Method=asked, Access_Control_Request_Headers=fields),
        )
        for app, origin, (asked, fields) in product(CORS, ORIGINS[:5], pairwise(ASKED, FIELDS[:4]))
    ]
    cases += [
        request("POST", f"/{app}/x", *_fields(Origin=origin, Content_Type=kind), body=b"x")
        for app, origin, kind in product(CORS, ORIGINS[:6], TYPES)
    ]
    return cases


def _remote_ip() -> list[Case]:
    return [
        request(
            "GET",
            f"/{app}/headers",
            *_fields(
                X_Forwarded_For=address,
                X_Forwarded_Proto=protocol,
                X_Proto=protocol,
                X_Forwarded_Port=port,
                X_Forwarded_Host=name,
            ),
        )
        for app in REMOTE_IP
        for address, protocol, port, name in pairwise(FORWARDED, PROTOCOLS, PORTS, NAMES)
    ]


def _headers() -> list[Case]:
    cases = [
        request(method, f"/{app}/x?type={kind}")
        for app, kind, method in product((*EXPIRES, *SECURITY, *CHARSETS), CONTENT, ("GET",))
    ]
    cases += [
        request("GET", f"/{app}/{path}")
        for app, path in product((*EXPIRES, *SECURITY, *CHARSETS), ("a.css", "nope.css", ""))
    ]
    cases += [
        request("POST", f"/{app}/params?q=%C3%A9", f"Content-Type: {kind}", body=b"x=%C3%A9")
        for app in CHARSETS
        for kind in (
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=windows-1252",
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
    ]
    return cases


def _refusing() -> list[Case]:
    cases = [
        request("GET", f"/{app}/{path}{query}")
        for app, path, query in product(REFUSING, ("x", "params", "in", "p"), QUERIES)
    ]
    cases += [
        request(method, f"/{app}/p{query}", *fields)
        for app, method, query, fields in product(
            ("restcsrf", "restcsrf403", "csrf", "failed"),
            ("POST", "PUT", "HEAD", "OPTIONS", "DELETE"),
            QUERIES[:7:3],
            ((), ("X-CSRF-Token: Fetch",), ("X-CSRF-Token: x",)),
        )
    ]
    return cases


def _app(kind: str, parameters: dict[str, str], **files: str | bytes) -> dict[str, str | bytes]:
    return {"WEB-INF/web.xml": filter_xml(PACKAGE + kind, parameters) + SNOOP, **files}


APPS: dict[str, dict[str, str | bytes]] = {
    **{name: _app("CorsFilter", parameters) for name, parameters in CORS.items()},
    **{name: _app("RemoteIpFilter", parameters) for name, parameters in REMOTE_IP.items()},
    **{name: _app("ExpiresFilter", parameters) for name, parameters in EXPIRES.items()},
    **{name: _app("HttpHeaderSecurityFilter", parameters) for name, parameters in SECURITY.items()},
    **{name: _app(*entry) for name, entry in {**CHARSETS, **REFUSING}.items()},
}
CORS_FIELDS = (
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-allow-credentials",
)
TABLES = [
    Table("cors", _cors(), APPS, compared=CORS_FIELDS),
    Table("remote ip", _remote_ip()),
    Table(
        "header filters",
        _headers(),
        compared=(
            "cache-control",
            "strict-transport-security",
            "x-frame-options",
            "x-content-type-options",
            "x-xss-protection",
        ),
    ),
    Table(
        "refusing filters", _refusing(), compared=("x-csrf-token", "ratelimit", "ratelimit-policy"), statuses_only=True
    ),
]
