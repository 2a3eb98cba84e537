"""A directory; what a link could lead to stays out."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.errors import LifecycleError
from catalina.webresources.dir_resource_set import DirResourceSet


def started(base: Path, **values: object) -> DirResourceSet:
    resources = DirResourceSet(base=str(base), **values)
    resources.start()
    return resources


def content(resources: DirResourceSet, path: str) -> bytes | None:
    found = resources.get(path)
    return None if found is None or not found.is_file else found.read()


def test_files_and_directories_are_found(application: Path) -> None:
    resources = started(application)
    assert content(resources, "/a.txt") == b"a"
    assert content(resources, "/sub/b.txt") == b"bb"
    directory = resources.get("/sub/")
    assert directory is not None
    assert directory.is_directory
    assert resources.names("/") == {"WEB-INF", "a.txt", "sub"}
    assert resources.names("/a.txt/") == set()


def test_a_file_has_no_name_with_a_slash_at_the_end(application: Path) -> None:
    assert started(application).get("/a.txt/") is None


def test_a_link_is_followed_only_when_that_is_allowed(application: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (application / "link").symlink_to(tmp_path / "secret")
    (application / "out").symlink_to(tmp_path)
    for path in ("/link", "/out/secret"):
        assert content(started(application), path) is None
        assert content(started(application, allow_linking=True), path) == b"secret"


def test_the_base_itself_may_be_behind_a_link(application: Path, tmp_path: Path) -> None:
    (tmp_path / "base").symlink_to(application)
    assert content(started(tmp_path / "base"), "/a.txt") == b"a"


def test_a_mount_and_an_internal_path_move_what_is_found(application: Path) -> None:
    resources = started(application, web_app_mount="/docs", internal_path="/sub")
    assert content(resources, "/docs/b.txt") == b"bb"
    assert resources.get("/b.txt") is None


def test_a_base_that_is_no_directory_fails_at_start(application: Path) -> None:
    with pytest.raises(LifecycleError, match="does not exist"):
        started(application / "nowhere")


@pytest.mark.parametrize("path", ["/x\0y", "/" + "y" * 300])
def test_names_the_file_system_refuses_are_not_there(application: Path, path: str) -> None:
    assert started(application).get(path) is None


def test_a_new_file_may_be_written_below_but_not_through_a_link(application: Path, tmp_path: Path) -> None:
    resources = started(application)
    (application / "out").symlink_to(tmp_path)
    (application / "alias").symlink_to(tmp_path / "target")
    assert resources.file_to_write("/sub/new.txt") == application / "sub" / "new.txt"
    assert resources.file_to_write("/out/new.txt") is None
    assert resources.file_to_write("/alias") is None
    assert resources.file_to_write("/x\0") is None
