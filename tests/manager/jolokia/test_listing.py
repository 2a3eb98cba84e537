from __future__ import annotations

import pytest

from catalina.manager.jolokia.listing import listed, wanted_names
from catalina.manager.jolokia.request import BadRequest, Parameters, from_path
from catalina.mbeans.object_name import ObjectName
from tests.manager.jolokia.shop import shops


@pytest.mark.parametrize(
    ("path", "pattern"),
    [(None, "*:*"), (("shop",), "shop:*"), ((None, "type=Shop"), "*:type=Shop"), (("a", "b=c", "attr"), "a:b=c")],
)
def test_a_path_names_beans(path, pattern):
    assert wanted_names(path) == ObjectName.parse(pattern)


def test_a_longer_one_is_refused():
    with pytest.raises(BadRequest):
        wanted_names(("a", "b=c", "attr", "x"))


def test_overloaded_operations_are_a_list():
    from catalina.attributes import Component
    from catalina.operations import operation

    class Two(Component):
        @operation
        def start(self) -> None:
            """Start."""

    registry = shops()
    registry.register(ObjectName("d", {"n": "1"}), Two())
    bean = listed(from_path("list/d/n=1", Parameters()), registry.query(ObjectName.parse("d:n=1")))
    assert bean["op"]["start"]["args"] == []
