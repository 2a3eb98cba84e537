"""Values of a descriptor that answer questions."""

from __future__ import annotations

import pytest

from catalina.descriptor.elements import SecurityCollection


@pytest.mark.parametrize(
    ("collection", "method", "covered"),
    [
        (SecurityCollection(), "GET", True),
        (SecurityCollection(methods=frozenset({"POST"})), "POST", True),
        (SecurityCollection(methods=frozenset({"POST"})), "GET", False),
        (SecurityCollection(methods=frozenset({"POST"})), "post", False),
        (SecurityCollection(omitted_methods=frozenset({"GET"})), "GET", False),
        (SecurityCollection(omitted_methods=frozenset({"GET"})), "ANY", True),
    ],
)
def test_a_collection_covers_the_methods_it_names_or_all_but_those_it_omits(
    collection: SecurityCollection, method: str, covered: bool
) -> None:
    assert collection.covers_method(method) is covered
