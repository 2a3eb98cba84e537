"""PUT and DELETE on files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from catalina.servlets.file_changes import FileChanges
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
        changes = FileChanges(node.context.resources, True)  # type: ignore[attr-defined]  # set above
        assert changes.put("/new.txt", body(b"one")) == 201
        assert changes.put("/new.txt", body(b"two")) == 204
        assert changes.put("/dir", body(b"x")) == 409
        assert changes.put("/no/such.txt", body(b"x")) == 409
        assert changes.put("/new/", body(b"x")) == 409
    assert (tmp_path / "webapps/shop/new.txt").read_bytes() == b"two"
    assert sorted(path.name for path in (tmp_path / "webapps/shop").iterdir()) == ["a.txt", "dir", "new.txt"]


def test_a_part_of_a_file_is_replaced(node: Node, tmp_path: Path) -> None:
    with node:
        changes = FileChanges(node.context.resources, True)  # type: ignore[attr-defined]  # set above
        assert changes.put("/a.txt", body(b"EL", HTTP_CONTENT_RANGE="bytes 1-2/5")) == 204
        with pytest.raises(ValueError, match="promises 2 bytes"):
            changes.put("/a.txt", body(b"toolong", HTTP_CONTENT_RANGE="bytes 1-2/5"))
        with pytest.raises(ValueError, match="not allowed"):
            FileChanges(node.context.resources, False).put("/a.txt", body(b"x", HTTP_CONTENT_RANGE="bytes 0-0/1"))  # type: ignore[attr-defined]  # set above
    assert (tmp_path / "webapps/shop/a.txt").read_bytes() == b"hELlo"


def test_files_and_empty_directories_are_deleted(node: Node, tmp_path: Path) -> None:
    with node:
        changes = FileChanges(node.context.resources, True)  # type: ignore[attr-defined]  # set above
        assert changes.delete("/dir", {}) == 405
        assert changes.delete("/dir/b.txt", {}) == 204
        assert changes.delete("/dir", {}) == 204
        assert changes.delete("/dir", {}) == 404
        assert changes.delete("/", {}) == 405
    assert not (tmp_path / "webapps/shop/dir").exists()
