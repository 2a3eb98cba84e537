"""The content of a descriptor, and forgetting it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.descriptor.elements import ServletDef
from catalina.errors import DeploymentError, LifecycleError
from tests.core.node import Node


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt", "text/plain"),
        ("A.TXT", "text/plain"),
        ("a.tar.gz", "application/gzip"),
        ("noext", None),
        ("a.zzz", None),
    ],
)
def test_types_are_those_of_the_last_extension(name: str, kind: str | None) -> None:
    context = StandardContext()
    context.mime_mappings = {"txt": "text/plain", "gz": "application/gzip"}
    assert context.find_mime_type(name) == kind


def test_servlets_are_added_and_mapped_once_each() -> None:
    context = StandardContext()
    wrapper = context.add_servlet(ServletDef("s", "m:s"))
    context.add_servlet_mapping("/s", "s")
    assert (context.wrappers["s"], context.servlet_mappings) == (wrapper, {"/s": "s"})
    with pytest.raises(LifecycleError, match=r"the name \[s\] is not unique"):
        context.add_servlet(ServletDef("s", "m:other"))
    with pytest.raises(DeploymentError, match="unknown servlet name"):
        context.add_servlet_mapping("/x", "nobody")


def test_names_of_servlets_that_need_a_file() -> None:
    assert StandardContext().resource_only_names == {"jsp"}
    assert StandardContext(resource_only_servlets="a, b,,").resource_only_names == {"a", "b"}


def test_after_the_stop_nothing_of_the_descriptor_is_left(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"a.txt": "a"})
    with node:
        assert context.servlet_mappings
        context.stop()
        assert (context.servlet_mappings, context.wrappers, context.mime_mappings, context.welcome_files) == (
            {},
            {},
            {},
            [],
        )
        assert context.servlet_map.find("/a.txt").wrapper is None
