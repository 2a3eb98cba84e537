"""One file at one path."""

from __future__ import annotations

from pathlib import Path

from catalina.webresources.file_resource_set import FileResourceSet


def test_the_file_is_at_its_mount_and_nowhere_else(application: Path) -> None:
    resources = FileResourceSet(base=str(application / "a.txt"), web_app_mount="/x/renamed.txt")
    resources.start()
    found = resources.get("/x/renamed.txt")
    assert found is not None
    assert found.read() == b"a"
    assert resources.get("/a.txt") is None
    assert resources.names("/") == {"x"}
    assert resources.names("/x/") == {"renamed.txt"}


def test_a_file_that_is_not_there_is_nothing(application: Path) -> None:
    resources = FileResourceSet(base=str(application / "nope"), web_app_mount="/x")
    assert resources.get("/x") is None
    assert resources.names("/") == set()
