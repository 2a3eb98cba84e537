"""Nothing."""

from __future__ import annotations

from catalina.webresources.empty_resource_set import EmptyResourceSet


def test_nothing_is_there() -> None:
    assert EmptyResourceSet().get("/") is None
    assert EmptyResourceSet().names("/") == set()
