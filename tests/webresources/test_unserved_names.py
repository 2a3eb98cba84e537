"""Names that are never static content, asked for through every servlet that serves files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.valves.rewrite.rewrite_valve import RewriteValve
from catalina.webresources.unserved_names import is_unserved
from tests.core.node import Node, web_xml
from tests.support.work import assert_linear

UNSERVED = [
    "wsgi.py", "a.PY", "a.pyc", "a.pyi", "a.py~", "a.py.bak", "a.py.gz", ".env", ".git/config", "x/.htaccess",
    "db.sqlite3",
    "site.db", "app.sqlite", "db.sqlite3-wal", "db.sqlite3.bak", "__pycache__/a.cpython-311.pyc", "__pycache__/x.txt",
    "shop.egg-info/PKG-INFO", "shop-1.0.dist-info/METADATA", "pyproject.toml", "requirements.txt",
    "requirements-dev.txt",
    "Pipfile.lock", "poetry.lock", "setup.cfg",
]  # fmt: skip
SERVED = [
    "index.html", "a.js", "py", "apy", "happy.html", "a.python", "a.db.html", "mydb", "dbx.png", "a.py.html",
    ".well-known/acme-challenge/token", "pyproject.html", "requirements.html", "notes.txt", "my.egg-info.html",
]  # fmt: skip


@pytest.mark.parametrize("name", UNSERVED)
def test_names_that_are_never_served(name: str) -> None:
    assert is_unserved("/" + name)
    assert is_unserved("/WEB-INF/classes/" + name)


@pytest.mark.parametrize("name", SERVED)
def test_names_that_are(name: str) -> None:
    assert not is_unserved("/" + name)


@pytest.mark.parametrize("piece", [".py", ".py.gz", "~", ".gz", "/.", "a.db-wal.", ".py~/"])
def test_the_work_grows_with_the_length_of_the_path(piece: str) -> None:
    assert_linear(lambda size: lambda: is_unserved("/a" + piece * size + "x"), 500)


SERVLETS = web_xml(
    "<servlet><servlet-name>default</servlet-name>"
    "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>"
    "<init-param><param-name>readonly</param-name><param-value>false</param-value></init-param>"
    "<init-param><param-name>listings</param-name><param-value>true</param-value></init-param>"
    "<init-param><param-name>precompressed</param-name><param-value>true</param-value></init-param></servlet>"
    "<servlet><servlet-name>dav</servlet-name>"
    "<servlet-class>org.apache.catalina.servlets.WebdavServlet</servlet-class>"
    "<init-param><param-name>readonly</param-name><param-value>false</param-value></init-param>"
    "<init-param><param-name>listings</param-name><param-value>true</param-value></init-param></servlet>"
    "<servlet><servlet-name>go</servlet-name><servlet-class>dispatching:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>"
    "<servlet-mapping><servlet-name>dav</servlet-name><url-pattern>/dav/*</url-pattern></servlet-mapping>"
    "<servlet-mapping><servlet-name>go</servlet-name><url-pattern>/go</url-pattern></servlet-mapping>"
    "<welcome-file-list><welcome-file>wsgi.py</welcome-file><welcome-file>index.html</welcome-file></welcome-file-list>"
)
DISPATCHING = """
from urllib.parse import parse_qs

def application(environ, start_response):
    context = environ["catalina.context"]
    wanted = parse_qs(environ["QUERY_STRING"])
    if "own" in wanted:
        start_response("200 OK", [])
        return [context.resource(wanted["own"][0]).read()]
    dispatcher = context.request_dispatcher(wanted["path"][0])
    return getattr(dispatcher, wanted["how"][0])(environ, start_response)
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    files = dict.fromkeys(UNSERVED, "# SECRET") | dict.fromkeys(SERVED, "public")
    files |= {"dav/" + name: content for name, content in list(files.items())}
    files |= {"WEB-INF/web.xml": SERVLETS, "WEB-INF/classes/dispatching.py": DISPATCHING, "WEB-INF/rewrite.config": ""}
    node.add("ROOT", files)
    with node:
        yield node


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PROPFIND", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "PROPPATCH"]
)
@pytest.mark.parametrize("prefix", ["/", "/dav/"])
def test_no_method_of_a_servlet_reads_or_changes_them(node: Node, prefix: str, method: str) -> None:
    for name in UNSERVED:
        answer = node.ask(prefix + name, method, {"Destination": "/stolen.txt", "Depth": "infinity"}, body=b"")
        assert answer.status >= 400, (name, answer.status)
        assert b"# SECRET" not in answer.body
        for place in (prefix, "/"):
            assert (node.base / f"webapps/ROOT{place}{name}").read_text() == "# SECRET"
    assert not (node.base / "webapps/ROOT/stolen.txt").exists()


def test_public_files_are_served(node: Node) -> None:
    for name in SERVED:
        assert node.ask("/" + name).body == b"public"


def test_listings_leave_them_out(node: Node) -> None:
    page = node.ask("/x/").body + node.ask("/").body + node.ask("/dav/", "PROPFIND", {"Depth": "1"}).body
    found = {name.decode() for name in re.findall(rb"[\w.-]+", page)}
    assert "happy.html" in found
    assert not found & set(UNSERVED)


def test_what_is_never_served_cannot_be_copied_into_place(node: Node) -> None:
    for method in ("COPY", "MOVE"):
        for name in ("new.py", ".env2", "x.db"):
            assert node.ask("/dav/a.js", method, {"Destination": f"/dav/{name}"}).status == 403
    assert (node.base / "webapps/ROOT/dav/a.js").exists()


@pytest.mark.parametrize("method", ["COPY", "MOVE", "DELETE"])
def test_a_directory_with_some_of_them_keeps_them(node: Node, method: str) -> None:
    answer = node.ask("/dav/x", method, {"Destination": "/dav/y"})
    assert answer.status >= 400 or answer.status == 207
    assert (node.base / "webapps/ROOT/dav/x/.htaccess").read_text() == "# SECRET"


@pytest.mark.parametrize("path", ["/wsgi.py", "/.env", "/WEB-INF/classes/dispatching.py", "/db.sqlite3"])
@pytest.mark.parametrize("how", ["forward", "include"])
def test_a_dispatcher_does_not_serve_them(node: Node, path: str, how: str) -> None:
    answer = node.ask(f"/go?how={how}&path={path}")
    assert b"# SECRET" not in answer.body
    assert b"def application" not in answer.body


def test_the_application_reads_its_own_files(node: Node) -> None:
    assert node.ask("/go?own=/db.sqlite3").body == b"# SECRET"
    assert b"def application" in node.ask("/go?own=/WEB-INF/classes/dispatching.py").body


def test_a_welcome_file_is_no_source(node: Node) -> None:
    assert node.ask("/").body != b"# SECRET"


def test_a_rewritten_address_does_not_lead_to_them(tmp_path: Path) -> None:
    node = Node(tmp_path)
    rules = "RewriteRule ^/show/(.*)$ /$1 [L]\n"
    files = dict.fromkeys(UNSERVED, "# SECRET") | {"WEB-INF/rewrite.config": rules, "a.txt": "public"}
    files |= {"WEB-INF/web.xml": SERVLETS, "WEB-INF/classes/dispatching.py": DISPATCHING}
    node.add("ROOT", files).add_valve(RewriteValve())
    with node:
        assert node.ask("/show/a.txt").body == b"public"
        for name in UNSERVED:
            answer = node.ask("/show/" + name)
            assert answer.status >= 400
            assert b"# SECRET" not in answer.body
