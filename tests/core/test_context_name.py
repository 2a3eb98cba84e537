"""File names and context paths."""

from __future__ import annotations

import pytest

from catalina.core.context_name import ContextName


@pytest.mark.parametrize(
    ("file", "path", "version", "name", "base"),
    [
        ("shop", "/shop", "", "/shop", "shop"),
        ("shop.war", "/shop", "", "/shop", "shop"),
        ("shop.WAR", "/shop", "", "/shop", "shop"),
        ("shop##2.xml", "/shop", "2", "/shop##2", "shop##2"),
        ("foo#bar##1.4.0.war", "/foo/bar", "1.4.0", "/foo/bar##1.4.0", "foo#bar##1.4.0"),
        ("ROOT", "", "", "", "ROOT"),
        ("ROOT##3", "", "3", "##3", "ROOT##3"),
        ("/srv/apps/shop", "/shop", "", "/shop", "shop"),
    ],
)
def test_names_of_files(file: str, path: str, version: str, name: str, base: str) -> None:
    found = ContextName.of_file(file)
    assert (found.path, found.version, found.name, found.base_name) == (path, version, name, base)


@pytest.mark.parametrize(
    ("path", "expected"), [("", ""), ("/", ""), ("ROOT", ""), ("shop", "/shop"), ("/a/b/", "/a/b")]
)
def test_context_paths_get_their_form(path: str, expected: str) -> None:
    assert ContextName.of_path(path).path == expected


def test_the_root_application_shows_as_a_slash() -> None:
    assert ContextName("").display_name == "/"
    assert ContextName("", "2").display_name == "/##2"
    assert ContextName("/a").display_name == "/a"
