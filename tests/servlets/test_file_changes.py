"""PUT and DELETE on files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from catalina.servlets.file_changes import FileChanges, content_range
from catalina.servlets.ranges import ContentRange
from tests.core.node import Node


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.context = node.add("shop", {"a.txt": "hello", "dir/b.txt": "b"})  # type: ignore[attr-defined]  # for the tests
    return node


def body(data: bytes, **headers: str) -> dict[str, object]:
    return {"wsgi.input": io.BytesIO(data), **headers}


def test_a_file_is_made_and_replaced_and_nothing_is_left_beside_it(node: Node, tmp_path: Path) -> None:
    with node:
        changes = FileChanges(node.context.resources)  # type: ignore[attr-defined]  # set above
        assert changes.put("/new.txt", body(b"one")) == 201
        assert changes.put("/new.txt", body(b"two")) == 204
        assert changes.put("/dir", body(b"x")) == 409
        assert changes.put("/no/such.txt", body(b"x")) == 409
        assert changes.put("/new/", body(b"x")) == 409
    assert (tmp_path / "webapps/shop/new.txt").read_bytes() == b"two"
    assert sorted(path.name for path in (tmp_path / "webapps/shop").iterdir()) == ["a.txt", "dir", "new.txt"]


@pytest.mark.parametrize(
    ("part", "data", "content"),
    [
        (ContentRange(1, 2, 5), b"EL", b"hELlo"),
        (ContentRange(1, 2, 3), b"EL", b"hEL"),
        (ContentRange(5, 6, 9), b"!!", b"hello!!\0\0"),
    ],
)
def test_a_part_is_replaced_and_the_file_has_the_promised_length(
    node: Node, tmp_path: Path, part: ContentRange, data: bytes, content: bytes
) -> None:
    with node:
        changes = FileChanges(node.context.resources)  # type: ignore[attr-defined]  # set above
        assert changes.put("/a.txt", body(data), part) == 204
    assert (tmp_path / "webapps/shop/a.txt").read_bytes() == content


@pytest.mark.parametrize(
    ("part", "data", "message"),
    [
        (ContentRange(1, 2, 5), b"toolong", "promises 2 bytes"),
        (ContentRange(1, 2, 5), b"x", "promises 2 bytes, the body has 1"),
        (ContentRange(0, 0, 2**62), b"x", "promises a file of 4611686018427387904 bytes, [0-9]+ are free"),
    ],
)
def test_a_part_that_does_not_fit_changes_nothing(
    node: Node, tmp_path: Path, part: ContentRange, data: bytes, message: str
) -> None:
    with node, pytest.raises(ValueError, match=message):
        FileChanges(node.context.resources).put("/a.txt", body(data), part)  # type: ignore[attr-defined]  # set above
    assert (tmp_path / "webapps/shop/a.txt").read_bytes() == b"hello"
    assert sorted(path.name for path in (tmp_path / "webapps/shop").iterdir()) == ["a.txt", "dir"]


def test_content_range_may_be_switched_off() -> None:
    environ = {"HTTP_CONTENT_RANGE": "bytes 0-0/1"}
    assert content_range({}, False) is None
    assert content_range(environ, True) == ContentRange(0, 0, 1)
    with pytest.raises(ValueError, match="not allowed"):
        content_range(environ, False)


def test_a_name_that_no_file_can_have_is_a_conflict_and_is_logged(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    with node:
        changes = FileChanges(node.context.resources)  # type: ignore[attr-defined]  # set above
        assert changes.put("/" + "n" * 300, body(b"x")) == 409
        assert changes.put("/" + "n" * 300 + "/x", body(b"x")) == 409
        assert changes.delete("/" + "n" * 300) == 404
    assert "cannot be written: [Errno 36] File name too long" in caplog.text


def test_files_and_empty_directories_are_deleted(node: Node, tmp_path: Path) -> None:
    with node:
        changes = FileChanges(node.context.resources)  # type: ignore[attr-defined]  # set above
        assert changes.delete("/dir") == 405
        assert changes.delete("/dir/b.txt") == 204
        assert changes.delete("/dir") == 204
        assert changes.delete("/dir") == 404
        assert changes.delete("/") == 405
    assert not (tmp_path / "webapps/shop/dir").exists()
