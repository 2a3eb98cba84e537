"""One web site twice: for the Java Tomcat and for ours, the same files with the same times, the same web.xml but for
the names of the classes in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["build_site"]

HERE = Path(__file__).parent
#: 2025-06-01 12:00:00 UTC: a fixed time, so entity tags are equal.
MTIME = 1_748_779_200

JAVA_NAMES = {
    "echo": "EchoServlet",
    "fail": "FailServlet",
    "page": "ErrorPage",
    "filter": "MarkFilter",
    "snoop": "SnoopServlet",
    "address": "AddressServlet",
    "dispatch": "DispatchServlet",
    "lookup_error": "java.lang.IndexOutOfBoundsException",
    "value_error": "java.lang.IllegalArgumentException",
    "missing": "com.example.Missing",
}
PYTHON_NAMES = {
    "echo": "echo:EchoServlet",
    "fail": "echo:fail",
    "page": "echo:error_page",
    "filter": "echo:mark_filter",
    "snoop": "echo:snoop",
    "address": "echo:address",
    "dispatch": "echo:dispatch",
    "lookup_error": "LookupError",
    "value_error": "ValueError",
    "missing": "com.example.Missing",
}

HEAD = '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">\n'


def _servlet(name: str, kind: str, *patterns: str, extra: str = "") -> str:
    mapped = "".join(f"<url-pattern>{pattern}</url-pattern>" for pattern in patterns)
    mapping = f"<servlet-mapping><servlet-name>{name}</servlet-name>{mapped}</servlet-mapping>\n" if patterns else ""
    definition = f"<servlet-name>{name}</servlet-name><servlet-class>{{{kind}}}</servlet-class>{extra}"
    return f"<servlet>{definition}</servlet>\n{mapping}"


def _filter(name: str) -> str:
    parameter = f"<init-param><param-name>mark</param-name><param-value>{name}</param-value></init-param>"
    return f"<filter><filter-name>{name}</filter-name><filter-class>{{filter}}</filter-class>{parameter}</filter>\n"


def _filter_mapping(name: str, inner: str) -> str:
    return f"<filter-mapping><filter-name>{name}</filter-name>{inner}</filter-mapping>\n"


MAPPING = (
    HEAD
    + "<context-param><param-name>shop</param-name><param-value>open</param-value></context-param>\n"
    + "".join(_filter(name) for name in ("all", "foo", "exactF", "byName", "everyName", "onError", "prefix"))
    + _filter_mapping("byName", "<servlet-name>exact</servlet-name>")
    + _filter_mapping("everyName", "<servlet-name>*</servlet-name><dispatcher>REQUEST</dispatcher>")
    + _filter_mapping("all", "<url-pattern>/*</url-pattern>")
    + _filter_mapping("foo", "<url-pattern>*.foo</url-pattern>")
    + _filter_mapping("exactF", "<url-pattern>/exact</url-pattern><url-pattern>/static/a.txt</url-pattern>")
    + _filter_mapping("prefix", "<url-pattern>/pre/*</url-pattern>")
    + _filter_mapping("onError", "<url-pattern>/*</url-pattern><dispatcher>ERROR</dispatcher>")
    + _servlet(
        "exact",
        "echo",
        "/exact",
        "/exact/two",
        extra="<init-param><param-name>greeting</param-name><param-value>hello</param-value></init-param>",
    )
    + _servlet("prefix", "echo", "/pre/*")
    + _servlet("deep", "echo", "/pre/deep/*")
    + _servlet("extension", "echo", "*.foo")
    + _servlet("welcome", "echo", "/welcomed/index.do")
    + _servlet("space", "echo", "/with%20space", "/ünïcode/*")
    + _servlet("off", "echo", "/off", extra="<enabled>false</enabled>")
    + _servlet("missing", "missing", "/missing")
    + "<welcome-file-list><welcome-file>index.do</welcome-file><welcome-file>index.html</welcome-file>"
    + "<welcome-file>start.foo</welcome-file></welcome-file-list>\n"
    + "</web-app>\n"
)
ROOT_SERVLET = HEAD + _servlet("root", "echo", "") + _servlet("star", "echo", "/star/*") + "</web-app>\n"
CATCH_ALL = HEAD + _servlet("everything", "echo", "/*") + "</web-app>\n"
DEFAULT_OWN = HEAD + _servlet("own", "echo", "/") + "</web-app>\n"
ERRORS = (
    HEAD
    + _filter("seen")
    + _filter_mapping("seen", "<url-pattern>/page/*</url-pattern><dispatcher>ERROR</dispatcher>")
    + _servlet("fail", "fail", "/fail")
    + _servlet("page", "page", "/page/*")
    + _servlet("pageExact", "page", "/general")
    + "<error-page><error-code>404</error-code><location>/missing.html</location></error-page>\n"
    + "<error-page><error-code>403</error-code><location>/general</location></error-page>\n"
    + "<error-page><error-code>409</error-code><location>/nowhere.html</location></error-page>\n"
    + "<error-page><error-code>410</error-code><location>/general?fail</location></error-page>\n"
    + "<error-page><exception-type>{lookup_error}</exception-type><location>/general</location></error-page>\n"
    + "<error-page><exception-type>{value_error}</exception-type><location>/general</location></error-page>\n"
    + "</web-app>\n"
)
PLAIN = HEAD + _servlet("fail", "fail", "/fail") + "</web-app>\n"
DEFAULT_PAGE = (
    HEAD
    + _servlet("fail", "fail", "/fail")
    + _servlet("page", "page", "/general")
    + "<error-page><location>/general</location></error-page></web-app>\n"
)
LISTED = (
    HEAD
    + "<servlet><servlet-name>default</servlet-name>"
    + "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>"
    + "".join(
        f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"
        for name, value in (
            ("listings", "true"),
            ("readonly", "false"),
            ("precompressed", "true"),
            ("sortListings", "true"),
        )
    )
    + "</servlet></web-app>\n"
)
BROKEN = HEAD + _servlet("one", "echo", "/x") + _servlet("two", "echo", "/x") + "</web-app>\n"
BAD_PATTERN = HEAD + _servlet("one", "echo", "nowhere") + "</web-app>\n"

REWRITTEN = HEAD + _servlet("echo", "echo", "/e/*") + "</web-app>\n"
REWRITE_CONFIG = rb"""# rules without the oddities of the Java valve: see test_rewrite_valve.py for [F] and escapes
RewriteRule /find /e/found
RewriteRule ^/a/(.*)$ /e/$1
RewriteRule ^/q/(.*)$ /e/x?name=$1
RewriteRule ^/qsa/(.*)$ /e/x?name=$1 [QSA]
RewriteRule ^/qsd/(.*)$ /e/x [QSD]
RewriteRule ^/r/(.*)$ /e/$1 [R]
RewriteRule ^/r301/(.*)$ /e/$1 [R=301,L]
RewriteRule ^/rperm/(.*)$ /e/$1 [R=permanent,L]
RewriteRule ^/rsee/(.*)$ /e/$1 [R=seeother,L]
RewriteRule ^/rq/(.*)$ /e/$1?x=1 [R,L]
RewriteRule ^/rqsa/(.*)$ /e/$1?x=1 [R,L,QSA]
RewriteRule ^/rqend/(.*)$ /e/$1? [R,L]
RewriteRule ^/rqsd/(.*)$ /e/$1 [R,L,QSD]
RewriteRule ^/abs/(.*)$ http://example.org/$1 [R,L]
RewriteRule ^/sp/(.*)$ "/e/a b $1" [L]
RewriteRule ^/nc/.* /e/nc [NC,L]
RewriteRule ^/env/(.*)$ /e/env [E=filters:$1,L]
RewriteRule ^/c1/(.*)$ /c2/$1 [C]
RewriteRule ^/c2/(x.*)$ /e/chained-$1 [C]
RewriteRule ^/e/chained-(.*)$ /e/both-$1
RewriteRule ^/s/(.*)$ /e/skipped-$1 [S=1]
RewriteRule ^/e/skipped.*$ /e/notskipped
RewriteCond %{REQUEST_METHOD} GET
RewriteCond %{QUERY_STRING} ^x=(\d+)$
RewriteRule ^/cond/(.*)$ /e/cond-$1-%1 [L]
RewriteCond %{HTTP_USER_AGENT} bot [NC,OR]
RewriteCond %{HTTP:X-Bot} =yes
RewriteRule ^/ua$ /e/bot [L]
RewriteCond %{REQUEST_URI} !^/rew/not/x.*
RewriteRule ^/not/(.*)$ /e/not-$1 [L]
RewriteRule !^/(e|sub|n|ua|cond|not|less|vars|map|t|find|d|file).*$ /e/negated [L]
RewriteCond %{SERVER_NAME} <m
RewriteRule ^/less$ /e/less [L]
RewriteRule ^/vars$ /e/v-%{CONTEXT_PATH}-%{REQUEST_PATH}-%{HTTPS}-%{THE_REQUEST}-%{HTTP_HOST} [L]
RewriteMap up int:toupper
RewriteMap low int:tolower
RewriteRule ^/map/(.*)$ /e/${up:$1} [L]
RewriteRule ^/mapl/(.*)$ /e/${low:$1|default} [L]
RewriteRule ^/t/(.*)$ /file.txt [T=text/x-own,L]
RewriteRule ^/n/(.*)z$ /n/$1 [N]
RewriteRule ^/n/(.*)$ /e/n-$1
"""

REWRITE_CONTEXT = b'<Context><Valve className="org.apache.catalina.valves.rewrite.RewriteValve"/></Context>'

DAV = (
    HEAD
    + "<servlet><servlet-name>webdav</servlet-name>"
    + "<servlet-class>org.apache.catalina.servlets.WebdavServlet</servlet-class>"
    + "<init-param><param-name>readonly</param-name><param-value>{readonly}</param-value></init-param>"
    + "<init-param><param-name>listings</param-name><param-value>true</param-value></init-param></servlet>"
    + "<servlet-mapping><servlet-name>webdav</servlet-name><url-pattern>/*</url-pattern></servlet-mapping></web-app>"
)

WEB_XML = {
    "dav": DAV.replace("{readonly}", "false"),
    "davro": DAV.replace("{readonly}", "true"),
    "davhidden": DAV.replace("{readonly}", "false").replace(">true<", ">false<"),
    "noted": "",
    "rew": REWRITTEN,
    "ROOT": "",
    "map": MAPPING,
    "rooted": ROOT_SERVLET,
    "catch": CATCH_ALL,
    "owndefault": DEFAULT_OWN,
    "errors": ERRORS,
    "plain": PLAIN,
    "defaultpage": DEFAULT_PAGE,
    "listed": LISTED,
    "broken": BROKEN,
    "badpattern": BAD_PATTERN,
    "foo#bar": PLAIN,
    "v": CATCH_ALL,
    "v##1": CATCH_ALL,
    "v##2": DEFAULT_OWN,
}
FILES: dict[str, dict[str, bytes]] = {
    "ROOT": {
        "index.html": b"<html>root</html>\n",
        "a.txt": b"hello\n",
        "empty.txt": b"",
        "s.css": b"body{}\n",
        "s.js": b"var x\n",
        "d.json": b"{}\n",
        "bin.dat": b"\x00\x01\x02abc",
        "noext": b"plain",
        "UPPER.TXT": b"upper\n",
        "x.xml": b"<x/>\n",
        "p.svg": b"<svg/>\n",
        "p.png": b"\x89PNG",
        "with space.txt": b"space\n",
        "üml.txt": b"umlaut\n",
        "a+b.txt": b"plus\n",
        "semi;colon.txt": b"semi\n",
        "utf16.txt": "\ufeffutf16".encode("utf-16-le"),
        "bom.txt": "\ufeffbom".encode(),
        "big.bin": bytes(range(256)) * 800,
        "sub/index.htm": b"sub index\n",
        "sub/x.txt": b"x\n",
        "sub/deep/y.txt": b"y\n",
        "empty/.keep": b"",
        "dot.dir/index.html": b"dotted\n",
        ".hidden": b"hidden\n",
        "META-INF/secret.txt": b"no\n",
        "WEB-INF/secret.txt": b"no\n",
    },
    "map": {
        "static/a.txt": b"static\n",
        "pre/hidden.txt": b"never served\n",
        "a.foo": b"never served either\n",
        "welcomed/plain.txt": b"w\n",
        "files/index.html": b"files index\n",
        "fooish/start.foo": b"a foo\n",
        "nothing/z.txt": b"z\n",
    },
    "rooted": {"index.html": b"never for the root\n", "sub/index.html": b"sub of rooted\n"},
    "owndefault": {"index.html": b"not served\n", "a.txt": b"not served\n"},
    "errors": {"missing.html": b"<html>own 404</html>\n", "a.txt": b"fine\n"},
    "listed": {
        "dir/a.txt": b"a\n",
        "dir/b & c.txt": b"b\n",
        "dir/big.bin": b"0" * 3000,
        "dir/inner/z.txt": b"z\n",
        "z.txt": b"zzz\n",
        "z.txt.gz": b"not really gzip",
        "z.txt.br": b"not really brotli",
    },
    "dav": {"a.txt": b"hello\n", "d/x.txt": b"x\n", "deep/a/b/c/d/e.txt": b"e\n", "b & c.txt": b"b\n"},
    "davhidden": {"a.txt": b"hello\n"},
    "davro": {"a.txt": b"hello\n"},
    "noted": {"META-INF/context.xml": b'<Context sendRedirectBody="true"/>', "sub/a.txt": b"a"},
    "rew": {
        "WEB-INF/rewrite.config": REWRITE_CONFIG,
        "META-INF/context.xml": REWRITE_CONTEXT,
        "file.txt": b"a file\n",
        "sub/x.txt": b"x\n",
    },
    "catch": {"index.html": b"hidden by the pattern\n"},
}


def build_site(target: Path, jars: Path | None) -> None:
    """Write the applications below ``target``; with ``jars`` those of Java, their classes compiled."""
    names = JAVA_NAMES if jars is not None else PYTHON_NAMES
    classes = target.parent / "classes"
    if jars is not None:
        classes.mkdir()
        sources = [str(source) for source in sorted(HERE.glob("*.java"))]
        api = str(jars / "servlet-api.jar")
        subprocess.run(["javac", "-nowarn", "-cp", api, "-d", str(classes), *sources], check=True, timeout=120)
    for name, web_xml in WEB_XML.items():
        application = target / name
        inside = application / "WEB-INF" / "classes"
        inside.mkdir(parents=True)
        text = web_xml
        for key, value in names.items():
            text = text.replace("{" + key + "}", value)
        if text:
            (application / "WEB-INF" / "web.xml").write_text(text, "utf-8")
        for source in classes.glob("*.class") if jars is not None else [HERE / "echo.py"]:
            (inside / source.name).write_bytes(source.read_bytes())
        for file, content in FILES.get(name, {}).items():
            path = application / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (application / "link.txt").symlink_to("/etc/hostname")
        for directory, _, files in os.walk(application):
            for each in files:
                path = Path(directory, each)
                if not path.is_symlink():
                    os.utime(path, (MTIME, MTIME))
            os.utime(directory, (MTIME, MTIME))
