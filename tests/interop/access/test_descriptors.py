"""Descriptors with one particular each, at the real Tomcat and at ours: which start, and how their cookies look."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.interop.access.test_authentication import constraint
from tests.interop.access.twin_sites import Site, both
from tests.interop.differential.raw_client import ask

pytestmark = pytest.mark.interop


def login(page: str = "/login.html", error: str = "/error.html") -> str:
    return (
        "<login-config><auth-method>FORM</auth-method><form-login-config>"
        f"<form-login-page>{page}</form-login-page><form-error-page>{error}</form-error-page>"
        "</form-login-config></login-config>"
    )


def session(inner: str) -> str:
    return f"<session-config>{inner}</session-config>"


def attribute(*pairs: tuple[str, str]) -> str:
    inner = "".join(
        f"<attribute><attribute-name>{name}</attribute-name><attribute-value>{value}</attribute-value></attribute>"
        for name, value in pairs
    )
    return session(f"<cookie-config>{inner}</cookie-config>")


#: Name -> what the descriptor has beside a login page, which begins a session.
DESCRIPTORS = {
    "plain": "",
    "maxage": attribute(("Max-Age", "60")),
    "maxagelower": attribute(("max-age", "0")),
    "secure": attribute(("Secure", "true")),
    "securefalse": attribute(("Secure", "false")),
    "httponly": attribute(("HttpOnly", "false")),
    "partitioned": attribute(("Partitioned", "true")),
    "partitionedfalse": attribute(("Partitioned", "false")),
    "partitionedempty": attribute(("Partitioned", "")),
    "samesite": attribute(("SameSite", "Lax"), ("Priority", "High")),
    "domain": attribute(("Domain", "example.org"), ("Path", "/elsewhere")),
    "twice": session("<session-timeout>5</session-timeout>") + session("<session-timeout>6</session-timeout>"),
    "twologins": login(),
    "ssl": session("<tracking-mode>SSL</tracking-mode>"),
    "sslurl": session("<tracking-mode>SSL</tracking-mode><tracking-mode>URL</tracking-mode>"),
    "url": session("<tracking-mode>URL</tracking-mode>"),
    "cookie": session("<tracking-mode>COOKIE</tracking-mode>"),
    "nomode": session("<tracking-mode>PIGEON</tracking-mode>"),
    "errorpage": "<error-page><error-code>404</error-code><location>/error%2Ehtml</location></error-page>",
    "errorpagebad": "<error-page><error-code>404</error-code><location>error.html</location></error-page>",
}
#: Name -> Context element.
CONTEXTS = {
    "partitionedfalse": '<Context usePartitioned="true"/>',
    "partitioned": '<Context usePartitioned="false"/>',
    "ctxpartitioned": '<Context usePartitioned="true"/>',
    "processor": '<Context><CookieProcessor partitioned="true" sameSiteCookies="strict"/></Context>',
    "nocookies": '<Context cookies="false"/>',
    "nocookiescookie": '<Context cookies="false"/>',
}
LOGINS = {
    "noslash": login("login.html"),
    "noslasherror": login("/login.html", "error.html"),
    "escaped": login("/log%69n.html"),
}
PATHS = ("/user/a.txt", "/open.txt", "/nope")


def applications() -> dict[str, dict[str, str]]:
    rule = constraint("/user/*", "user") + "<security-role><role-name>user</role-name></security-role>"
    found = {}
    for name in [*DESCRIPTORS, *LOGINS, *(name for name in CONTEXTS if name not in DESCRIPTORS)]:
        inner = DESCRIPTORS.get(
            name, session("<tracking-mode>COOKIE</tracking-mode>") if name == "nocookiescookie" else ""
        )
        files = {"user/a.txt": "a\n", "open.txt": "open\n", "login.html": "login\n", "error.html": "error\n"}
        files["WEB-INF/web.xml"] = rule + LOGINS.get(name, login()) + inner
        if name in CONTEXTS:
            files["META-INF/context.xml"] = CONTEXTS[name]
        found[name] = files
    return found


APPS = applications()
CASES = [(name, path) for name in APPS for path in PATHS]


def answer(site: Site, name: str, path: str) -> object:
    got = ask(site.port, "GET", f"/{name}{path}", (), b"")
    cookies = [
        re.sub(r"Expires=[^;]*[1-9]\d{3} \d\d:\d\d:\d\d GMT", "Expires=DATE", re.sub("[0-9A-F]{32}", "ID", line))
        for line in got.all("set-cookie")
    ]
    return got.status, cookies, got.body if got.status == 200 else b""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    """The answers of both, in the order of the cases."""
    base: Path = tmp_path_factory.mktemp("descriptors")
    with both(base, APPS, engine='<Realm className="org.apache.catalina.realm.MemoryRealm"/>') as sites:
        return [[answer(site, *case) for case in CASES] for site in sites]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{name}{path}" for name, path in CASES])
def test_a_descriptor_is_read_as_by_the_real_tomcat(answers: list[list[object]], number: int) -> None:
    java, ours = answers
    assert ours[number] == java[number]
