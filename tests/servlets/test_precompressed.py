"""The form of a file that a client gets."""

from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.servlets.precompressed import DEFAULT, choose, precompressed_formats
from catalina.webresources.resource import Resource


def find(path: str) -> Resource:
    there = path in ("/z.txt.gz", "/z.txt.br", "/only.txt.gz")
    return Resource(path, exists=there, is_file=there)


@pytest.mark.parametrize(
    ("accept", "path", "varies", "coding"),
    [
        (None, "/z.txt", True, None),
        ("gzip", "/z.txt", True, "gzip"),
        ("gzip, br", "/z.txt", True, "br"),
        ("br;q=0.5, gzip", "/z.txt", True, "gzip"),
        ("gzip;q=0", "/z.txt", True, None),
        ("*", "/z.txt", True, "br"),
        ("gzip;q=0.5, identity", "/z.txt", True, None),
        ("deflate", "/z.txt", True, None),
        ("br", "/only.txt", True, None),
        ("gzip", "/none.txt", False, None),
    ],
)
def test_the_best_form_that_is_there_and_accepted(
    accept: str | None, path: str, varies: bool, coding: str | None
) -> None:
    said, chosen = choose(DEFAULT, accept, path, find)
    assert (said, chosen[0] if chosen else None) == (varies, coding)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("true", DEFAULT),
        ("FALSE", ()),
        ("gzip=.gz", (("gzip", ".gz"),)),
        ("br=.b, gzip=.g", (("br", ".b"), ("gzip", ".g"))),
    ],
)
def test_the_parameter(text: str, formats: tuple[tuple[str, str], ...]) -> None:
    assert precompressed_formats(text) == formats


@pytest.mark.parametrize("text", ["yes", "br", "=.gz", "br="])
def test_a_parameter_that_is_none(text: str) -> None:
    with pytest.raises(AttributeRefused):
        precompressed_formats(text)
