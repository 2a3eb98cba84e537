"""Where a set is mounted in the application."""

from __future__ import annotations

import pytest

from catalina.webresources.resource_set import ResourceSet


@pytest.mark.parametrize(
    ("mount", "path", "inner"),
    [
        ("/", "/a", "/a"),
        ("/", "/", "/"),
        ("/docs", "/docs/a", "/a"),
        ("/docs", "/docs", "/"),
        ("/docs/", "/docs/", "/"),
        ("/docs", "/docsx", None),
        ("/docs", "/a", None),
        ("docs", "/docs/a", "/a"),
    ],
)
def test_a_path_below_the_mount_becomes_one_below_the_base(mount: str, path: str, inner: str | None) -> None:
    assert ResourceSet(web_app_mount=mount).inner_path(path) == inner


@pytest.mark.parametrize(
    ("mount", "directory", "names"),
    [
        ("/", "/", set()),
        ("/docs", "/", {"docs"}),
        ("/a/b", "/", {"a"}),
        ("/a/b", "/a/", {"b"}),
        ("/a/b", "/a/b/", set()),
    ],
)
def test_a_mount_appears_in_the_directories_above_it(mount: str, directory: str, names: set[str]) -> None:
    assert ResourceSet(web_app_mount=mount).mounts_below(directory) == names


def test_a_set_must_say_what_it_has() -> None:
    with pytest.raises(NotImplementedError):
        ResourceSet().get("/")
    with pytest.raises(NotImplementedError):
        ResourceSet().names("/")
