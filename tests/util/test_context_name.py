"""File names and context paths."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import DeploymentError
from catalina.util.context_name import ContextName


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


@pytest.mark.parametrize(
    "file",
    ["...war", "..war", ".war", ".xml", "..", "a#..", "#a", "a#", "a##", "a##b/../c", "a\nb", "x" * 250, "a\udcff.war"],
)
def test_names_that_would_lead_elsewhere_are_refused(file: str) -> None:
    if "/" in file:  # only the last part of a path is a name
        assert ContextName.of_file(file).path == "/c"
        return
    with pytest.raises(DeploymentError, match="refused"):
        ContextName.of_file(file)


@pytest.mark.parametrize(
    ("path", "version"),
    [("/..", ""), ("/a/../b", ""), ("/a//b", ""), ("/a", "../.."), ("a", ""), ("/", ""), ("/a\0", "")],
)
def test_paths_that_would_lead_elsewhere_are_refused(path: str, version: str) -> None:
    with pytest.raises(DeploymentError, match="refused"):
        ContextName(path, version)


@given(
    st.text(st.sampled_from("./#\\aR\0\n\udc80ü ") | st.characters(exclude_categories=())), st.text("./#a", max_size=6)
)
def test_whatever_it_is_called_its_files_lie_in_the_directory(text: str, version: str) -> None:
    for make in (lambda: ContextName.of_file(text), lambda: ContextName.of_path(text, version)):
        try:
            name = make()
        except DeploymentError:
            continue
        assert os.path.dirname(os.path.normpath(os.path.join("/apps", name.base_name))) == "/apps"
