"""Parameters and cookies as the container reads them."""

from __future__ import annotations

from tests.interop.differential.case import Case, Table, pairwise, request, servlet_xml

QUERIES = (
    None, "", "a=b", "a=b&c=d", "a=b&a=c", "a", "a&b", "a=", "=b", "=", "&", "&&", "a=b&", "&a=b", "a=b=c", "a%3Db=c",
        "a=%26", "a=b+c", "a=b%20c", "a=%2B",
    "a=%C3%A9", "a=%E9", "a=%c3", "a=%ff%fe", "a=é", "a=%", "a=%1", "a=%zz", "a=%u00e9", "a=b;c=d", "a%00b=c",
    "a=%00", "%61=b", "a[]=1&a[]=2", "a=1&b=2&c=3&d=4&e=5", "a=1&b=2&c=3&d=4&e=5&f=6", "a==b", "a=b%", "%=b",
    "a=%F0%9F%98%80", "a=%ED%A0%80",
)  # fmt: skip
BODIES = (
    "a=b", "a=b&c=d", "x=%C3%A9", "x=%E9", "x=é", "x=%zz&y=1", "", "=", "a", "x=" + "y" * 80, "a=1&b=2&c=3", "x=b+c",
    "x=%A4&y=%u20ac", "x=\x80",
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-www-form-urlencoded; charset=\"utf-8\"", "application/x-www-form-urlencoded; charset=nope",
    "application/x-www-form-urlencoded; charset=", "APPLICATION/X-WWW-FORM-URLENCODED",
    "application/x-www-form-urlencoded ; x=y",
    "text/plain", "application/json", "multipart/form-data", "", None, "application/x-www-form-urlencoded,x",
    "application/x-www-form-urlencoded; charset=windows-1252", "application/x-www-form-urlencoded; charset=idna",
    "application/x-www-form-urlencoded; charset=utf-16",
)  # fmt: skip
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
COOKIES = (
    "a=b", "a=b; c=d", "a=b;c=d", "a=b ; c=d", "a=b,c=d", "a=b; a=c", "a", "a=", "=b", "=", ";", "; a=b", "a=b;",
    "a=b; ; c=d", "a = b", "a= b", "a =b", 'a="b"', 'a="b c"', 'a="b;c"', 'a="b', 'a=b"', 'a="b"c', 'a="b\\"c"',
    'a=""', "a=b c", "a=b,c", "a=b=c", "a=é",
    "a=%20", "a=b\tc", "a\t=b", "a(=b", "a@b=c", "a/b=c", "a:b=c", "é=b", "$Version=1; a=b",
    "$Version=1; a=b; $Path=/x", '$Version="1"; a="b"', "$a=b", "$Path=/; a=b", "JSESSIONID=abc", "a={b}", "a=[b]",
    "a=b\\c", "a=<b>", "a='b'", "a=b?c", "a=b/c", "a=b:c", "a=b@c",
    "a=\x7f", "a=\x01", "A=b; a=c", "a=b; Path=/; Secure", "a.b=c", "a-b=c", "a_b=c", "a~b=c", "a!b=c", "a#b=c",
    "a&b=c", "a*b=c", "a^b=c", "a|b=c", "a`b=c", "a'b=c", "a+b=c", "a%b=c", "1=2", "a==", '"a"=b', "a=b; =c; d=e",
    "a=b; c; d=e", "a=b; c@=d; e=f", 'a="b; c=d',
    "a=b\"; c=d", "a=b c; d=e", "a=b,c; d=e", " a=b ", "a=b;\tc=d", "a=b;;;c=d", "a=" + "v" * 300, "; ; ;", "a=;b=",
    "a=\"b\" ; c=d", "a=\"b\"; c=\"d e\"", 'a="b,c"', 'a="b\tc"', 'a="é"', "a=b; \"c\"=d",
)  # fmt: skip


