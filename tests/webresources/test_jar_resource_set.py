"""An archive."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from catalina.errors import LifecycleError
from catalina.webresources.jar_resource_set import JarResourceSet


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "lib.whl"
    with ZipFile(file, "w") as made:
        made.writestr("META-INF/resources/a/b.txt", "b")
        made.writestr("META-INF/resources/c.txt", "cc")
        made.writestr("pkg/__init__.py", "")
    return file


def started(archive: Path, **values: object) -> JarResourceSet:
    resources = JarResourceSet(base=str(archive), **values)
    resources.start()
    return resources


def test_entries_and_the_directories_they_imply_are_found(archive: Path) -> None:
    resources = started(archive, internal_path="/META-INF/resources")
    file, directory = resources.get("/a/b.txt"), resources.get("/a")
    assert file is not None
    assert directory is not None
    assert (file.read(), file.size, directory.is_directory) == (b"b", 1, True)
    assert resources.get("/pkg/__init__.py") is None
    assert resources.names("/") == {"a", "c.txt"}
    assert resources.names("/a/") == {"b.txt"}


def test_a_mount_moves_the_entries(archive: Path) -> None:
    resources = started(archive, internal_path="/META-INF/resources", web_app_mount="/lib")
    assert resources.get("/lib/c.txt") is not None
    assert resources.get("/c.txt") is None
    assert resources.names("/") == {"lib"}


def test_the_whole_archive_without_internal_path(archive: Path) -> None:
    assert started(archive).get("/pkg/__init__.py") is not None


def test_a_broken_archive_fails_at_start(tmp_path: Path) -> None:
    (tmp_path / "bad.jar").write_bytes(b"no zip")
    with pytest.raises(LifecycleError, match="cannot be read"):
        started(tmp_path / "bad.jar")
