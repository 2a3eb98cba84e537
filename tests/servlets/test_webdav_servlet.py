"""WebDAV through the whole container; the comparison with the real Tomcat is in tests/interop/differential."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.node import Node, web_xml

XMLNS = 'xmlns="DAV:"'
LOCKINFO = f"<lockinfo {XMLNS}><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>".encode()
COLOR = f'<propfind {XMLNS}><prop><color xmlns="urn:x"/></prop></propfind>'.encode()
SET_COLOR = f'<propertyupdate {XMLNS}><set><prop><color xmlns="urn:x">red</color></prop></set></propertyupdate>'


def descriptor(**parameters: str) -> str:
    inner = "".join(
        f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"
        for name, value in {"readonly": "false", "listings": "true", **parameters}.items()
    )
    return web_xml(
        "<servlet><servlet-name>dav</servlet-name>"
        f"<servlet-class>org.apache.catalina.servlets.WebdavServlet</servlet-class>{inner}</servlet>"
        "<servlet-mapping><servlet-name>dav</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "hello", "d/x.txt": "x", "WEB-INF/web.xml": descriptor()})
    with node:
        yield node


def files(node: Node) -> Path:
    return node.base / "webapps/ROOT"


def test_files_are_served_changed_and_removed(node: Node) -> None:
    assert node.ask("/a.txt").body == b"hello"
    assert node.ask("/b.txt", "PUT", body=b"new").status == 201
    assert node.ask("/b.txt").body == b"new"
    assert node.ask("/b.txt", "DELETE").status == 204
    assert node.ask("/b.txt").status == 404


def test_propfind_tells_what_is_there_but_not_what_is_protected(node: Node) -> None:
    answer = node.ask("/", "PROPFIND", {"Depth": "infinity"})
    hrefs = re.findall(rb"<D:href>([^<]*)</D:href>", answer.body)
    assert answer.status == 207
    assert sorted(hrefs) == [b"/", b"/a.txt", b"/d/", b"/d/x.txt"]
    assert b"<D:getcontentlength>5</D:getcontentlength>" in answer.body


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "PROPPATCH"])
@pytest.mark.parametrize("path", ["/WEB-INF/web.xml", "/web-inf/x", "/META-INF/x"])
def test_what_is_protected_is_not_there(node: Node, method: str, path: str) -> None:
    headers = {"Destination": "/stolen.txt"}
    assert node.ask(path, method, headers, body=b"").status == 404
    assert not (files(node) / "stolen.txt").exists()


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("/WEB-INF/x", 403), ("/web-inf/x", 403), ("/../x", 400), ("/%2e%2e/x", 400), ("//other/x", 403),
        ("//g", 400), ("/b.txt#part", 400), ("https://localhost/b.txt", 403), ("http://localhost:1/b.txt", 403),
        ("http://other/x", 403), ("http://localhost:x/b.txt", 400),
        ("/no/such/x", 409), ("/%ff", 400), ("/a.txt", 403), ("", 400),
    ],
)  # fmt: skip
def test_where_a_copy_cannot_go(node: Node, destination: str, status: int) -> None:
    before = sorted(node.base.rglob("*"))
    assert node.ask("/a.txt", "COPY", {"Destination": destination}).status == status
    assert [path for path in sorted(node.base.rglob("*")) if "logs" not in path.parts] == [
        path for path in before if "logs" not in path.parts
    ]


def test_a_link_out_of_the_application_is_not_followed(node: Node) -> None:
    (node.base / "secret.txt").write_text("secret")
    (files(node) / "link.txt").symlink_to(node.base / "secret.txt")
    (files(node) / "out").symlink_to(node.base)
    assert node.ask("/link.txt", "COPY", {"Destination": "/b.txt"}).status == 404
    assert node.ask("/a.txt", "COPY", {"Destination": "/out/b.txt"}).status in (403, 409)
    assert node.ask("/out/dir", "MKCOL").status in (403, 409)
    assert not (node.base / "b.txt").exists()
    assert not (node.base / "dir").exists()


def test_directories_are_made_copied_and_moved(node: Node) -> None:
    assert node.ask("/new", "MKCOL").status == 201
    assert node.ask("/new", "MKCOL").status == 405
    assert node.ask("/d", "COPY", {"Destination": "/new/d"}).status == 201
    assert node.ask("/new/d/x.txt").body == b"x"
    assert node.ask("/d", "COPY", {"Destination": "/flat", "Depth": "0"}).status == 201
    assert node.ask("/flat/x.txt").status == 404
    assert node.ask("/new", "MOVE", {"Destination": "/moved"}).status == 201
    assert (node.ask("/moved/d/x.txt").body, node.ask("/new/d/x.txt").status) == (b"x", 404)
    assert node.ask("/d", "COPY", {"Destination": "/d/inside"}).status == 403


def test_overwrite(node: Node) -> None:
    copy = {"Destination": "/d/x.txt"}
    assert node.ask("/a.txt", "COPY", {**copy, "Overwrite": "F"}).status == 412
    assert node.ask("/d/x.txt").body == b"x"
    assert node.ask("/a.txt", "COPY", copy).status == 204
    assert node.ask("/d/x.txt").body == b"hello"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PROPFIND", "/", {"Depth": "2"}, 400), ("PROPFIND", "/", {"Depth": "x"}, 400),
        ("PROPFIND", "/", {"Depth": "Infinity"}, 400), ("LOCK", "/a.txt", {"Depth": "1"}, 400),
        ("COPY", "/a.txt", {"Destination": "/b.txt", "Depth": "1"}, 400),
        ("COPY", "/a.txt", {"Destination": "/d/x.txt", "Overwrite": "x"}, 412),
        ("MOVE", "/a.txt", {"Destination": "/b.txt", "Depth": "1"}, 400),
        ("PUT", "/a.txt", {"If": "garbage"}, 412), ("DELETE", "/a.txt", {"If": "(<urn:x"}, 412),
        ("DELETE", "/a.txt", {"If-Match": '"other"'}, 412), ("DELETE", "/nope", {"If-Match": "*"}, 412),
        ("MKCOL", "/new", {"If-Match": "*"}, 412), ("PROPFIND", "/a.txt", {"If-None-Match": "*"}, 412),
        ("LOCK", "/d", {"If": "(Not <urn:x>)", "X-Renew": "1"}, 412),
        ("UNLOCK", "/a.txt", {}, 400), ("UNLOCK", "/a.txt", {"Lock-Token": "garbage"}, 409), ("PUT", "/d", {}, 405),
    ],
)  # fmt: skip
def test_what_a_field_must_say(node: Node, method: str, path: str, headers: dict[str, str], status: int) -> None:
    body = LOCKINFO if method == "LOCK" and "X-Renew" not in headers else b""
    assert node.ask(path, method, headers, body=body).status == status
    assert sorted(path.name for path in files(node).iterdir()) == ["WEB-INF", "a.txt", "d"]


@pytest.mark.parametrize("scope", ["", "<other/>", "<shared/><exclusive/>", '<x:shared xmlns:x="urn:x"/>'])
def test_a_lock_is_exclusive_or_shared(node: Node, scope: str) -> None:
    body = LOCKINFO.replace(b"<exclusive/>", scope.encode())
    assert node.ask("/a.txt", "LOCK", body=body).status == 400
    assert node.ask("/a.txt", "PUT", body=b"not locked").status == 204


def test_a_tagged_condition_is_about_the_resource_it_names(node: Node) -> None:
    tag = node.ask("/d/x.txt", "HEAD").get("ETag")
    assert node.ask("/a.txt", "PUT", {"If": f"([{tag}])"}, body=b"x").status == 412
    assert node.ask("/a.txt", "PUT", {"If": f"</d/x.txt> ([{tag}])"}, body=b"x").status == 204
    assert node.ask("/a.txt", "PUT", {"If": f"<http://other/d/x.txt> ([{tag}])"}, body=b"x").status == 412


def test_a_directory_is_deleted_but_for_what_somebody_has_locked(node: Node) -> None:
    for path in ("/d/one", "/d/two"):
        node.ask(path, "MKCOL")
        node.ask(f"{path}/y.txt", "PUT", body=b"y")
    node.ask("/d/one/y.txt", "LOCK", body=LOCKINFO)
    answer = node.ask("/d", "DELETE")
    assert answer.status == 207
    assert re.findall(rb"<D:href>([^<]*)</D:href>\n<D:status>HTTP/1.1 (\d+)", answer.body) == [
        (b"/d/one/y.txt", b"423")
    ]
    assert sorted(str(path.relative_to(files(node))) for path in (files(node) / "d").rglob("*")) == [
        "d/one",
        "d/one/y.txt",
    ]
    assert node.ask("/d/one/y.txt", "PUT", body=b"x").status == 423


@pytest.mark.parametrize("target", ["/dav", "/dav/"])
def test_the_root_is_emptied_and_the_protected_directories_stay(tmp_path: Path, target: str) -> None:
    node = Node(tmp_path)
    node.add("dav", {"a.txt": "hello", "d/x.txt": "x", "WEB-INF/web.xml": descriptor()})
    with node:
        answer = node.ask(target, "DELETE")
    assert answer.status == 207
    assert re.findall(rb"<D:href>([^<]*)</D:href>\n<D:status>HTTP/1.1 (\d+)", answer.body) == [
        (b"/dav/WEB-INF", b"403")
    ]
    assert sorted(path.name for path in (node.base / "webapps/dav").iterdir()) == ["WEB-INF"]


def test_a_name_that_no_file_can_have_is_a_conflict(node: Node) -> None:
    name = "/" + "n" * 300
    assert node.ask(name, "MKCOL").status == 409
    assert node.ask(name, "PUT", body=b"x").status == 409
    assert node.ask(name, "LOCK", body=LOCKINFO).status == 409
    assert node.ask("/a.txt", "COPY", {"Destination": name}).status == 409


def test_properties_go_with_the_file(node: Node) -> None:
    assert node.ask("/a.txt", "PROPPATCH", body=SET_COLOR.encode()).status == 207
    assert b">red</color>" in node.ask("/a.txt", "PROPFIND", body=COLOR).body
    node.ask("/a.txt", "MOVE", {"Destination": "/b.txt"})
    assert b">red</color>" in node.ask("/b.txt", "PROPFIND", body=COLOR).body
    node.ask("/b.txt", "DELETE")
    node.ask("/b.txt", "PUT", body=b"other")
    assert b"404" in node.ask("/b.txt", "PROPFIND", body=COLOR).body


def test_a_property_of_the_server_cannot_be_set_and_none_of_the_others_is(node: Node) -> None:
    body = SET_COLOR.replace("</color>", f"</color><getetag {XMLNS}>x</getetag>").encode()
    answer = node.ask("/a.txt", "PROPPATCH", body=body)
    assert b"HTTP/1.1 403 " in answer.body
    assert b"HTTP/1.1 424 " in answer.body
    assert b"404" in node.ask("/a.txt", "PROPFIND", body=COLOR).body


def test_a_locked_file_is_changed_with_the_token_only(node: Node) -> None:
    answer = node.ask("/a.txt", "LOCK", {"Timeout": "Second-60"}, body=LOCKINFO)
    token = answer.get("Lock-Token") or ""
    assert (answer.status, token[:17]) == (200, "<opaquelocktoken:")
    with_token = {"If": f"({token})"}
    for method, headers in (
        ("PUT", {}), ("DELETE", {}), ("MOVE", {"Destination": "/b.txt"}), ("PROPPATCH", {}), ("LOCK", {}),
    ):  # fmt: skip
        body = LOCKINFO if method == "LOCK" else SET_COLOR.encode()
        assert node.ask("/a.txt", method, headers, body=body).status == 423, method
    assert node.ask("/d/x.txt", "COPY", {"Destination": "/a.txt"}).status == 423
    assert node.ask("/a.txt", "PUT", {"If": "(<opaquelocktoken:other>)"}, body=b"x").status == 412
    assert node.ask("/a.txt", "PUT", with_token, body=b"mine").status == 204
    assert token[1:-1].encode() in node.ask("/a.txt", "PROPFIND", {"Depth": "0"}).body
    assert node.ask("/a.txt", "LOCK", with_token).status == 200
    assert node.ask("/a.txt", "UNLOCK", {"Lock-Token": "<opaquelocktoken:other>"}).status == 409
    assert node.ask("/a.txt", "UNLOCK", {"Lock-Token": token}).status == 204
    assert node.ask("/a.txt", "PUT", body=b"any").status == 204


def test_a_lock_makes_the_file_that_it_names(node: Node) -> None:
    assert node.ask("/soon.txt", "LOCK", body=LOCKINFO).status == 201
    assert node.ask("/soon.txt").body == b""
    assert node.ask("/no/such.txt", "LOCK", body=LOCKINFO).status == 409


@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "LOCK"])
def test_a_body_is_bounded_and_is_xml(node: Node, method: str) -> None:
    assert node.ask("/a.txt", method, body=b"x" * 5000).status == 413
    assert node.ask("/a.txt", method, body=b"garbage").status == 400


def test_by_default_nothing_is_changed_and_nothing_listed(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "hello", "WEB-INF/web.xml": descriptor(readonly="true", listings="false")})
    with node:
        for method in ("PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK"):
            assert node.ask("/a.txt", method, {"Destination": "/b.txt"}).status in (403, 405), method
        assert node.ask("/a.txt", "PROPFIND").status == 405
        assert node.ask("/a.txt").body == b"hello"
    assert sorted(path.name for path in files(node).iterdir()) == ["WEB-INF", "a.txt"]