def _parameters() -> list[Case]:
    cases = [
        request("GET", "/w/params" + ("" if query is None else f"?{query}"), port=port)
        for port in ("main", "latin", "body", "lax")
        for query in QUERIES
    ]
    for method, kind, body, query, port in pairwise(METHODS, TYPES, BODIES, QUERIES[:9], ("main", "latin", "body")):
        fields = [] if kind is None else [f"Content-Type: {kind}"]
        cases.append(
            request(
                method,
                "/w/params" + ("" if query is None else f"?{query}"),
                *fields,
                body=body.encode("latin-1"),
                port=port,
            )
        )
    for kind in TYPES:
        for body in BODIES:
            fields = [] if kind is None else [f"Content-Type: {kind}"]
            cases.append(request("POST", "/w/params", *fields, body=body.encode("latin-1")))
    for kind, body in pairwise(TYPES[:3], BODIES):
        chunked = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode("latin-1") if body else b"0\r\n\r\n"
        cases.append(request("POST", "/w/params", f"Content-Type: {kind}", "Transfer-Encoding: chunked", body=chunked))
    return cases


def _cookies() -> list[Case]:
    cases = [request("GET", f"/{app}/cookies", f"Cookie: {value}") for app in ("w", "equals") for value in COOKIES]
    cases += [
        request("GET", "/w/cookies", f"Cookie: {first}", f"Cookie: {second}")
        for first, second in zip(COOKIES, COOKIES[41:] + COOKIES[:41], strict=True)
    ]
    return cases


SESSION_APPS = {
    "plainid": "",
    "named": "<session-config><cookie-config><name>SID</name><path>/x</path>"
    "<domain>example.org</domain><max-age>60</max-age></cookie-config></session-config>",
    "secured": "<session-config><cookie-config><http-only>true</http-only><secure>true</secure>"
    "</cookie-config></session-config>",
    "open": "<session-config><cookie-config><http-only>false</http-only></cookie-config></session-config>",
    "byurl": "<session-config><tracking-mode>URL</tracking-mode></session-config>",
    "bycookie": "<session-config><tracking-mode>COOKIE</tracking-mode></session-config>",
    "attributed": "<session-config><cookie-config><attribute>"
    "<attribute-name>SameSite</attribute-name><attribute-value>Strict</attribute-value></attribute>"
    "<attribute><attribute-name>X-Own</attribute-name><attribute-value>v</attribute-value>"
    "</attribute></cookie-config></session-config>",
}
CONTEXTS = {
    "same": '<Context><CookieProcessor sameSiteCookies="lax"/></Context>',
    "parted": '<Context usePartitioned="true"><CookieProcessor sameSiteCookies="none"/></Context>',
    "nocookies": '<Context cookies="false"/>',
    "renamed": '<Context sessionCookieName="OWN" sessionCookiePath="/" '
    'sessionCookieDomain="example.org" useHttpOnly="false"/>',
    "crossed": '<Context sessionCookiePathUsesTrailingSlash="true"/>',
}
IDS = (
    "",
    "; JSESSIONID=ABC",
    "; SID=ABC",
    "; OWN=ABC; JSESSIONID=DEF",
    "; jsessionid=ABC",
    "; JSESSIONID=ABC; JSESSIONID=DEF",
)
IN_URL = (
    "",
    ";jsessionid=URL",
    ";JSESSIONID=URL",
    ";jsessionid=",
    ";x=y;jsessionid=URL",
    ";jsessionid=URL;x=y",
    ";SID=URL",
    ";sid=URL",
    ";own=URL",
)


def _sessions() -> list[Case]:
    apps = (*SESSION_APPS, *CONTEXTS)
    cases = [request("GET", f"/{app}/session?new") for app in apps]
    cases += [
        request("GET", f"/{app}/session{url}", *([f"Cookie: x=y{value}"] if value else []))
        for app, url, value in pairwise(apps, IN_URL, IDS)
    ]
    return cases


SNOOP = "".join(servlet_xml("{snoop}", f"/{name}") for name in ("params", "cookies", "session", "headers", "body"))
APPS: dict[str, dict[str, str | bytes]] = {
    "w": {"WEB-INF/web.xml": SNOOP},
    "equals": {
        "WEB-INF/web.xml": SNOOP,
        "META-INF/context.xml": '<Context><CookieProcessor cookiesWithoutEquals="name"/></Context>',
    },
    **{name: {"WEB-INF/web.xml": SNOOP + inner} for name, inner in SESSION_APPS.items()},
    **{name: {"WEB-INF/web.xml": SNOOP, "META-INF/context.xml": inner} for name, inner in CONTEXTS.items()},
}
TABLES = [Table("parameters", _parameters(), APPS), Table("cookies", _cookies()), Table("sessions", _sessions())]
