"""The one rule for names that become files."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import DeploymentError
from catalina.util.path_names import checked_name


@pytest.mark.parametrize(
    "name", ["shop", "shop##1.4.0", "a#b", "shop-1.0-py3-none-any.whl", ".hidden", "größe", "a b", "..."]
)
def test_names_that_are_plainly_one_file(name):
    assert checked_name(name, "archive", "here") == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        (".", "is a directory's own name or its parent's"),
        ("..", "is a directory's own name or its parent's"),
        ("a/b", "has a separator"),
        ("/", "has a separator"),
        ("a\\b", "has a separator"),
        ("a\0b", "has the character U+0000"),
        ("a\nb", "has the character U+000A"),
        ("a\x85b", "has the character U+0085"),
        ("a\u2028b", "has the character U+2028"),
        ("a\ud800b", "has the character U+D800"),
        ("a\x7f", "has the character U+007F"),
        ("x" * 201, "has 201 bytes, limit 200"),
        ("ü" * 101, "has 202 bytes, limit 200"),
        (".catalina-x", "begins with .catalina-"),
    ],
)
def test_what_is_refused_and_where_it_came_from_is_said(name, why):
    with pytest.raises(DeploymentError) as refused:
        checked_name(name, "archive", "10.0.0.7")
    text = str(refused.value)
    assert text.startswith("10.0.0.7: refused: archive ")
    assert text.encode().isascii() or "ü" in text
    assert why in text


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_a_name_is_refused_or_is_one_file_in_the_directory(name):
    try:
        checked_name(name, "name", "test")
    except DeploymentError as exc:
        refused = str(exc)
        assert refused.isascii() or refused.encode("utf-8")
        return
    path = os.path.join("/srv/apps", name)
    assert os.path.normpath(path) == path
    assert os.path.dirname(path) == "/srv/apps"
    assert len(os.fsencode(name)) <= 255
