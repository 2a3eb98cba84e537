"""Static files through the whole container; the comparison with the real Tomcat is in tests/interop/differential."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.attributes import AttributeRefused
from catalina.servlets.default_servlet import DEFAULT, choose, precompressed_formats
from catalina.webresources.resource import Resource
from tests.core.node import Node, web_xml


def servlet(**parameters: str) -> str:
    inner = "".join(
        f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"
        for name, value in parameters.items()
    )
    return web_xml(f"<servlet><servlet-name>default</servlet-name>{inner}</servlet>")


def test_a_small_file_comes_from_memory_and_a_large_one_from_the_file(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "hello", "big.bin": b"x" * 100_000})
    with node:
        small, big = node.ask("/a.txt"), node.ask("/big.bin")
    assert (small.status, small.body, small.get("Content-Type")) == (200, b"hello", "text/plain")
    assert (big.status, len(big.body), big.get("Content-Length")) == (200, 100_000, "100000")


def test_head_has_the_length_and_no_body(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "hello"})
    with node:
        answer = node.ask("/a.txt", "HEAD")
    assert (answer.status, answer.body, answer.get("Content-Length")) == (200, b"", "5")


def test_a_range_of_a_large_file(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"big.bin": bytes(range(256)) * 400})
    with node:
        answer = node.ask("/big.bin", headers={"Range": "bytes=256-259"})
    assert (answer.status, answer.body) == (206, b"\x00\x01\x02\x03")


@pytest.mark.parametrize("path", ["/WEB-INF/web.xml", "/META-INF/x.txt", "/web-inf/web.xml", "/WEB-INF/"])
def test_what_is_protected_is_not_there(tmp_path: Path, path: str) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"WEB-INF/web.xml": servlet(listings="true"), "META-INF/x.txt": "x"})
    with node:
        assert node.ask(path).status == 404


def test_a_link_out_of_the_application_is_not_there(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "a"})
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "webapps/ROOT/link.txt").symlink_to(tmp_path / "secret.txt")
    with node:
        assert node.ask("/link.txt").status == 404
        assert b"secret" not in node.ask("/link.txt").body


def test_a_link_is_served_with_allow_linking_on_the_context(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "a"}, allow_linking=True)
    (tmp_path / "webapps/ROOT/link.txt").symlink_to(tmp_path / "webapps/ROOT/a.txt")
    with node:
        assert node.ask("/link.txt").body == b"a"


def test_listings_are_off_until_switched_on(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"d/x.txt": "x"})
    node.add("listed", {"d/x.txt": "x", "WEB-INF/web.xml": servlet(listings="true", readmeFile="x.txt")})
    with node:
        assert node.ask("/d/").status == 404
        listed = node.ask("/listed/d/")
    assert (listed.status, listed.get("Content-Type")) == (200, "text/html;charset=UTF-8")
    assert b'href="/listed/d/x.txt"' in listed.body


def test_an_init_parameter_that_is_wrong_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"WEB-INF/web.xml": servlet(listngs="true", readonly="perhaps"), "a.txt": "a"})
    with node:
        assert node.ask("/a.txt").status == 200
    assert "has no init parameter [listngs]" in caplog.text
    assert "readonly='perhaps' ignored, expected true or false" in caplog.text


def test_files_can_be_changed_when_it_is_not_read_only(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"WEB-INF/web.xml": servlet(readonly="false"), "a.txt": "a"})
    with node:
        assert node.ask("/new.txt", "PUT", body=b"new").status == 201
        assert node.ask("/new.txt").body == b"new"
        assert node.ask("/WEB-INF/web.xml", "PUT", body=b"x").status == 404
        assert node.ask("/new.txt", "DELETE").status == 204
        assert node.ask("/new.txt").status == 404


def test_post_can_be_refused(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"WEB-INF/web.xml": servlet(allowPostAsGet="false"), "a.txt": "a"})
    with node:
        assert node.ask("/a.txt", "POST").status == 405


def test_absolute_redirects_where_relative_ones_are_switched_off(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"d/x.txt": "x"}, use_relative_redirects=False)
    with node:
        assert node.ask("/d?q=1").get("Location") == "http://localhost/d/?q=1"


def test_a_redirect_never_leaves_the_site(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"d/x.txt": "x"})
    with node:
        assert node.ask("//d").get("Location") == "/d/"


def test_strong_tags_are_hashes_and_match_strongly(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("ROOT", {"WEB-INF/web.xml": servlet(useStrongETags="true"), "a.txt": "a"})
    with node:
        tag = node.ask("/a.txt").get("ETag")
        assert tag is not None
        assert not tag.startswith("W/")
        assert node.ask("/a.txt", headers={"If-Match": tag}).status == 200


def test_a_file_nobody_may_read_is_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalina.webresources.resource import FileResource

    node = Node(tmp_path)
    node.add("ROOT", {"a.txt": "a"})
    monkeypatch.setattr(FileResource, "can_read", False)  # root may read everything
    with node:
        assert node.ask("/a.txt").status == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/new.txt", {"If-Match": "*"}, 412),
        ("PUT", "/new.txt", {"If-Match": '"x"'}, 412),
        ("PUT", "/new.txt", {"If-Match": "x"}, 400),
        ("PUT", "/new.txt", {"If-None-Match": "*"}, 201),
        ("PUT", "/a.txt", {"If-None-Match": "*"}, 412),
        ("DELETE", "/new.txt", {"If-Match": "*"}, 412),
        ("DELETE", "/new.txt", {}, 404),
        ("DELETE", "/d", {"If-None-Match": "*"}, 412),
        ("PUT", "/new.txt", {"Content-Range": "bytes 0-0/4611686018427387904"}, 400),
        ("PUT", "/" + "n" * 300, {}, 409),
        ("GET", "/" + "n" * 300, {}, 404),
        ("GET", "/nope", {"If-None-Match": "x"}, 400),
        ("GET", "/a.txt", {"If-Modified-Since": "Sun, 01 Jun 9880198801 12:00:00 GMT"}, 200),
        ("GET", "/empty.txt", {"Range": "bytes=0-", "If-Range": "garbage"}, 400),
    ],
)
def test_what_a_condition_protects(
    tmp_path: Path, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    node = Node(tmp_path)
    files = {"a.txt": "a", "empty.txt": "", "d/b.txt": "b", "WEB-INF/web.xml": servlet(readonly="false")}
    node.add("ROOT", files)
    with node:
        answer = node.ask(path, method, headers, body=b"n" if method == "PUT" else b"")
    assert answer.status == status
    assert (node.base / "webapps/ROOT/new.txt").exists() == (status == 201)


def find(path: str) -> Resource:
    there = path in ("/z.txt.gz", "/z.txt.br", "/only.txt.gz")
    return Resource(path, exists=there, is_file=there)


@pytest.mark.parametrize(
    ("accept", "path", "varies", "coding"),
    [
        (None, "/z.txt", True, None),
        ("gzip", "/z.txt", True, "gzip"),
        ("gzip, br", "/z.txt", True, "br"),
        ("br;q=0.5, gzip", "/z.txt", True, "gzip"),
        ("gzip;q=0", "/z.txt", True, None),
        ("*", "/z.txt", True, "br"),
        ("gzip;q=0.5, identity", "/z.txt", True, None),
        ("deflate", "/z.txt", True, None),
        ("br", "/only.txt", True, None),
        ("gzip", "/none.txt", False, None),
    ],
)
def test_the_best_form_that_is_there_and_accepted(
    accept: str | None, path: str, varies: bool, coding: str | None
) -> None:
    said, chosen = choose(DEFAULT, accept, path, find)
    assert (said, chosen[0] if chosen else None) == (varies, coding)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("true", DEFAULT),
        ("FALSE", ()),
        ("gzip=.gz", (("gzip", ".gz"),)),
        ("br=.b, gzip=.g", (("br", ".b"), ("gzip", ".g"))),
    ],
)
def test_the_parameter(text: str, formats: tuple[tuple[str, str], ...]) -> None:
    assert precompressed_formats(text) == formats


@pytest.mark.parametrize("text", ["yes", "br", "=.gz", "br="])
def test_a_parameter_that_is_none(text: str) -> None:
    with pytest.raises(AttributeRefused):
        precompressed_formats(text)
