"""Security constraints and logins: who may ask what."""

from __future__ import annotations

from base64 import b64encode
from itertools import product

from tests.interop.differential.case import Case, Table, pairwise, request, servlet_xml

SNOOP = servlet_xml("{snoop}", "/*", name="any")
ROLES = (
    "<security-role><role-name>one</role-name></security-role><security-role><role-name>two</role-name></security-role>"
)


def constraint(patterns: str, roles: str | None, methods: str = "", omitted: str = "", transport: str = "") -> str:
    """One; words are separated by spaces, ``roles`` None means without auth-constraint."""
    inner = "<web-resource-name>r</web-resource-name>" + "".join(
        f"<url-pattern>{each}</url-pattern>" for each in patterns.split()
    )
    inner += "".join(f"<http-method>{each}</http-method>" for each in methods.split())
    inner += "".join(f"<http-method-omission>{each}</http-method-omission>" for each in omitted.split())
    auth = (
        ""
        if roles is None
        else "<auth-constraint>"
        + "".join(f"<role-name>{each}</role-name>" for each in roles.split())
        + "</auth-constraint>"
    )
    data = (
        f"<user-data-constraint><transport-guarantee>{transport}</transport-guarantee></user-data-constraint>"
        if transport
        else ""
    )
    collection = f"<web-resource-collection>{inner}</web-resource-collection>"
    return f"<security-constraint>{collection}{auth}{data}</security-constraint>"


BASIC = "<login-config><auth-method>BASIC</auth-method><realm-name>R</realm-name></login-config>"
SETS = {
    "k1": constraint("/*", "one"),
    "k2": constraint("/a/*", "one") + constraint("/a/b/*", "two"),
    "k3": constraint("/a/*", "one", methods="GET"),
    "k4": constraint("/a/*", "one", omitted="GET"),
    "k5": constraint("/a/*", "", methods="DELETE") + constraint("/a/*", "one"),
    "k6": constraint("/a/*", "one") + constraint("/a/*", None, methods="GET"),
    "k7": constraint("*.x", "one") + constraint("/a/exact", "two"),
    "k8": constraint("/", "one"),
    "k9": constraint("/a/*", "*"),
    "k10": constraint("/a/*", "**"),
    "k11": constraint("/a/*", "one") + constraint("/a/*", "two"),
    "k12": constraint("/a/*", "one", methods="GET POST") + "<deny-uncovered-http-methods/>",
    "k13": constraint("/a/*", None, transport="CONFIDENTIAL"),
    "k14": constraint("/a/*", "one", transport="NONE"),
    "k15": constraint("/a/* /b/*", "one two"),
    "k16": constraint("/a/%62", "one") + constraint("/a/c d", "one"),
    "k17": constraint("/a/*", "nobody"),
    "k18": constraint("/a/*", "one", methods="get"),
    "k19": constraint("/a", "one") + constraint("/a/", "two"),
    "k20": constraint("/a/*", "one") + constraint("*.x", ""),
}
LOGINS = {
    "nologin": constraint("/a/*", "one"),
    "noneauth": constraint("/a/*", "one") + "<login-config><auth-method>NONE</auth-method></login-config>",
    "digest": constraint("/a/*", "one")
    + "<login-config><auth-method>DIGEST</auth-method><realm-name>R</realm-name></login-config>",
    "form": constraint("/a/*", "one") + "<login-config><auth-method>FORM</auth-method><form-login-config>"
    "<form-login-page>/login</form-login-page><form-error-page>/failed</form-error-page>"
    "</form-login-config></login-config>",
    "cert": constraint("/a/*", "one") + "<login-config><auth-method>CLIENT-CERT</auth-method></login-config>",
}
PATHS = (
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/c",
    "/a/exact",
    "/a/b.x",
    "/x.x",
    "/b/c",
    "/A/b",
    "/a;p/b",
    "/a/./b",
    "/c/../a/b",
    "/a%2Fb",
    "/a/%62",
    "//a/b",
    "/a/c%20d",
    "/a/b.X",
    "/%61/b",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "FOO", "get")
USERS = {
    None: None,
    "joe": "joe:secret",
    "ann": "ann:pass:word",
    "max": "max:x",
    "wrong": "joe:wrong",
    "nobody": "x:y",
    "empty": ":",
    "nopass": "joe",
}
FIELDS = (
    "Basic", "Basic ", "basic am9lOnNlY3JldA==", "BASIC am9lOnNlY3JldA==", "Basic  am9lOnNlY3JldA==",
    "Basic am9lOnNlY3JldA", "Basic am9lOnNlY3JldA== ", "Basic !!!", "Basic am9l OnNlY3JldA==",
    "Basicam9lOnNlY3JldA==", "Bearer x", "Digest username=\"joe\"", "", "Basic\tam9lOnNlY3JldA==",
    "Basic am9lOnNlY3JldA==, Basic x", "Digest", "Negotiate x", "Basic am9lOnNlY3JldA===",
    'Digest username="joe", realm="R", nonce="x", uri="/a", response="0"',
    'Digest username="joe", realm="R", nonce="x:y", uri="/digest/a/b", '
    'response="00000000000000000000000000000000", qop=auth, nc=00000001, cnonce="c"',
)  # fmt: skip


def _basic(user: str | None) -> list[str]:
    text = USERS[user]
    return [] if text is None else [f"Authorization: Basic {b64encode(text.encode()).decode()}"]


def _constraints() -> list[Case]:
    return [
        request(method, f"/{app}{path}", *_basic(user))
        for app in SETS
        for method, path, user in pairwise(METHODS, PATHS, tuple(USERS))
    ]


def _logins() -> list[Case]:
    cases = [
        request(method, f"/{app}{path}", *_basic(user))
        for app, method, path, user in product(
            LOGINS,
            ("GET", "POST", "OPTIONS"),
            ("/", "/a/b", "/login", "/failed", "/j_security_check", "/a/j_security_check"),
            (None, "joe", "wrong"),
        )
    ]
    cases += [
        request("GET", f"/{app}/a/b", f"Authorization: {field}")
        for app, field in product(("k1", "k2", "digest", "form", "cert"), FIELDS)
    ]
    cases += [
        request("POST", "/form/j_security_check", *fields, "Content-Type: application/x-www-form-urlencoded", body=body)
        for body, fields in product(
            (b"j_username=joe&j_password=secret", b"j_username=joe&j_password=x", b"", b"j_username=joe", b"x=y"),
            ((), ("Cookie: JSESSIONID=ABC",)),
        )
    ]
    return cases


APPS: dict[str, dict[str, str | bytes]] = {
    **{name: {"WEB-INF/web.xml": SNOOP + inner + BASIC + ROLES} for name, inner in SETS.items()},
    **{name: {"WEB-INF/web.xml": SNOOP + inner + ROLES} for name, inner in LOGINS.items()},
}
TABLES = [Table("constraints", _constraints(), APPS, compared=("cache-control",)), Table("logins", _logins())]
