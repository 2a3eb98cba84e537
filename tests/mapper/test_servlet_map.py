"""The servlet mapping rules as a table (Servlet 6.0, chapter 12)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.mapper.mapping_data import MappingMatch
from catalina.mapper.servlet_map import ServletMap
from catalina.webresources.resource import Resource
from tests.connector.bare import BareContext
from tests.connector.serving import Level

FILES = {"/docs/index.html", "/shop/start.foo", "/a.foo"}
DIRECTORIES = {"/", "/docs", "/docs/", "/shop", "/shop/", "/empty", "/empty/"}


class Files:
    """The files and directories above."""

    def get_resource(self, path: str) -> Resource:
        is_file, is_directory = path in FILES, path in DIRECTORIES
        return Resource(path, exists=is_file or is_directory, is_file=is_file, is_directory=is_directory)


def make_context(root_redirect: bool = True, directory_redirect: bool = False) -> Any:
    return BareContext(
        resources=Files(),
        mapper_context_root_redirect_enabled=root_redirect,
        mapper_directory_redirect_enabled=directory_redirect,
    )


def make_map(
    *patterns: str, welcome: tuple[str, ...] = (), context: Any = None, only: tuple[str, ...] = ()
) -> ServletMap:
    """A map in which every servlet has its pattern for a name."""
    mappings = [(pattern, Level(pattern)) for pattern in patterns]
    return ServletMap(context or make_context(), mappings, welcome, frozenset(only))


PATTERNS = ("/exact", "/exact/two", "/pre/*", "/pre/deep/*", "*.foo", "/")


@pytest.mark.parametrize(
    ("path", "pattern", "servlet_path", "path_info"),
    [
        ("/exact", "/exact", "/exact", None),
        ("/exact/", "/", "/exact/", None),
        ("/exact/more", "/", "/exact/more", None),
        ("/exact/two", "/exact/two", "/exact/two", None),
        ("/pre", "/pre/*", "/pre", None),
        ("/pre/", "/pre/*", "/pre", "/"),
        ("/pre/x/y", "/pre/*", "/pre", "/x/y"),
        ("/pre/a.foo", "/pre/*", "/pre", "/a.foo"),
        ("/pre/deep", "/pre/deep/*", "/pre/deep", None),
        ("/pre/deep/x", "/pre/deep/*", "/pre/deep", "/x"),
        ("/pre/deeper", "/pre/*", "/pre", "/deeper"),
        ("/prefix", "/", "/prefix", None),
        ("/b.foo", "*.foo", "/b.foo", None),
        ("/a/b.foo", "*.foo", "/a/b.foo", None),
        ("/.foo", "*.foo", "/.foo", None),
        ("/a.foo/b", "/", "/a.foo/b", None),
        ("/a.foo.txt", "/", "/a.foo.txt", None),
        ("/a.FOO", "/", "/a.FOO", None),
        ("/nothing", "/", "/nothing", None),
        ("/", "/", "/", None),
    ],
)
def test_the_best_pattern_wins(path: str, pattern: str, servlet_path: str, path_info: str | None) -> None:
    found = make_map(*PATTERNS).find(path)
    assert found.wrapper is not None
    assert (found.wrapper.name, found.servlet_path, found.path_info) == (pattern, servlet_path, path_info)


@pytest.mark.parametrize(
    ("path", "match", "pattern"),
    [
        ("/exact", MappingMatch.EXACT, "/exact"),
        ("/pre/x", MappingMatch.PATH, "/pre/*"),
        ("/b.foo", MappingMatch.EXTENSION, "*.foo"),
        ("/x", MappingMatch.DEFAULT, "/"),
    ],
)
def test_the_kind_of_match_and_its_pattern_are_said(path: str, match: MappingMatch, pattern: str) -> None:
    found = make_map(*PATTERNS).find(path)
    assert (found.match, found.pattern) == (match, pattern)


def test_the_context_root_pattern_matches_the_root_only_and_is_above_welcome_files() -> None:
    servlets = make_map("", "/", welcome=("index.html",))
    found = servlets.find("/")
    assert (found.match, found.servlet_path, found.path_info) == (MappingMatch.CONTEXT_ROOT, "", "/")
    assert servlets.find("/x").match is MappingMatch.DEFAULT


def test_everything_below_a_star_and_the_bare_context_path_too() -> None:
    found = make_map("/*").find("")
    assert (found.redirect, found.servlet_path, found.path_info) == (False, "", None)
    assert make_map("/*").find("/x").path_info == "/x"


def test_the_bare_context_path_is_redirected() -> None:
    assert make_map("/").find("").redirect
    assert not make_map("/", context=make_context(root_redirect=False)).find("").redirect


def test_a_welcome_file_that_exists_is_served_by_the_default_servlet() -> None:
    found = make_map("/", welcome=("index.htm", "index.html")).find("/docs/")
    assert (found.servlet_path, found.match) == ("/docs/index.html", MappingMatch.DEFAULT)


def test_a_servlet_mapped_exactly_to_a_welcome_name_needs_no_file() -> None:
    found = make_map("/", "/empty/index.do", welcome=("index.do", "index.html")).find("/empty/")
    assert found.match is MappingMatch.EXACT


def test_a_welcome_file_goes_to_the_servlet_of_its_extension() -> None:
    assert make_map("/", "*.foo", welcome=("start.foo",)).find("/shop/").match is MappingMatch.EXTENSION


def test_without_the_file_an_extension_counts_unless_the_servlet_needs_a_file() -> None:
    assert make_map("/", "*.foo", welcome=("start.foo",)).find("/empty/").match is MappingMatch.EXTENSION
    assert make_map("/", "*.foo", welcome=("start.foo",), only=("*.foo",)).find("/empty/").match is MappingMatch.DEFAULT


def test_a_directory_is_redirected_by_the_mapper_only_when_asked_to() -> None:
    assert make_map("/", context=make_context(directory_redirect=True)).find("/docs").redirect
    assert not make_map("/").find("/docs").redirect


def test_answers_that_depend_on_files_are_marked() -> None:
    assert make_map("/", welcome=("index.html",)).find("/docs/").volatile
    assert make_map("/").find("/empty/").volatile
    assert not make_map("/").find("/docs").volatile


def test_without_a_default_servlet_nothing_answers_for_the_rest() -> None:
    assert make_map("/exact").find("/x").wrapper is None


SEGMENTS = st.lists(st.sampled_from(["a", "b", "pre", "x.foo", "y.bar", ""]), max_size=4)
PATTERN = st.one_of(
    SEGMENTS.map(lambda parts: "/" + "/".join(parts)),
    SEGMENTS.map(lambda parts: "".join("/" + part for part in parts if part) + "/*"),
    st.sampled_from(["*.foo", "*.bar", "/", ""]),
)


def expected(patterns: list[str], path: str) -> str | None:
    """The specification read aloud, without any cleverness."""
    if path in patterns and path != "/":
        return path
    if path == "/" and "" in patterns:
        return ""
    prefixes = [each[:-2] for each in patterns if each.endswith("/*")]
    matching = [each for each in prefixes if path == each or path.startswith(each + "/")]
    if matching:
        return max(matching, key=len) + "/*"
    name = path.rpartition("/")[2]
    extension = "*." + name.rpartition(".")[2] if "." in name else None
    if extension in patterns:
        return extension
    return "/" if "/" in patterns else None


@given(st.lists(PATTERN, max_size=6, unique=True), SEGMENTS.map(lambda parts: "/" + "/".join(parts)))
def test_any_patterns_are_matched_as_the_specification_says(patterns: list[str], path: str) -> None:
    found = make_map(*patterns).find(path)
    assert (found.wrapper.name if found.wrapper is not None else None) == expected(patterns, path)
    if found.wrapper is not None:
        assert found.servlet_path + (found.path_info or "") == path
