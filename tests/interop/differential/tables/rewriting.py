"""RewriteValve: rules with their flags, and what they make of an address."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, pairwise, request, servlet_xml

FLAGS = (
    "",
    "[L]",
    "[R]",
    "[R=301,L]",
    "[R=303]",
    "[R=307,L]",
    "[B]",
    "[B,R]",
    "[NE]",
    "[NE,R]",
    "[QSA]",
    "[QSA,R]",
    "[QSD]",
    "[QSD,R]",
    "[QSA,QSD]",
    "[NC]",
    "[NC,R]",
    "[F]",
    "[G]",
    "[E=x:$1]",
    "[T=text/x-own]",
    "[B,NE,R]",
    "[QSA,NE,R]",
)
SUBSTITUTIONS = (
    "/e/$1",
    "/e/$1?n=$1",
    "/e/x?",
    "/e/x?a=b&c=$1",
    "/e/%{QUERY_STRING}/$1",
    "/e/%{REQUEST_METHOD}-$1",
    "/e/\\$1",
    "/e/%{HTTP_HOST}",
    "http://example.org/$1",
    "/e/$1#f",
    "/e/%{SERVER_PORT}",
    "/e/${low:$1}",
    "/e/${up:$1}",
    "/e/${esc:$1}",
    "/e/${none:$1|dflt}",
)
INPUTS = (
    "a",
    "a%20b",
    "%C3%A9",
    "a%26b",
    "a%3Fb",
    "a%25b",
    "a%23b",
    "a+b",
    "a%2Bb",
    "A",
    "",
    "a/b",
    "a%3Bb",
    "a=b",
    "a%2520b",
    "a%22b",
    "a;p=1",
    "..;/x",
    "a:b",
    "a%5B",
)
QUERIES = ("", "?q=1", "?q=a%20b", "?q=%26", "?", "?q=a+b&r")
CONDITIONS = (
    "%{REQUEST_METHOD} GET", "%{REQUEST_METHOD} !GET", "%{QUERY_STRING} ^q=(.*)$", "%{QUERY_STRING} =",
    "%{REQUEST_URI} x", "%{HTTP_HOST} ^local", "%{HTTP_HOST} LOCAL [NC]", "%{SERVER_NAME} <m", "%{SERVER_NAME} >m",
    "%{SERVER_NAME} =localhost",
    "%{HTTP:X-A} yes", "%{HTTP_USER_AGENT} bot [NC]", "%{REMOTE_ADDR} ^127", "%{HTTPS} off", "%{HTTPS} on",
    "%{SERVER_PROTOCOL} 1\\.1", "%{THE_REQUEST} GET", "%{REQUEST_PATH} ^/c", "%{CONTEXT_PATH} rules",
    "%{HTTP_COOKIE} a=b", "%{TIME_YEAR} ^2", "%{ENV:x} y", "%{REMOTE_USER} ^$", "%{HTTP_REFERER} ^$",
    "%{SERVER_PORT} ^[0-9]+$", "%{HTTP_ACCEPT} ^$",
)  # fmt: skip
CHAINS = (
    "RewriteCond %{QUERY_STRING} q\nRewriteCond %{REQUEST_METHOD} GET",
    "RewriteCond %{QUERY_STRING} q [OR]\nRewriteCond %{REQUEST_METHOD} POST",
    "RewriteCond %{QUERY_STRING} !q [OR]\nRewriteCond %{REQUEST_METHOD} !GET",
    "RewriteCond %{QUERY_STRING} ^(.*)=(.*)$\nRewriteCond %{REQUEST_URI} (.)$",
)
MAPS = "RewriteMap low int:tolower\nRewriteMap up int:toupper\nRewriteMap esc int:escape\nRewriteMap none int:tolower\n"


def _rules() -> tuple[str, list[Case]]:
    lines, cases = [MAPS], []
    combinations = pairwise(FLAGS, SUBSTITUTIONS, INPUTS, QUERIES)
    numbers: dict[tuple[str, str], int] = {}
    for flags, substitution, text, query in combinations:
        number = numbers.setdefault((flags, substitution), len(numbers))
        cases.append(request("GET", f"/rules/r{number}/{text}{query}"))
    for (flags, substitution), number in numbers.items():
        lines.append(f"RewriteRule ^/r{number}/(.*)$ {substitution} {flags or '[L]'}".rstrip())
    # Each flag and each substitution with each input, beside what the pairs above bring.
    for number, flags in enumerate(FLAGS):
        lines.append(f"RewriteRule ^/f{number}/(.*)$ /e/$1 {flags or '[L]'}".rstrip())
        cases += [request("GET", f"/rules/f{number}/{text}{query}") for text, query in product(INPUTS[:9], QUERIES[:3])]
    for number, condition in enumerate(CONDITIONS):
        lines.append(f"RewriteCond {condition}\nRewriteRule ^/c{number}/(.*)$ /e/yes-$1 [L]")
        for fields, query in product(
            ((), ("X-A: yes", "User-Agent: A Bot", "Cookie: a=b", "Referer: r", "Accept: a")), ("", "?q=1")
        ):
            cases.append(request("GET", f"/rules/c{number}/x{query}", *fields))
        cases.append(request("POST", f"/rules/c{number}/x"))
    for number, chain in enumerate(CHAINS):
        lines.append(f"{chain}\nRewriteRule ^/d{number}/(.*)$ /e/yes-$1{'-%1' if '(.)' in chain else ''} [L]")
        cases += [
            request(method, f"/rules/d{number}/x{query}")
            for method, query in product(("GET", "POST"), ("", "?q=1", "?a=b"))
        ]
    return "\n".join(lines) + "\n", cases


RULES, CASES = _rules()
CONTEXT = '<Context><Valve className="org.apache.catalina.valves.rewrite.RewriteValve"/></Context>'
APPS: dict[str, dict[str, str | bytes]] = {
    "rules": {
        "WEB-INF/web.xml": servlet_xml("{snoop}", "/e/*", name="e"),
        "WEB-INF/rewrite.config": RULES,
        "META-INF/context.xml": CONTEXT,
        "file.txt": b"file\n",
    }
}
TABLES = [Table("rewriting", CASES, APPS)]
