"""Patterns of URLs."""

import pytest

from catalina.filters.url_matchers import url_matchers


def matches(patterns, path):
    types = {"css": "text/css", "png": "image/png"}
    return any(match(path) for match in url_matchers(patterns, lambda path: types.get(path.rpartition(".")[2])))


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("*.css, /static/*", "/a.css", True), ("*.css, /static/*", "/static/x", True), ("*.css", "/a.js", False),
        ("/.*\\.(css|js)/", "/a.js", True), ("/.*\\.(css|js)/", "/a.html", False), ("mime:image/*", "/a.png", True),
        ("mime:image/*", "/a.css", False), ("mime:image/*", "/a", False), ("/ab+/,*.x", "abb", True), ("", "/a", False),
    ],
)  # fmt: skip
def test_each_form_matches(patterns, path, expected):
    assert matches(patterns, path) is expected


@pytest.mark.parametrize("patterns", ["exact", "/(/", "mime:exact"])
def test_other_forms_are_refused(patterns):
    with pytest.raises(ValueError, match=r"expected|regular"):
        url_matchers(patterns, lambda path: None)
