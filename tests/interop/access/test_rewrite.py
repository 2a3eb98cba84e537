"""Rewrite rules at the real Tomcat and at ours: every answer, and every rewritten URL, is the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.interop.access.twin_sites import Site, both
from tests.interop.differential.raw_client import ask

pytestmark = pytest.mark.interop

#: Rules -> targets, each below the application's path.
RULES: list[tuple[str, tuple[str, ...]]] = [
    ("RewriteRule ^(.*) $1", ("/a/%255A", "/c/a%20b", "/c/a%3Fb", "/c/a%3Bb", "/c/%C3%BC", "/c/a;x=1/b")),
    (r"RewriteRule ^(.*) /c/\%5A", ("/x", "/x?y=1")),
    ("RewriteRule ^/b/(.*) /b/../c/$1", ("/b/%255A", "/b/x%20y")),
    ("RewriteRule ^/b/(.*) /c/$1 [B]", ("/b/a%20b", "/b/a%255A", "/b/a+b~!$&'()*,=:@", "/b/%C3%BC", "/b/a/b")),
    ("RewriteRule ^/b/(.*) /c/$1 [B,R]", ("/b/a%20b", "/b/a%255A", "/b/a%3Fb?q=1", "/b/%C3%BC")),
    ("RewriteRule ^/b/(.*) /c?x=$1 [B]", ("/b/a%20b", "/b/a&b=c", "/b/%C3%BC~", "/b/a%2Bb?q=1")),
    ("RewriteRule ^/b/(.*) /c?x=$1", ("/b/a%20b", "/b/a&b=c", "/b/%C3%BC~", "/b/a%2Bb?q=1", "/b/it's(*)")),
    ("RewriteRule ^/b/(.*) /c?x=$1 [R]", ("/b/a%20b", "/b/a&b=c", "/b/%C3%BC~", "/b/a%2Bb?q=1", "/b/it's(*)")),
    ("RewriteMap e int:escape\nRewriteRule ^/b/(.*) /c/${e:$1}", ("/b/a%20b", "/b/%255A", "/b/%C3%BC;x")),
    ("RewriteMap u int:unescape\nRewriteRule ^/b/(.*) /c/${u:$1}", ("/b/a%2520b", "/b/a%252520b")),
    ("RewriteMap e int:escape\nRewriteRule ^/b/(.*) /c/${e:$1} [R]", ("/b/a%20b", "/b/%255A", "/b/a%3Fb")),
    *[
        (f"RewriteRule ^/b/(.*) /c/$1{query}{flags}", ("/b/d", "/b/d?je=2", "/b/d?=1", "/b/d?"))
        for query in ("", "?", "?id=1", r"?id=a\%20b~")
        for flags in ("", " [QSA]", " [QSD]", " [QSA,QSD]", " [R]", " [R,QSA]", " [R,QSD]", " [R,QSA,QSD]")
        if (query, flags) != ("?", " [R]")  # until 10.1.55 Tomcat leaves the question mark there
    ],
    ("RewriteCond %{QUERY_STRING} a=(.*)\nRewriteRule ^/b.*$ /c/%1 [QSD]", ("/b?a=x%20y", "/b?a=%41", "/b?a=x%3Fy")),
    ("RewriteCond %{QUERY_STRING} a=(.*)\nRewriteRule ^/b.*$ /c/%1 [R,QSD]", ("/b?a=x%20y", "/b?a=%41")),
    ("RewriteCond %{QUERY_STRING} a=(.*)\nRewriteRule ^/b.*$ /c?%1 [B]", ("/b?a=x%20y", "/b?a=%2541")),
    ("RewriteRule ^/b/(.*) /c/\u00a1$1 [R]", ("/b/%C2%A1", "/b/x?y=%C2%A1")),
    ("RewriteRule ^/b/(.*) /c/\u00a1$1 [B]", ("/b/%C2%A1",)),
    ("RewriteRule ^/b/(.*) /c/$1;v=1/x", ("/b/d",)),
    ("RewriteRule ^/secret.* /c.txt", ("/secret", "/secret/x", "/secret%0Ax", "/secret%0A", "/other")),
    ("RewriteCond %{REQUEST_PATH} .*secret.*\nRewriteRule .* /c.txt", ("/secret", "/secret%0Ax", "/x%0Asecret")),
    ("RewriteRule ^/b/(.*) /c.txt [T=text/own]", ("/b/d",)),
    ("RewriteRule ^/b/(.*) http://example.org/$1 [R]", ("/b/a%20b", "/b/a%3Fb?q=1")),
    ("RewriteRule ^/B/(.*) /c.txt [NC]", ("/b/d", "/B/d")),
]


def target_cases() -> list[tuple[int, str]]:
    return [(number, target) for number, (_, targets) in enumerate(RULES) for target in targets]


CASES = target_cases()
LOG = (
    '<Valve className="org.apache.catalina.valves.AccessLogValve" prefix="access" suffix=".log" rotatable="false"'
    ' pattern="%U|%q|%s|%{Location}o|%{Content-Type}o"/>'
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[object]], list[list[str]]]:
    """Statuses and locations, and the log lines, of both."""
    base: Path = tmp_path_factory.mktemp("rewrite")
    valve = '<Context><Valve className="org.apache.catalina.valves.rewrite.RewriteValve"/></Context>'
    apps = {
        f"r{number}": {"c.txt": "c\n", "META-INF/context.xml": valve, "WEB-INF/rewrite.config": rules + "\n"}
        for number, (rules, _) in enumerate(RULES)
    }
    with both(base, apps, host=LOG) as sites:
        answers = [[_ask(site, *case) for case in CASES] for site in sites]
    lines = [site.log("access.log") for site in sites]
    return answers, lines


def _ask(site: Site, number: int, target: str) -> object:
    answer = ask(site.port, "GET", f"/r{number}{target}", (), b"")
    location = re.sub(rf"http://[^/]*:{site.port}", "", answer.get("location") or "")
    return answer.status, location, answer.get("content-type") if answer.status == 200 else None


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{rule}-{target}" for rule, target in CASES])
def test_a_url_is_rewritten_as_by_the_real_tomcat(
    done: tuple[list[list[object]], list[list[str]]], number: int
) -> None:
    (java, ours), (java_log, our_log) = done
    assert (ours[number], our_log[number]) == (java[number], java_log[number])
