"""Versions of packages by their metadata."""

from __future__ import annotations

import sys

import pytest

from catalina.loader.distributions import version_of


@pytest.mark.parametrize(
    ("metadata", "record"),
    [({"top_level.txt": "tilly\nother\n"}, ""), ({}, "tilly/__init__.py,,\n"), ({}, "tilly.py,,\n")],
)
def test_the_version_is_that_of_the_distribution_that_brings_the_module(tmp_path, metadata, record):
    info = tmp_path / "some_name-7.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-name\nVersion: 7.1\n")
    (info / "RECORD").write_text(record)
    for name, text in metadata.items():
        (info / name).write_text(text)
    assert version_of("tilly", [str(tmp_path)]) == "7.1"
    assert version_of("nothing", [str(tmp_path)]) is None


def test_the_environment_is_asked_the_same_way():
    from lxml import etree

    assert version_of("lxml", sys.path) == etree.__version__
